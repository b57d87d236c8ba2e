"""What a docstring promises of results and exceptions, compared with the function's own statements. It follows no call."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Final

from charter.analysis.bodies import FUNCTIONS
from charter.analysis.places import Packed, pack
from charter.api import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from charter.analysis.bodies import FunctionNode
    from charter.analysis.docstrings import Docstring
    from charter.model.names import Names
    from charter.syntax.source import Source

    Problem = tuple[str, str, str, Packed, str, tuple[str, ...]]

_UNDOCUMENTED: Final = frozenset(
    {"NotImplementedError", "AssertionError", "StopIteration", "SystemExit", "TypeError"}
)
"""What a docstring need not speak of: it says that something is not done yet, or a mistake of the function's own."""
_NOTHING: Final = (
    "none",
    "nothing",
    "n/a",
    "-",
    "no return",
    "self",
    "``none``",
    "`none`",
    ":class:`none`",
    "l{none}",
    "c{none}",
)


def broken(
    node: FunctionNode,
    doc: Docstring,
    start: int,
    ends: Sequence[ast.AST],
    raised: Sequence[ast.AST],
    source: Source,
    names: Names,
) -> Iterator[Problem]:
    """The promises of a docstring that the function does not keep.

    Args:
        node: the function.
        doc: its docstring.
        start: the offset of the docstring's text in the file.
        ends: the function's own `return` and `yield`.
        raised: its own `raise` statements.
        source: the file.
        names: its names.
    """
    if doc.returns is not None and _gives_nothing(node, ends):
        entry = doc.returns
        said = source.text[start + entry.start : start + entry.end].lower().lstrip(":@*` ")
        said = said.removeprefix("returns:").removeprefix("return:").removeprefix("rtype:").strip()
        if said and not said.startswith(_NOTHING):
            place = pack(source, Span(start + entry.start, start + entry.end))
            yield (node.name, "returns", "", place, "", ())
    if doc.raises:
        documented = [entry.name for entry in doc.raises]
        for statement in raised:
            name = _raised(statement)
            if not name or _is_documented(name, documented) or _is_caught(statement, node, source):
                continue
            if names.is_bound(name.partition(".")[0], statement):
                yield (node.name, "undocumented-raise", name, pack(source, statement), "", tuple(documented))
                return


def _gives_nothing(node: FunctionNode, ends: Sequence[ast.AST]) -> bool:
    """Whether a function that has a body of its own returns no value on any path."""
    if node.decorator_list or any(
        not isinstance(item, ast.Return) or item.value is not None for item in ends
    ):
        return False
    body = node.body[1:]
    return (
        bool(body)
        and not all(
            isinstance(item, (ast.Pass, ast.Raise))
            or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
            for item in body
        )
        and not isinstance(body[-1], ast.Raise)
    )


def _raised(statement: ast.AST) -> str:
    """The class that a statement raises, as it is written; "" for a variable or what is raised again."""
    error = statement.exc if isinstance(statement, ast.Raise) else None
    target = error.func if isinstance(error, ast.Call) else error
    name = ast.unparse(target) if isinstance(target, (ast.Name, ast.Attribute)) else ""
    last = name.rpartition(".")[2]
    is_class = last[:1].isupper() and last not in _UNDOCUMENTED and not name.startswith(("self.", "cls."))
    return name if is_class else ""


def _is_documented(name: str, documented: Sequence[str]) -> bool:
    """Whether a docstring names an exception, or a built-in one that it derives from."""
    last = name.rpartition(".")[2]
    error = getattr(builtins, last, None)
    for item in documented:
        said = item.rpartition(".")[2]
        if said == last or said in {"Exception", "BaseException"}:
            return True
        base = getattr(builtins, said, None)
        if isinstance(error, type) and isinstance(base, type) and issubclass(error, base):
            return True
        if error is None:
            return True  # an exception of the project may derive from what is named
    return False


def _is_caught(statement: ast.AST, node: FunctionNode, source: Source) -> bool:
    """Whether the function itself may catch what it raises."""
    child, parent = statement, source.parent(statement)
    while parent is not None and parent is not node:
        if isinstance(parent, ast.Try) and child in parent.body and parent.handlers:
            return True
        if isinstance(parent, (*FUNCTIONS, ast.Lambda, ast.With, ast.AsyncWith)):
            return True
        if isinstance(parent, ast.If) and _is_guard(parent.test):
            return True
        child, parent = parent, source.parent(parent)
    return False


def _is_guard(test: ast.expr) -> bool:
    """Whether a condition looks for a mistake of the caller's that no docstring would list: a wrong type."""
    return any(
        isinstance(item, ast.Call) and getattr(item.func, "id", "") in {"isinstance", "issubclass"}
        for item in ast.walk(test)
    )
