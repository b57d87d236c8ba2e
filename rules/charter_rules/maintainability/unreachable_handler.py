"""Finds handlers that an earlier handler of the same `try` makes unreachable."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from charter.api import Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    ast.Try,
    ast.TryStar,
    code="MNT051",
    principles=("robust-comparisons", "deliberate-errors"),
    severity=Severity.MEDIUM,
    when=lambda statement: len(statement.handlers) > 1,
    aliases=("B025", "B014", "E0701"),
    cwe=(561,),
)
def unreachable_handler(statement: ast.Try | ast.TryStar, ctx: Context) -> Iterator[Finding]:
    """A handler can never run, because an earlier one catches the same exceptions.

    Handlers are asked in order, and the first that fits is taken. One for `OSError` behind one for `Exception` is
    dead: what it was written for, a retry or a better message, does not happen. Ruff's B025 finds handlers for the
    same name; this rule knows which built-in exception derives from which, and the project's own classes in the file.

    ```python bad
    def load(path):
        try:
            return path.read_text()
        except Exception:
            return ""
        except FileNotFoundError:
    #          ^^^^^^^^^^^^^^^^^ `FileNotFoundError` never gets here: `except Exception` above catches it
            return None
    ```
    ```python good
    def load(path):
        try:
            return path.read_text()
        except FileNotFoundError:
            return None
        except Exception:
            return ""
    ```
    """
    caught: list[tuple[str, str]] = []
    for handler in statement.handlers:
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for item in types:
            if item is None:
                continue
            name = ctx.name(item) or ""
            above = _ancestors(name, ctx)
            earlier = next((text for other, text in caught if other in above), None)
            if earlier is not None:
                yield ctx.finding(
                    item, f"`{ctx.source(item)}` never gets here: `except {earlier}` above catches it"
                )
        caught.extend((ctx.name(item) or "", ctx.source(item)) for item in types if item is not None)


def _ancestors(name: str, ctx: Context) -> set[str]:
    """The qualified names of an exception class and of all its bases, as far as they are known."""
    found: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if not current or current in found:
            continue
        found.add(current)
        if current.startswith("builtins."):
            kind = getattr(builtins, current.removeprefix("builtins."), None)
            if isinstance(kind, type):
                found.update(f"builtins.{base.__name__}" for base in kind.__mro__)
            continue
        for class_ in ctx.nodes(ast.ClassDef):
            if ctx.name(class_) == current:
                todo.extend(ctx.name(base) or "" for base in class_.bases)
    return found - {"builtins.object"}
