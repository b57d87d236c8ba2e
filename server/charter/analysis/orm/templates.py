"""Django and Jinja templates: loops, `with`, includes, inheritance and what each printed path reads."""

from __future__ import annotations

import ast
import re
from collections import deque
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from charter.analysis.orm import rows, tags
from charter.analysis.orm.arguments import Arguments
from charter.analysis.orm.values import (
    UNKNOWN,
    Const,
    Container,
    Dictionary,
    Function,
    Instance,
    Manager,
    Method,
    Query,
    Row,
    Unknown,
    Value,
)
from charter.analysis.orm.world import Site, TextFile
from charter.api import Span, regex

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine


class Files(Protocol):
    """Where templates come from."""

    def find(self, name: str) -> tuple[str, str] | None:
        """The path and text of a template by the name under which code asks for it."""
        ...


_TOKEN = regex(r"\{%-?\s*(.*?)\s*-?%\}|\{\{-?\s*(.*?)\s*-?\}\}|\{#.*?#\}", re.DOTALL)
_PATH = regex(r"(?<![\w.\"'])([A-Za-z_]\w*(?:\(\))?(?:\.\w+(?:\(\))?)*)")
_CALL = regex(r"(\w+)\((.*)\)", re.DOTALL)
_DEEPEST = 12
_STRING = regex(r"\"[^\"]*\"|'[^']*'")
_WORDS = frozenset(
    {
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "None",
        "True",
        "False",
        "none",
        "true",
        "false",
        "as",
        "by",
    }
)
_ENDS = {
    "for": ("empty", "else", "endfor"),
    "if": ("elif", "else", "endif"),
    "with": ("endwith",),
    "block": ("endblock",),
    "ifchanged": ("else", "endifchanged"),
    "macro": ("endmacro",),
    "blocktrans": ("endblocktrans", "plural"),
    "blocktranslate": ("endblocktranslate", "plural"),
    "call": ("endcall",),
    "cache": ("endcache",),
    "comment": ("endcomment",),
}


class Node(Struct):
    """A tag or an output of a template with what it encloses."""

    kind: str
    text: str
    span: Span
    body: list[Node] = field(default_factory=list["Node"])
    other: list[Node] = field(default_factory=list["Node"])


class Template(TextFile):
    """A parsed template."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(path, text)
        self.nodes: list[Node] = _parse(text)
        self.marker: ast.AST = ast.Pass()

    def extends(self) -> str:
        """The name of the template it extends; "" for none."""
        for node in self.nodes:
            if node.kind == "extends":
                return _literal(node.text)
        return ""


def _parse(text: str) -> list[Node]:
    root: list[Node] = []
    stack: list[tuple[Node, list[Node]]] = []
    current = root
    for match in _TOKEN.finditer(text):
        span = Span(match.start(), match.end())
        if match.group(2) is not None:
            current.append(Node("out", match.group(2), span))
            continue
        if match.group(1) is None:
            continue
        word, _, rest = match.group(1).partition(" ")
        rest = rest.strip()
        if stack and word in _ENDS.get(stack[-1][0].kind, ()):
            node, outer = stack[-1]
            if word.startswith("end"):
                stack.pop()
                current = outer
            elif word == "elif":
                inner = Node("out", rest, span)
                node.other.append(inner)
                current = node.other
            else:
                current = node.other
            continue
        node = Node(word, rest, span)
        current.append(node)
        if word in _ENDS:
            stack.append((node, current))
            current = node.body
    return root


def _literal(text: str) -> str:
    match = _STRING.match(text.strip())
    return match.group(0)[1:-1] if match else ""


class Templates:
    """Loads templates by name and keeps them parsed.

    Args:
        files: where they come from; None for a project without templates.
    """

    def __init__(self, files: Files | None) -> None:
        self._files: Files | None = files
        self._parsed: dict[str, Template | None] = {}
        self._library: tags.Library | None = None

    def library(self, run: Machine) -> tags.Library:
        """The filters and tags that the project registers."""
        if self._library is None:
            self._library = tags.library(run)
        return self._library

    def get(self, run: Machine, name: str) -> Template | None:
        """A template by the name under which code asks for it."""
        if name not in self._parsed:
            found = self._files.find(name) if self._files else None
            self._parsed[name] = Template(*found) if found else None
        template = self._parsed[name]
        if template is not None:
            run.world.touched.add(template.path)
        return template

    def refresh(self) -> set[str]:
        """Drop the templates whose text changed, and what is known of tags; gives the paths of the templates."""
        self._library = None
        changed: set[str] = set()
        for name, template in list(self._parsed.items()):
            found = self._files.find(name) if self._files else None
            if template is not None and (found is None or found[1] != template.text):
                changed.add(template.path)
                del self._parsed[name]
        return changed

    def render(self, run: Machine, name: str, context: dict[str, Value], site: Site) -> None:
        """Run a template with a context."""
        template = self.get(run, name)
        if (
            template is None
            or len(run.calls) > _DEEPEST
            or sum(1 for _, n in run.calls if n is template.marker) > 1
        ):
            return
        run.calls.append((site, template.marker))
        try:
            scope = Scope(self, template, dict(context))
            parent = template.extends()
            seen = {name}
            while parent and parent not in seen:
                seen.add(parent)
                scope.collect_blocks(template)
                above = self.get(run, parent)
                if above is None:
                    break
                template = above
                parent = template.extends()
            scope.nodes(run, template, template.nodes if not template.extends() else [])
            if template.extends():
                scope.collect_blocks(template)
                for owner, block in list(scope.blocks.values()):
                    scope.nodes(run, owner, block.body)
        finally:
            run.calls.pop()


class Scope:
    """The names and blocks of one rendering."""

    def __init__(self, templates: Templates, template: Template, names: dict[str, Value]) -> None:
        self.templates: Templates = templates
        self.template: Template = template
        self.names: dict[str, Value] = names
        self.blocks: dict[str, tuple[Template, Node]] = {}

    def collect_blocks(self, template: Template) -> None:
        """Remember the blocks of a template that extends another; the most derived wins."""
        pending = deque(template.nodes)
        while pending:
            node = pending.popleft()
            if node.kind == "block":
                self.blocks.setdefault(node.text.split(" ")[0], (template, node))
            pending.extend([*node.body, *node.other])

    def nodes(self, run: Machine, file: Template, nodes: list[Node]) -> None:
        """Run nodes in order."""
        for node in nodes:
            self.node(run, file, node)

    def node(self, run: Machine, file: Template, node: Node) -> None:
        """Run one node."""
        run.steps += 1
        site = Site(file, None, node.span)
        match node.kind:
            case "out":
                self._output(run, node.text, site)
            case "for":
                self._for(run, file, node, site)
            case "with":
                self._with(run, file, node, site)
            case "if":
                self._condition(run, node.text, site)
                self.nodes(run, file, node.body)
                self.nodes(run, file, node.other)
            case "include":
                self._include(run, node.text, site)
            case "block":
                owner, block = self.blocks.get(node.text.split(" ")[0], (file, node))
                self.nodes(run, owner, block.body)
            case "set":
                name, _, expression = node.text.partition("=")
                if expression and name.strip().isidentifier():
                    self.names[name.strip()] = self.value(run, expression, site)
            case "regroup":
                self._regroup(run, node.text, site)
            case "macro" | "comment" | "extends" | "load" | "from" | "import":
                pass
            case _ if (tag := self.templates.library(run).tags.get(node.kind)) is not None:
                self._custom(run, tag, node.text, site)
            case _:
                self.nodes(run, file, node.body)
                self.nodes(run, file, node.other)
                if node.kind not in {
                    "url",
                    "trans",
                    "translate",
                    "csrf_token",
                    "static",
                    "ifchanged",
                    "cycle",
                }:
                    for path in _paths(node.text):
                        self.path(run, path, site)

    def _custom(self, run: Machine, tag: tags.Tag, text: str, site: Site) -> None:
        """A tag of the project: its function is called, and what it gives is printed, named or rendered."""
        positional: list[Value] = []
        keywords: dict[str, Value] = {}
        words = tags.words(text)
        name = words[-1] if len(words) > 1 and words[-2] == "as" else ""
        for word in words[:-2] if name else words:
            key, equals, expression = word.partition("=")
            if equals and key.isidentifier():
                keywords[key] = self.value(run, expression, site)
            else:
                positional.append(self.value(run, word, site))
        if tag.takes_context:
            positional.insert(0, Dictionary({**self.names}))
        found = run.invoke(tag.function, positional, keywords, site)
        if tag.template:
            entries = found.entries if isinstance(found, Dictionary) else {}
            self.templates.render(run, tag.template, {str(k): v for k, v in entries.items()}, site)
        elif name:
            self.names[name] = found

    def _macro(self, run: Machine, text: str, site: Site) -> bool:
        """`{{ row(order) }}` of Jinja: runs the macro's body; False if it calls none."""
        match = _CALL.fullmatch(text.strip())
        found = self.macro(run, match.group(1)) if match else None
        if match is None or found is None or len(run.calls) > _DEEPEST:
            return False
        owner, node = found
        parameters = [p.partition("=")[0].strip() for p in node.text.partition("(")[2].rstrip(")").split(",")]
        scope = Scope(self.templates, owner, {})
        for position, argument in enumerate(tags.arguments(match.group(2))):
            key, equals, expression = argument.partition("=")
            if equals and key.strip() in parameters:
                scope.names[key.strip()] = self.value(run, expression, site)
            elif position < len(parameters):
                scope.names[parameters[position]] = self.value(run, argument, site)
        run.calls.append((site, owner.marker))
        scope.nodes(run, owner, node.body)
        run.calls.pop()
        return True

    def macro(self, run: Machine, name: str) -> tuple[Template, Node] | None:
        """The macro of a name, of this template or of one that it imports from."""
        for node in self.template.nodes:
            if node.kind == "macro" and node.text.partition("(")[0].strip() == name:
                return self.template, node
            if node.kind == "from" and re.search(rf"\bimport\b.*\b{re.escape(name)}\b", node.text):
                other = self.templates.get(run, _literal(node.text))
                if other is not None and other is not self.template:
                    return Scope(self.templates, other, {}).macro(run, name)
        return None

    def _output(self, run: Machine, text: str, site: Site) -> None:
        if self._macro(run, text, site):
            return
        value = self.value(run, text, site)
        filters = text.split("|")[1:]
        if isinstance(value, (Row, Instance)) and not any(
            f.strip().startswith(("length", "default_if")) for f in filters
        ):
            run.stringify(value, site)
        elif isinstance(value, Query):
            run.iterate(value, site)

    def _for(self, run: Machine, file: Template, node: Node, site: Site) -> None:
        head, _, tail = node.text.partition(" in ")
        tail = tail.removesuffix(" reversed").strip()
        targets = [t.strip() for t in head.replace("(", "").replace(")", "").split(",")]
        value = self.value(run, tail, site)
        element, bounded = run.iterate(value, site)
        bounded = bounded or isinstance(value, (Unknown, Const))
        before = dict(self.names)
        over = value if isinstance(value, Query) else None
        with run.loop(
            site, bounded=bounded, what=rows.describe(value), over=over, rows=isinstance(element, Row)
        ) as loop:
            varied = run.vary(element, loop)
            if len(targets) == 1:
                self.names[targets[0]] = varied
            else:
                items = varied.items if isinstance(varied, Container) else None
                for position, target in enumerate(targets):
                    self.names[target] = items[position] if items and position < len(items) else UNKNOWN
            self.names["forloop"] = UNKNOWN
            self.nodes(run, file, node.body)
        self.names = before
        self.nodes(run, file, node.other)

    def _with(self, run: Machine, file: Template, node: Node, site: Site) -> None:
        before = dict(self.names)
        self._assign(run, node.text, site)
        self.nodes(run, file, node.body)
        self.names = before

    def _assign(self, run: Machine, text: str, site: Site) -> None:
        if " as " in text and "=" not in text:
            expression, _, name = text.rpartition(" as ")
            self.names[name.strip()] = self.value(run, expression, site)
            return
        for match in re.finditer(r"(\w+)\s*=\s*(\"[^\"]*\"|'[^']*'|\S+)", text):
            self.names[match.group(1)] = self.value(run, match.group(2).rstrip(","), site)

    def _condition(self, run: Machine, text: str, site: Site) -> None:
        for path in _paths(text):
            rows.test(run, self.path(run, path, site), site)

    def _include(self, run: Machine, text: str, site: Site) -> None:
        name = _literal(text)
        if not name:
            return
        names = dict(self.names)
        _, found, rest = text.partition(" with ")
        inner = Scope(self.templates, self.template, names)
        if found:
            if re.search(r"\bonly\b", rest):
                before = set(names)
                inner._assign(run, rest.replace(" only", ""), site)
                kept = {m.group(1) for m in re.finditer(r"(\w+)\s*=", rest)}
                inner.names = {k: v for k, v in inner.names.items() if k in kept or k not in before}
            else:
                inner._assign(run, rest, site)
        self.templates.render(run, name, inner.names, site)

    def _regroup(self, run: Machine, text: str, site: Site) -> None:
        match = re.match(r"(\S+) by (\S+) as (\w+)", text)
        if match is None:
            return
        value = self.value(run, match.group(1), site)
        element, _ = run.iterate(value, site)
        with run.loop(site, bounded=False, what=rows.describe(value)) as loop:
            scope = Scope(self.templates, self.template, {"item": run.vary(element, loop)})
            grouper = scope.path(run, f"item.{match.group(2)}", site)
        group = Dictionary({"list": Container(element), "grouper": grouper})
        self.names[match.group(3)] = Container(group)

    # Expressions
    def value(self, run: Machine, text: str, site: Site) -> Value:
        """What an expression of a template is; filters that keep rows are passed through."""
        text = text.strip()
        if _STRING.fullmatch(text):
            return Const(text[1:-1])
        base, *filters = _split_filters(text)
        paths = _paths(base)
        result: Value = UNKNOWN
        for position, path in enumerate(paths):
            found = self.path(run, path, site)
            if position == 0:
                result = found
        for name in filters:
            result = self._filter(run, result, name, site)
        return result

    def _filter(self, run: Machine, value: Value, text: str, site: Site) -> Value:
        name = text.partition(":")[0].partition("(")[0].strip()
        if name in {"length", "count"}:
            if isinstance(value, Query):
                rows.evaluate_query(run, value, site)
            return UNKNOWN
        if name in {"first", "last", "random"}:
            return (
                rows.take(run, value, site, name) if isinstance(value, Query) else rows.element_of(run, value)
            )
        if name in {
            "list",
            "dictsort",
            "dictsortreversed",
            "slice",
            "sort",
            "reverse",
            "default",
            "default_if_none",
            "safe",
        }:
            return value
        if name == "join" and isinstance(value, Query):
            run.iterate(value, site)
            return UNKNOWN
        function = self.templates.library(run).filters.get(name)
        if function is not None:
            return run.invoke(function, [value], {}, site)
        return value if isinstance(value, (Query, Container)) and name in {"batch", "unique"} else UNKNOWN

    def path(self, run: Machine, text: str, site: Site) -> Value:
        """A dotted path, calling what can be called on the way, as both template languages do or allow."""
        parts = [p.removesuffix("()") for p in text.split(".")]
        value = self.names.get(parts[0])
        if value is None:
            return UNKNOWN
        value = self._called(run, value, site)
        for part in parts[1:]:
            value = self._called(run, self._part(run, value, part, site), site)
        return value

    def _part(self, run: Machine, value: Value, part: str, site: Site) -> Value:
        match value:
            case Dictionary(entries=entries):
                if part in entries:
                    return entries[part]
                if part in {"items", "values", "keys"}:
                    return Method(value, part)
                return value.element or UNKNOWN
            case Row():
                found = rows.read(run, value, part, site)
                return rows.method(run, value, part, site) if isinstance(found, Unknown) else found
            case Query() if part.isdigit():
                return rows.take(run, value, site, "[]")
            case Container() if part.isdigit() or part in {"first", "last"}:
                return rows.element_of(run, value)
            case Query() | Manager() | Instance():
                return run.attribute(value, part, site)
            case _:
                return UNKNOWN

    def _called(self, run: Machine, value: Value, site: Site) -> Value:
        if isinstance(value, Function):
            return run.invoke(value, [], {}, site)
        if isinstance(value, Method):
            if isinstance(value.receiver, Row):
                return UNKNOWN
            return run.call(value, Arguments.of(), site)
        return value


def _split_filters(text: str) -> list[str]:
    cleaned = _STRING.sub(lambda m: m.group(0).replace("|", "\0"), text)
    return [p.replace("\0", "|") for p in cleaned.split("|")]


def _paths(text: str) -> list[str]:
    bare = _STRING.sub(" ", text)
    return [m.group(1) for m in _PATH.finditer(bare) if m.group(1) not in _WORDS]
