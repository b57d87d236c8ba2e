"""Finds model and array files that are loaded with pickle switched on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from charter.api import (
    Fix,
    Grade,
    Severity,
    rule,
)
from charter_rules import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding

_SWITCHES: Final = (
    ("weights_only", False, "the file may run any code while it is loaded"),
    ("allow_pickle", True, "the file may run any code while it is loaded"),
    ("trust_remote_code", True, "code from the model's repository is run"),
    ("safe_mode", False, "the file may run any code while it is loaded"),
)
_AROUND: Final = frozenset({"os", "os.path", "pathlib", "pathlib.Path", "pathlib.PurePath", "str"})
"""What stands around the place of the code in a path."""
_PICKLES: Final = frozenset({"pickle", "dill", "cloudpickle"})
"""Modules that make whatever a file names."""
_MOST: Final = 6
"""How many names a path is followed through."""


@rule(
    ast.Call,
    code="SEC061",
    principles=("safe-deserialization",),
    severity=Severity.MEDIUM,
    cwe=(502,),
    calls=(
        "torch.load",
        "numpy.load",
        "numpy.lib.npyio.load",
        "transformers.AutoModel.from_pretrained",
        "*.from_pretrained",
        "*.load_dataset",
        "transformers.pipeline",
        "sentence_transformers.SentenceTransformer",
        "vllm.LLM",
        "datasets.load_dataset",
        "torch.hub.load",
        "keras.models.load_model",
        "tensorflow.keras.models.load_model",
    ),
    aliases=("B614", "S614"),
    references=(
        "https://pytorch.org/docs/stable/generated/torch.load.html",
        "https://numpy.org/doc/stable/reference/generated/numpy.load.html",
    ),
)
def pickled_model_loaded(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Load models and arrays without running code from the file.

    Pickle runs what the file says while it reads. Models and arrays travel: from hubs, from colleagues, out of caches. `weights_only=True`, arrays
    without objects, and formats such as safetensors hold numbers only; `trust_remote_code=True` runs a program from somebody's repository.

    ```python bad
    import torch

    def model(path):
        return torch.load(path, weights_only=False)
    #          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `weights_only=False`: the file may run any code while it is loaded
    ```
    ```python fixed
    import torch

    def model(path):
        return torch.load(path, weights_only=True)
    ```
    ```python good
    import torch

    def model(path):
        return torch.load(path, weights_only=True)
    ```
    """
    for keyword, bad, message in _SWITCHES:
        if calls.value(ctx, call, None, keyword) is bad and not ctx.is_test:
            if (
                (call.args and _came_along(call.args[0], ctx))
                or _has_own_unpickler(call, ctx)
                or _compares_digest(call, ctx)
            ):
                return
            fix = None
            if calls.keyword(call, keyword) is not None:
                fix = Fix(
                    f"Set `{keyword}={not bad}`",
                    (ctx.set_keyword(call, keyword, str(not bad)),),
                    Grade.UNSAFE,
                )
            yield ctx.finding(call, f"`{keyword}={bad}`: {message}", fix=fix)
            return


def _has_own_unpickler(call: ast.Call, ctx: Context) -> bool:
    """Whether the project says itself which classes the file may name."""
    module = calls.keyword(call, "pickle_module")
    return module is not None and calls.qualified(ctx, module.value) not in _PICKLES


def _compares_digest(call: ast.Call, ctx: Context) -> bool:
    """Whether the function around compares the file's digest with one that is trusted."""
    function = ctx.function(call)
    return function is not None and any(
        ctx.name(other.func) in {"hmac.compare_digest", "secrets.compare_digest"}
        for other in ctx.nodes(ast.Call, within=function)
    )


def _came_along(path: ast.expr, ctx: Context) -> bool:
    """Whether a path is made of the place of the code and of constants: that file came with the code that loads it."""
    found = False
    pending = [path]
    for _ in range(_MOST):
        if not pending:
            break
        made = ctx.origin(pending.pop())
        for name in [node for node in ast.walk(made) if isinstance(node, ast.Name)]:
            found = found or name.id == "__file__"
            if name.id == "__file__" or (ctx.name(name) or name.id) in _AROUND:
                continue
            if name is made or ctx.origin(name) is name:
                return False
            pending.append(name)
    return found and not pending
