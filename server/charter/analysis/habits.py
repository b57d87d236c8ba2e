"""How a file names, documents, reports and builds things: what `analysis.conventions` counts besides tests and imports."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from charter.analysis.bodies import FUNCTIONS
from charter.analysis.calls import calls_of
from charter.analysis.places import Packed, name_places, pack
from charter.api import Span, regex
from charter.model.names import imported_module, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.model.names import Names
    from charter.syntax.source import Source

    Use = tuple[str, str, Packed, str]

_SECTIONS: Final = (
    ("Sphinx", regex(r"^\s*:(param|returns?|raises|rtype)\b[^:\n]*:", re.MULTILINE)),
    ("NumPy", regex(r"^\s*(Parameters|Returns|Raises|Yields)\s*\n\s*-{3,}\s*$", re.MULTILINE)),
    ("Google", regex(r"^\s*(Args|Arguments|Returns|Raises|Yields):\s*$", re.MULTILINE)),
)
_SIGNS: Final = (
    ":param",
    ":return",
    ":raises",
    ":rtype",
    "---",
    "Args:",
    "Arguments:",
    "Returns:",
    "Raises:",
    "Yields:",
)
"""What a text with any such section holds; looking for these takes a tenth of the time."""
_SECTION_WORDS: Final = frozenset(
    {"param", "raises", "rtype", "Parameters", "Returns", "Raises", "Yields", "Args", "Arguments"}
)
"""Words of which such a section has one, but for Sphinx's `:return`."""
_SNAKE: Final = regex(r"_*[a-z0-9]+(_[a-z0-9]+)*_*")
_CAPS: Final = regex(r"_*[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_TYPE: Final = regex(r"_?[A-Z]+[a-z]\w*")
"""A name of a type, which an annotation in quotes may stand for."""
_FENCED: Final = regex(r"```.*?```", re.DOTALL)
"""A block of code in a docstring, which may show another one."""
_CAMEL: Final = regex(r"_*[A-Z]+[a-z0-9][A-Za-z0-9]*|_*[A-Z]{1,4}")
_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
_PROGRAM: Final = regex(
    r"(^|/)(cli|scripts?|commands?|bin|tools|examples?|docs?|__main__\.py|setup\.py|conftest\.py|manage\.py)(/|$)|cli[^/]*\.py$"
)
_RECORDS: Final = {
    "dataclasses.dataclass": "data classes",
    "attr.s": "attrs classes", "attr.attrs": "attrs classes", "attr.define": "attrs classes", "attrs.define": "attrs classes",
    "attrs.frozen": "attrs classes", "attr.frozen": "attrs classes",
    "pydantic.BaseModel": "pydantic models", "pydantic.dataclasses.dataclass": "pydantic models",
    "typing.NamedTuple": "named tuples", "msgspec.Struct": "msgspec structs",
}  # fmt: skip
_RECORD_NAMES: Final = frozenset(name.rpartition(".")[2] for name in _RECORDS)
_ASYNC: Final = {"asyncio": "`asyncio`", "anyio": "`anyio`", "trio": "`trio`", "curio": "`curio`"}


def uses(source: Source, names: Names) -> Iterator[Use]:
    """What a file does that conventions are about, each with the way, the place and no replacement."""
    stem = source.path.rpartition("/")[2].removesuffix(".py")
    if stem not in {"__init__", "__main__"} and stem:
        way = "in snake_case" if _SNAKE.fullmatch(stem) else "something else"
        yield ("module-names", way, pack(source, Span(0, 0)), "")
    yield from _classes(source, names)
    yield from _constants(source)
    yield from _docstrings(source)
    yield from _messages(source, names)
    yield from _imports(source)


def _classes(source: Source, names: Names) -> Iterator[Use]:
    for node in source.nodes(ast.ClassDef):
        place = name_places(source)[node]
        yield ("class-names", "in CapWords" if _CAMEL.fullmatch(node.name) else "something else", place, "")
        for head in (*node.bases, *node.decorator_list):
            maker = head.func if isinstance(head, ast.Call) else head
            if last_name(maker) in _RECORD_NAMES:
                name = names.qualified(maker)
                if name in _RECORDS:
                    yield ("records", _RECORDS[name], place, "")
                    break
        if node.name.endswith(("Error", "Exception")) and len(node.bases) == 1:
            base = names.qualified(node.bases[0])
            if base is not None:
                yield ("exception-base", f"{names.definition(node)}<{base}", place, "")


def _constants(source: Source) -> Iterator[Use]:
    for statement in source.tree.body:
        if (
            type(statement) is ast.Assign
            and len(statement.targets) == 1
            and type(statement.targets[0]) is ast.Name
            and type(statement.value) is ast.Constant
            and type(statement.value.value) in {int, float, str}
        ):
            target = statement.targets[0]
            if not target.id.startswith("__") and not _TYPE.fullmatch(target.id):
                way = "in capitals" if _CAPS.fullmatch(target.id) else "something else"
                yield ("constant-names", way, pack(source, target), "")


def _docstrings(source: Source) -> Iterator[Use]:
    if _SECTION_WORDS.isdisjoint(source.words) and ":return" not in source.text:
        return
    for kind in (*FUNCTIONS, ast.ClassDef):
        for node in source.nodes(kind):
            first = node.body[0]
            if type(first) is ast.Expr and type(first.value) is ast.Constant:
                text = first.value.value
                if isinstance(text, str) and "\n" in text and any(sign in text for sign in _SIGNS):
                    prose = _FENCED.sub("", text)
                    style = next((name for name, pattern in _SECTIONS if pattern.search(prose)), "")
                    if style:
                        yield ("docstring-style", style, name_places(source)[node], "")


def _messages(source: Source, names: Names) -> Iterator[Use]:
    if "__main__" in source.words or _PROGRAM.search(source.path):
        return  # a program prints
    for call, function in calls_of(source.reads.get("print", ()), source):
        if not call.keywords and names.qualified(function) == "builtins.print":
            yield ("messages", "`print`", pack(source, function), "")
    for level in _LEVELS:
        for _, function in calls_of(source.gets.get(level, ()), source):
            if isinstance(function.value, ast.Name) and "log" in function.value.id.lower():
                yield ("messages", "a logger", pack(source, function), "")


def _imports(source: Source) -> Iterator[Use]:
    package = source.module.partition(".")[0]
    asynchronous: set[str] = set()
    for statement in source.tree.body:
        if type(statement) is ast.Import:
            roots = [alias.name.partition(".")[0] for alias in statement.names]
        elif type(statement) is ast.ImportFrom:
            roots = [(statement.module or "").partition(".")[0]] if not statement.level else []
            module = imported_module(statement, source) or ""
            own = statement.level or module.partition(".")[0] == package
            name = statement.names[0].name
            if own and module and len(statement.names) == 1 and name != "*" and source.module:
                yield ("own-import-form", f"{module}.{name}", pack(source, statement), "")
        else:
            continue
        for root in roots:
            if root in _ASYNC and root not in asynchronous:
                asynchronous.add(root)
                yield ("async-library", _ASYNC[root], pack(source, statement), "")
