"""Finds models and data sets that are taken from a hub in whatever version it has that day."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import UNKNOWN, Severity, regex, rule
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_REPOSITORIES: Final[dict[str, str]] = {
    "datasets.load_dataset": "path",
    "huggingface_hub.hf_hub_download": "repo_id",
    "huggingface_hub.snapshot_download": "repo_id",
}
"""Functions that download from a repository, and where they take its name."""
_LIBRARIES: Final = ("transformers.", "diffusers.", "sentence_transformers.", "huggingface_hub.")
_COMMIT: Final = regex(r"[0-9a-fA-F]{7,64}")
_FORMATS: Final = frozenset(
    {"csv", "json", "text", "parquet", "arrow", "sql", "xml", "pandas", "generator", "imagefolder", "audiofolder", "videofolder",
     "webdataset"}
)  # fmt: skip
"""Names that stand for a format of files of one's own."""
_PLACE: Final = regex(r"^[./~]|\\|^[a-z]+://|^[A-Za-z]:|\.(?:json|bin|safetensors|pt|ckpt)$")
"""Beginnings and ends of what lies on the machine."""


@rule(
    ast.Call,
    code="SEC132",
    principles=("safe-deserialization",),
    severity=Severity.LOW,
    cwe=(494,),
    calls=(*_REPOSITORIES, "*.from_pretrained"),
    mentions=("transformers", "datasets", "huggingface_hub", "diffusers", "sentence_transformers"),
    aliases=("B615", "S615"),
    references=(
        "https://huggingface.co/docs/huggingface_hub/guides/download",
        "https://cwe.mitre.org/data/definitions/494.html",
    ),
)
def unpinned_download(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Name the commit of the model or data set that you have tried.

    A branch or a tag of a repository can be moved, by its owner or by whoever has taken over the account: tomorrow the same line brings other
    weights, another tokenizer, other files to unpickle, and no review has seen them. A commit cannot be changed. Only repositories that the
    program itself names are reported, not those that a user chooses, those of the program's own makers, nor folders on the machine.

    ```python bad
    from transformers import AutoModel

    def model():
        return AutoModel.from_pretrained("shop/search-model")
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `shop/search-model` is taken in whatever version it has that day: no commit is named
    ```
    ```python good
    from transformers import AutoModel

    def model():
        return AutoModel.from_pretrained("shop/search-model", revision="5d0f2e8a7f1c96a1d8f2f1b0a3c4d5e6f7a8b9c0")

    def chosen(name):
        return AutoModel.from_pretrained(name)
    ```
    """
    name = ctx.name(call.func) or ""
    keyword = _REPOSITORIES.get(name)
    if keyword is None and not name.startswith(_LIBRARIES):
        ctx.not_an_opportunity()
        return
    given = calls.given(ctx, call, 0, keyword or "pretrained_model_name_or_path")
    repository = None if given is None else ctx.value(given)
    if (
        not isinstance(repository, str)
        or _PLACE.search(repository)
        or repository in _FORMATS
        or _is_own(repository, ctx)
    ):
        ctx.not_an_opportunity()
        return
    if ctx.is_test or calls.has_unpacking(call) or _is_local(call, ctx):
        return
    revision = calls.value(ctx, call, None, "revision", default=None)
    if revision is UNKNOWN or (isinstance(revision, str) and _COMMIT.fullmatch(revision)):
        return
    what = "no commit is named" if revision is None else f"`{revision}` can be moved"
    yield ctx.finding(call, f"`{repository}` is taken in whatever version it has that day: {what}")


def _is_own(repository: str, ctx: Context) -> bool:
    """Whether the repository's owner has the name of the package: its makers decide about both."""
    owner, package = repository.partition("/")[0], ctx.module.partition(".")[0]
    return owner.replace("-", "_").lower() == package.lower() != ""


def _is_local(call: ast.Call, ctx: Context) -> bool:
    """Whether nothing is downloaded: only what the machine has already, or files that are named beside."""
    return calls.value(ctx, call, None, "local_files_only", default=False) is not False or any(
        calls.keyword(call, name) is not None for name in ("data_files", "data_dir", "commit_id")
    )
