"""Renew the two descriptions of GitHub's interfaces in this folder from GitHub's own npm packages.

    npm pack @octokit/openapi @octokit/graphql-schema   # in a scratch folder, then unpack both
    python refresh.py OPENAPI_PACKAGE_FOLDER GRAPHQL_PACKAGE_FOLDER

Both are cut down mechanically to what is used (paths, and types with all their scalar fields) and otherwise untouched.
"""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLScalarType,
    build_schema,
    get_named_type,
    print_type,
)

HERE = Path(__file__).parent
PATHS = {
    "/repos/{owner}/{repo}/pulls": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": ["post"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/comments": ["post"],
    "/repos/{owner}/{repo}/pulls/comments/{comment_id}": ["patch"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["post"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch"],
}
FIELDS = {
    "Query": {"repository", "viewer"},
    "Mutation": {"resolveReviewThread", "unresolveReviewThread"},
    "Repository": {"pullRequest"},
    "PullRequest": {"comments", "reviewThreads", "headRefOid"},
    "PullRequestReviewThread": {"comments", "resolvedBy"},
    "PullRequestReviewThreadConnection": {"nodes", "pageInfo"},
    "PullRequestReviewCommentConnection": {"nodes", "pageInfo"},
    "PullRequestReviewComment": set[str](),
    "IssueCommentConnection": {"nodes", "pageInfo"},
    "IssueComment": set[str](),
    "PageInfo": set[str](),
    "User": set[str](),
    "ResolveReviewThreadPayload": {"thread"},
    "UnresolveReviewThreadPayload": {"thread"},
}


def prune_openapi(document: dict[str, Any]) -> dict[str, Any]:
    """The paths that are used with all that they refer to, without prose and examples."""
    paths = {path: {verb: document["paths"][path][verb] for verb in verbs} for path, verbs in PATHS.items()}
    components: dict[str, Any] = {}
    pending: list[Any] = [paths]
    while pending:
        for reference in _references(pending.pop()):
            _, _, kind, name = reference.split("/")
            if name not in components.setdefault(kind, {}):
                components[kind][name] = document["components"][kind][name]
                pending.append(components[kind][name])
    info = {
        "title": document["info"]["title"],
        "version": document["info"]["version"],
        "license": document["info"]["license"],
    }
    return {
        "openapi": document["openapi"],
        "info": info,
        "paths": _bare(paths),
        "components": _bare(components),
    }


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [
            found for key, part in value.items() if key != "examples" for found in _references(part)
        ]
    return [found for part in value for found in _references(part)] if isinstance(value, list) else []


def _bare(value: Any, *, names: bool = False) -> Any:
    if isinstance(value, dict):
        dropped = (
            () if names else ("description", "example", "examples", "x-github", "externalDocs", "summary")
        )
        kept = {key: part for key, part in value.items() if key not in dropped}
        return {
            key: _bare(part, names=key in ("properties", "responses", "schemas"))
            for key, part in kept.items()
        }
    return [_bare(part) for part in value] if isinstance(value, list) else value


def prune_graphql(text: str) -> str:
    """The types that are used: their scalar and enumerated fields, and the named fields between them."""
    schema = build_schema(text, assume_valid_sdl=True)  # the published file repeats two fields
    kept: dict[str, Any] = {}
    for name, wanted in FIELDS.items():
        kind: Any = schema.type_map[name]
        kind.fields = {
            key: field
            for key, field in kind.fields.items()
            if key in wanted or (name not in ("Query", "Mutation") and _is_plain(get_named_type(field.type)))
        }
        kind.interfaces = ()
        kept[name] = kind
        for field in kind.fields.values():
            for used in (get_named_type(field.type), *(get_named_type(a.type) for a in field.args.values())):
                _keep(kept, used)
    return "\n\n".join(print_type(kept[name]) for name in sorted(kept)) + "\n"


def _is_plain(kind: Any) -> bool:
    return isinstance(kind, GraphQLScalarType | GraphQLEnumType)


def _keep(kept: dict[str, Any], kind: Any) -> None:
    if kind.name in kept or kind.name in ("String", "Int", "Float", "Boolean", "ID") or kind.name in FIELDS:
        return
    kept[kind.name] = kind
    if isinstance(kind, GraphQLInputObjectType):
        for field in kind.fields.values():
            _keep(kept, get_named_type(field.type))


def main() -> None:
    """Write both files anew, with the licences beside them."""
    openapi, graphql = (Path(argument) for argument in sys.argv[1:3])
    document = json.loads((openapi / "generated" / "api.github.com.json").read_text())
    (HERE / "github.openapi.json").write_text(json.dumps(prune_openapi(document), indent=1) + "\n")
    (HERE / "github.graphql").write_text(prune_graphql((graphql / "schema.graphql").read_text()))
    versions = [json.loads((folder / "package.json").read_text())["version"] for folder in (openapi, graphql)]
    notice = (
        "`github.openapi.json` and `github.graphql` are excerpts, made by `refresh.py`, of GitHub's descriptions of its\n"
        f"interfaces as published in the npm packages @octokit/openapi {versions[0]} and @octokit/graphql-schema\n"
        f"{versions[1]}. Their licences follow.\n"
    )
    licences = [(openapi / "LICENSE").read_text(), (graphql / "LICENSE.md").read_text()]
    (HERE / "NOTICE").write_text("\n----\n\n".join([notice, *licences]))


if __name__ == "__main__":
    main()
