"""What the project itself has deprecated, and where it still uses it.

Deprecated is what a decorator called `deprecated` says so of (PEP 702 and its forerunners), and what warns of its
deprecation, by its own name, whenever it is called. Calls are followed by qualified name: through imports,
re-exports, the module itself and `self`; what is called through an object of unknown class is not seen. Tests, which
must go on using what is deprecated, the bodies of what is deprecated itself, and functions that speak of a deprecation
are left out.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.analysis import Solution, paths
from charter.analysis.bodies import FUNCTIONS
from charter.analysis.calls import named_calls
from charter.analysis.places import Packed, name_places, pack, unpack
from charter.analysis.solver import KeptSolver
from charter.api import regex
from charter.api.facts.deprecation import DeprecatedUse
from charter.model.names import decorator_name, keyword

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Fact
    from charter.model.names import Names
    from charter.syntax.source import Source

VERSION = 2

_CATEGORY: Final = regex(r"DeprecationWarning$|^RemovedIn")
_SPACE: Final = regex(r"\s+")
_FIRST: Final = 6
"""A warning that is meant for every caller stands among the first statements of the body."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Extract = tuple[dict[str, tuple[Packed, str]], dict[str, Packed], dict[str, str]]
"""What is deprecated, by qualified name, with place and reason; names used, with the first place; re-exports."""


def extract(source: Source, names: Names) -> Extract | None:
    """What a file deprecates, and which names that may be of this project it uses."""
    speaks = _speaks(source.text)
    nodes = dict(_deprecated(source, names)) if speaks else {}
    deprecated = {
        names.definition(node): (name_places(source)[node], reason) for node, reason in nodes.items()
    }
    uses: dict[str, Packed] = {}
    if not paths.is_test(source.path):
        for target, node in _uses(source, names, nodes):
            if target not in uses and not (speaks and _is_within(node, nodes, source)):
                uses[target] = pack(source, node)
    exports = _exports(source, names) if source.path.endswith("__init__.py") else {}
    return (deprecated, uses, exports) if deprecated or uses or exports else None


def _speaks(text: str) -> bool:
    """Whether a text speaks of a deprecation at all."""
    return "eprecat" in text or "RemovedIn" in text


def _deprecated(source: Source, names: Names) -> Iterator[tuple[Definition, str]]:
    for kind in (*FUNCTIONS, ast.ClassDef):
        for node in source.nodes(kind):
            if not isinstance(source.parent(node), (ast.Module, ast.ClassDef)):
                continue  # the wrapper that a decorator makes
            if node.name[0] == "_" or any(decorator_name(item) == "overload" for item in node.decorator_list):
                continue  # a helper of what is deprecated, or one way to call it among others
            decorator = next(
                (item for item in node.decorator_list if decorator_name(item) == "deprecated"), None
            )
            if decorator is not None:
                yield node, _reason(decorator)
            elif isinstance(node, ast.ClassDef):
                yield from _by_its_init(node, names, source)
            elif node.name != "__init__":
                warning = _warning(node, names)
                if warning is not None and _speaks_of(warning, node.name, source):
                    yield node, _reason(warning)


def _by_its_init(class_: ast.ClassDef, names: Names, source: Source) -> Iterator[tuple[Definition, str]]:
    for item in class_.body:
        if type(item) is ast.FunctionDef and item.name == "__init__":
            warning = _warning(item, names)
            if warning is not None and _speaks_of(warning, class_.name, source):
                yield class_, _reason(warning)


def _speaks_of(warning: ast.Call, name: str, source: Source) -> bool:
    """Whether a warning is about what gives it, and not about something that it was asked to look at."""
    if re.search(rf"\b{re.escape(name)}\b", source.segment(warning)):
        return True
    return bool(_reason(warning)) and not re.search("warn|deprecat", name, re.IGNORECASE)


def _warning(function: ast.FunctionDef | ast.AsyncFunctionDef, names: Names) -> ast.Call | None:
    """The call that warns every caller; None where there is none, or it depends on something."""
    for statement in function.body[:_FIRST]:
        if type(statement) is ast.Return or type(statement) is ast.Raise:
            return None
        call = statement.value if type(statement) is ast.Expr else None
        if type(call) is ast.Call and names.qualified(call.func) == "warnings.warn":
            category = call.args[1] if len(call.args) > 1 else keyword(call, "category")
            if category is None and call.args and type(call.args[0]) is ast.Call:
                category = call.args[0].func  # `warn(DeprecationWarning("…"))`
            if category is not None and _CATEGORY.search(decorator_name(category)):
                return call
    return None


def _reason(source: ast.expr) -> str:
    """The literal text that a decorator or warning gives; "" if it is computed."""
    if not isinstance(source, ast.Call):
        return ""
    texts = [
        *source.args,
        *(keyword.value for keyword in source.keywords if keyword.arg in {"reason", "message"}),
    ]
    for text in texts:
        inner = text.args[0] if isinstance(text, ast.Call) and text.args else text
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and " " in inner.value:
            return _SPACE.sub(" ", inner.value).strip().rstrip(".")
    return ""


def _uses(source: Source, names: Names, deprecated: dict[Definition, str]) -> Iterator[tuple[str, ast.expr]]:
    """The names of other modules that a file calls, and those of its own that it deprecates."""
    named = named_calls(source, names)
    imported = named.imported
    own = {node.name for node in deprecated}
    if not imported and not own:
        return
    for call, target in (named.all if own else named.own).items():
        called = call.func
        if type(called) is ast.Name:
            wanted = called.id in imported or called.id in own
        elif type(called) is ast.Attribute and type(called.value) is ast.Name:
            owner = called.value.id
            wanted = owner in imported or (owner in {"self", "cls"} and called.attr in own)
        else:
            continue
        if wanted:
            yield target, called


def _is_within(node: ast.AST, deprecated: dict[Definition, str], source: Source) -> bool:
    """Whether a use belongs to the deprecation: its body, the way back to it, or a class that goes as a whole."""
    parent = source.parent(node)
    while parent is not None:
        if parent in deprecated:
            return True
        if type(parent) is ast.FunctionDef or type(parent) is ast.AsyncFunctionDef:
            if _speaks(source.segment(parent)):
                return True
        elif (
            deprecated
            and type(parent) is ast.ClassDef
            and any(
                item in deprecated and re.search(rf"\b{re.escape(parent.name)}\b", deprecated[item])
                for item in parent.body
                if (type(item) is ast.FunctionDef or type(item) is ast.AsyncFunctionDef)
            )
        ):
            return True
        parent = source.parent(parent)
    return False


def _exports(source: Source, names: Names) -> dict[str, str]:
    return {
        f"{source.module}.{name}": bindings[0].target
        for name, bindings in names.table(source.tree).items()
        if bindings[0].target
    }


class Solver(KeptSolver[Extract]):
    """Brings uses and deprecations together."""

    def solution(self) -> Solution:
        """The first use of each deprecated name in each file."""
        deprecated: dict[str, tuple[str, Packed, str]] = {}
        exports: dict[str, str] = {}
        for path, (found, _, offered) in self.files.items():
            exports.update(offered)
            deprecated.update({name: (path, place, reason) for name, (place, reason) in found.items()})
        facts: dict[str, list[Fact]] = {}
        counts: dict[str, dict[tuple[type[Fact], str], int]] = {}
        for path, (_, uses, _) in self.files.items():
            if uses:
                counts[path] = {(DeprecatedUse, ""): len(uses)}
            for used, place in uses.items() if deprecated else ():
                name = _resolved(used, exports)
                if name in deprecated:
                    where, at, reason = deprecated[name]
                    facts.setdefault(path, []).append(
                        DeprecatedUse(unpack(path, place), name, reason, unpack(where, at))
                    )
        return Solution(facts, counts)


def _resolved(name: str, exports: dict[str, str]) -> str:
    """The defining name of what packages may offer under other names."""
    for _ in range(8):
        target = exports.get(name)
        if target is None or target == name:
            break
        name = target
    return name
