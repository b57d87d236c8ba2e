"""Lowers a file's syntax tree to the intermediate representation. It knows Python's syntax, no types, no libraries.

What a function calls is written down as a dotted text besides, as far as its code alone tells: `sqlite3.connect().cursor`
begins with a name of the module, `=os.path.join` with a module that the function imports, and `?.execute` with anything
else. A local name stands for what it was assigned last.
"""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import ast
import marshal
from array import array
from collections import defaultdict
from itertools import chain
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from charter.model import ir
from charter.model.scopes import Scope, bound_names, target_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.syntax.positions import Positions
    from charter.syntax.source import Source

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.MatMult: "@",
    ast.Invert: "~", ast.UAdd: "+", ast.USub: "-", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=",
    ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip

_PLAIN = (str, int, bytes, bool, float, type(None))
_LONGEST_TEXT = 20_000
_LONGEST_CALL = 120


def lower(source: Source) -> ir.Node:
    """Lower one file.

    Args:
        source: the file; what of it does not parse is left out.

    Returns:
        The file record that `ir` describes, made of what `marshal` can store.
    """
    return _Lowering(source.tree, source.text, source.positions).file()


def _wide_lines(text: str, starts: Sequence[int]) -> list[int]:
    """The lines, from 1, in which not all characters are ASCII."""
    return [
        line
        for line, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1)
        if not text[start:end].isascii()
    ]


class _Function:
    """A function record in the making.

    Attributes:
        base: the line from which its places count.
        places: the nodes of its code that have a position, in its order.
        header: likewise for headers inside of it.
        words: the attributes and global names that it mentions.
        stores: the attributes and global names that it assigns.
        calls: what it calls, as text.
        given: what local names were assigned last, as text.
        shift: where the positions of the code being lowered begin; `ir.HEADER` in headers.
    """

    __slots__ = (
        "base", "calls", "flags", "given", "header", "index", "name", "nested", "owner", "places", "scope", "shift", "stores", "words",
    )  # fmt: skip

    def __init__(self, index: int, name: str, base: int, scope: Scope, owner: int) -> None:
        self.index = index
        self.name = name
        self.base = base
        self.scope = scope
        self.owner = owner
        self.flags = 0
        self.shift = 0
        self.nested: dict[str, int] = {}
        self.places: list[Any] = []
        self.header: list[Any] = []
        self.words: dict[str, None] = {}
        self.stores: dict[str, None] = {}
        self.calls: list[str] = []
        self.given: dict[str, str] = {}


class _Lowering:
    """Lowers one tree."""

    def __init__(self, tree: ast.Module, text: str, positions: Positions) -> None:
        self.tree = tree
        self.positions = positions
        self.wide = frozenset(() if text.isascii() else _wide_lines(text, positions.starts))
        self.functions: list[ir.Node] = []
        self.classes: list[ir.Node] = []
        self.imports: dict[str, tuple[int, str, str]] = {}
        self.stars: list[tuple[int, str]] = []
        self.renamed: dict[str, str] = {}
        self.defined: dict[str, tuple[str, int]] = {}
        self.roots: set[str] = set()
        self.function = _Function(0, "", 1, Scope(set(), set(), None, is_class=False), -1)

    def file(self) -> ir.Node:
        self.functions.append(())
        body = marshal.dumps(self.block(self.tree.body), ir.BODY_FORMAT)
        self._record(self.function, 1, (), body, (), -1, None)
        starts = array("I", self.positions.starts)
        return (
            tuple(self.functions),
            tuple(self.classes),
            self.imports,
            tuple(self.stars),
            starts.tobytes(),
            self.defined,
            tuple(sorted(self.roots)),
            {name: text for name, text in self.function.given.items() if text.endswith(")")},
        )

    def _record(
        self,
        function: _Function,
        line: int,
        parameters: tuple[ir.Node, ...],
        body: bytes,
        decorators: tuple[ir.Node, ...],
        parent: int,
        returns: ir.Node | None,
    ) -> None:
        self.functions[function.index] = (
            function.name, line, parameters, body, decorators, tuple(function.scope.frees), parent, function.owner,
            returns, function.flags, function.nested, self._packed(function.places, function.base), tuple(function.words),
            tuple(function.stores), self._packed(function.header, function.base), tuple(function.calls),
        )  # fmt: skip

    # Places
    def at(self, node: Any) -> int:
        """A new position for a node's place."""
        function = self.function
        places = function.places
        places.append(node)
        return len(places) - 1 + function.shift

    def _packed(self, nodes: Sequence[Any], base: int) -> bytes:
        """The table of places of some nodes, from a line on."""
        if self.wide:
            wide = self.wide
            found = [
                self._wide_place(node, base)
                if node.lineno in wide or node.end_lineno in wide
                else (node.lineno - base, node.col_offset, node.end_lineno - base, node.end_col_offset)
                for node in nodes
            ]
        else:
            found = [
                (node.lineno - base, node.col_offset, node.end_lineno - base, node.end_col_offset)
                for node in nodes
            ]
        return ir.packed([*chain.from_iterable(found)])

    def _wide_place(self, node: Any, base: int) -> tuple[int, int, int, int]:
        """The place of a node where bytes are not characters."""
        positions, starts = self.positions, self.positions.starts
        line, last = node.lineno, node.end_lineno
        column = positions.offset(line, node.col_offset) - starts[line - 1]
        end = positions.offset(last, node.end_col_offset) - starts[last - 1]
        return (line - base, column, last - base, end)

    def _header(self, lower: Callable[[], Any]) -> Any:
        """Lower a part of the header of something inside: its positions are counted apart."""
        function = self.function
        if function.shift:
            return lower()
        function.places, function.header, function.shift = function.header, function.places, ir.HEADER
        try:
            return lower()
        finally:
            function.places, function.header, function.shift = function.header, function.places, 0

    # Expressions
    def expr(self, node: ast.AST) -> ir.Node:
        return _EXPRESSIONS[node.__class__](self, node)

    def opaque(self, node: ast.AST) -> ir.Node:
        inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return (ir.OPAQUE, self.at(node), tuple([self.expr(child) for child in inner]))

    def exprs(self, nodes: Sequence[ast.AST]) -> tuple[ir.Node, ...]:
        table = _EXPRESSIONS
        return tuple([table[node.__class__](self, node) for node in nodes])

    def optional(self, node: ast.AST | None) -> ir.Node | None:
        return None if node is None else self.expr(node)

    def constant(self, node: ast.Constant) -> ir.Node:
        value = node.value
        if not isinstance(value, _PLAIN) or (isinstance(value, str | bytes) and len(value) > _LONGEST_TEXT):
            return (ir.OPAQUE, 0, ())
        if isinstance(value, int) and abs(value) >> 64:
            return (ir.OPAQUE, 0, ())
        return (ir.CONST, 0, value)

    def name(self, node: ast.Name) -> ir.Node:
        function = self.function
        opcode, name = function.scope.resolve(node.id)
        if opcode == ir.GLOBAL:
            words = function.words
            words[name] = None
            if name in self.renamed:
                words[self.renamed[name]] = None
        places = function.places
        places.append(node)
        return (opcode, len(places) - 1 + function.shift, name)

    def placed(self, node: ast.expr) -> ir.Node:
        """An expression whose place matters even if it is a constant: an argument, a result."""
        lowered = _EXPRESSIONS[node.__class__](self, node)
        return (ir.CONST, self.at(node), lowered[2]) if lowered[0] == ir.CONST else lowered

    def target(self, node: ast.expr) -> ir.Node:
        """What an assignment binds."""
        if isinstance(node, ast.Name):
            lowered = self.name(node)
            if lowered[0] == ir.GLOBAL and self.function.index:
                self.function.stores["::" + lowered[2]] = None
            return lowered
        if isinstance(node, ast.Attribute):
            self.function.stores[node.attr] = None
        elif isinstance(node, ast.Tuple | ast.List):
            elements = tuple([self.target(one) for one in node.elts])
            return (ir.SEQUENCE, self.at(node), "tuple" if isinstance(node, ast.Tuple) else "list", elements)
        elif isinstance(node, ast.Starred):
            return (ir.STARRED, self.at(node), self.target(node.value))
        return self.expr(node)

    def attribute(self, node: ast.Attribute) -> ir.Node:
        function = self.function
        name = node.attr
        function.words[name] = None
        places = function.places
        places.append(node)
        position = len(places) - 1 + function.shift
        value = node.value
        return (ir.ATTR, position, _EXPRESSIONS[value.__class__](self, value), name)

    def subscript(self, node: ast.Subscript) -> ir.Node:
        return (ir.ITEM, self.at(node), self.expr(node.value), self.expr(node.slice))

    def slice(self, node: ast.Slice) -> ir.Node:
        bounds = (self.optional(node.lower), self.optional(node.upper), self.optional(node.step))
        return (ir.SLICE, self.at(node), *bounds)

    def call(self, node: ast.Call) -> ir.Node:
        function = node.func
        if isinstance(function, ast.Name) and function.id == "getattr":
            self._looked_up(node.args)
        self.function.calls.append(intern(self._text(function)))
        position = self.at(node)
        keywords = tuple([(keyword.arg, self.placed(keyword.value)) for keyword in node.keywords])
        arguments = tuple([self.placed(argument) for argument in node.args])
        return (ir.CALL, position, self.expr(function), arguments, keywords)

    def _text(self, node: ast.expr) -> str:
        """An expression as a dotted text."""
        if isinstance(node, ast.Attribute):
            owner = self._text(node.value)
            return f"?.{node.attr}" if owner[0] == "?" else f"{owner}.{node.attr}"
        if isinstance(node, ast.Name):
            opcode, name = self.function.scope.resolve(node.id)
            return name if opcode == ir.GLOBAL else self.function.given.get(name, "?")
        if isinstance(node, ast.Call):
            called = self._text(node.func)
            return "?" if called[0] == "?" or len(called) > _LONGEST_CALL else f"{called}()"
        return self._text(node.value) if isinstance(node, ast.Await) else "?"

    def _give(self, target: ast.expr | None, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.function.given[target.id] = self._text(value)

    def _looked_up(self, arguments: Sequence[ast.expr]) -> None:
        """`getattr(x, "name")` mentions the name."""
        for argument in arguments[1:2]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                self.function.words[argument.value] = None

    def binary(self, node: ast.BinOp) -> ir.Node:
        operator = _OPERATORS[type(node.op)]
        return (ir.BINARY, self.at(node), operator, self.expr(node.left), self.expr(node.right))

    def boolean(self, node: ast.BoolOp) -> ir.Node:
        word = "and" if isinstance(node.op, ast.And) else "or"
        return (ir.BOOLEAN, self.at(node), word, self.exprs(node.values))

    def unary(self, node: ast.UnaryOp) -> ir.Node:
        if isinstance(node.op, ast.Not):
            return (ir.NOT, self.at(node), self.expr(node.operand))
        return (ir.UNARY, self.at(node), _OPERATORS[type(node.op)], self.expr(node.operand))

    def compare(self, node: ast.Compare) -> ir.Node:
        operators = tuple([_OPERATORS[type(op)] for op in node.ops])
        return (ir.COMPARE, self.at(node), self.expr(node.left), operators, self.exprs(node.comparators))

    def choice(self, node: ast.IfExp) -> ir.Node:
        return (ir.CHOICE, self.at(node), self.expr(node.test), self.expr(node.body), self.expr(node.orelse))

    def joined(self, node: ast.JoinedStr) -> ir.Node:
        parts: list[Any] = []
        for value in node.values:
            if isinstance(value, ast.Constant):
                parts.append(value.value)
            elif isinstance(value, ast.FormattedValue):
                form = value.format_spec
                lowered = None if form is None else self.expr(form)
                parts.append((self.expr(value.value), value.conversion, lowered))
            else:
                parts.append((self.expr(value), -1, None))
        return (ir.FORMAT, self.at(node), tuple(parts))

    def sequence(self, node: ast.Tuple | ast.List | ast.Set) -> ir.Node:
        sort = "tuple" if isinstance(node, ast.Tuple) else "list" if isinstance(node, ast.List) else "set"
        return (ir.SEQUENCE, self.at(node), sort, self.exprs(node.elts))

    def mapping(self, node: ast.Dict) -> ir.Node:
        pairs = [
            (self.optional(key), self.expr(value)) for key, value in zip(node.keys, node.values, strict=True)
        ]
        return (ir.MAPPING, self.at(node), tuple(pairs))

    def awaited(self, node: ast.Await) -> ir.Node:
        return self.expr(node.value)

    def yielded(self, node: ast.Yield) -> ir.Node:
        self.function.flags |= ir.GENERATOR
        return (ir.YIELD, self.at(node), self.optional(node.value))

    def delegated(self, node: ast.YieldFrom) -> ir.Node:
        self.function.flags |= ir.GENERATOR
        return (ir.DELEGATE, self.at(node), self.expr(node.value))

    def walrus(self, node: ast.NamedExpr) -> ir.Node:
        value = self.expr(node.value)
        scope = self.function.scope
        if node.target.id not in scope.outer and self.function.index:
            scope.add(node.target.id)
        return (ir.WALRUS, 0, self.target(node.target), value)

    def starred(self, node: ast.Starred) -> ir.Node:
        return (ir.STARRED, self.at(node), self.expr(node.value))

    def comprehension(self, node: Any) -> ir.Node:
        scope = self.function.scope
        depth = len(scope.renamed)
        generators: list[ir.Node] = []
        for generator in node.generators:
            iterable = self.expr(generator.iter)
            names: set[str] = set()
            target_names(generator.target, names)
            scope.rename(names)
            generators.append((self.target(generator.target), iterable, self.exprs(generator.ifs)))
        if isinstance(node, ast.DictComp):
            sort, key, element = "dict", self.expr(node.key), self.expr(node.value)
        else:
            sort = {ast.ListComp: "list", ast.SetComp: "set"}.get(type(node), "iterator")
            key, element = None, self.expr(node.elt)
        scope.restore(depth)
        return (ir.COMPREHENSION, self.at(node), sort, key, element, tuple(generators))

    def lambda_(self, node: ast.Lambda) -> ir.Node:
        position = self.at(node)
        index = self._function(node, "<lambda>", [ast.Return(value=node.body)], ir.LAMBDA)
        return (ir.FUNCTION, position, index)

    # Functions and classes
    def _function(self, node: Any, name: str, body: Sequence[ast.stmt], flags: int) -> int:
        """Lower a function; its defaults and decorators belong to the function around it."""
        outer = self.function
        decorators = self._header(lambda: self.exprs(getattr(node, "decorator_list", ())))
        words, outer.words = outer.words, {}  # what its annotations mention, the function itself mentions
        defaults, returns = self._header(
            lambda: (self._defaults(node.args), self._annotation(getattr(node, "returns", None)))
        )
        words, outer.words = outer.words, words
        names, declared = bound_names(body)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments += [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
        names.update([argument.arg for argument in arguments])
        index = len(self.functions)
        self.functions.append(())
        qualified = f"{outer.name}.{name}" if outer.name else name
        scope = Scope(names, declared, outer.scope, is_class=False)
        owner = outer.owner if outer.scope.is_class else -1
        inner = self.function = _Function(index, qualified, node.lineno, scope, owner)
        inner.flags = flags
        inner.words = words
        words.update(dict.fromkeys([f"({argument.arg}" for argument in arguments]))
        parameters = self._parameters(node.args, defaults)
        lowered = self.block(body)
        if _ends(lowered):
            inner.flags |= ir.ENDS
        self.function = outer
        code = marshal.dumps(lowered, ir.BODY_FORMAT)
        self._record(inner, node.lineno, parameters, code, decorators, outer.index, returns)
        return index

    def _defaults(self, arguments: ast.arguments) -> dict[ast.arg, tuple[ir.Node | None, ir.Node | None]]:
        """Annotation and default of each parameter, in the terms of the function around."""
        positional = [*arguments.posonlyargs, *arguments.args]
        given: dict[ast.arg, ast.expr | None] = dict(
            zip(reversed(positional), reversed(arguments.defaults), strict=False)
        )
        given.update(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
        parameters = [*positional, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        return {
            one: (self._annotation(one.annotation), self.optional(given.get(one)))
            for one in parameters
            if one is not None and (one.annotation is not None or one in given)
        }

    def _parameters(
        self, arguments: ast.arguments, defaults: dict[ast.arg, tuple[ir.Node | None, ir.Node | None]]
    ) -> tuple[ir.Node, ...]:
        sorts = [(argument, ir.POSITIONAL) for argument in (*arguments.posonlyargs, *arguments.args)]
        if arguments.vararg:
            sorts.append((arguments.vararg, ir.VARIADIC))
        sorts += [(argument, ir.KEYWORD) for argument in arguments.kwonlyargs]
        if arguments.kwarg:
            sorts.append((arguments.kwarg, ir.KEYWORDS))
        return tuple(
            [
                (argument.arg, *defaults.get(argument, (None, None)), sort, self.at(argument))
                for argument, sort in sorts
            ]
        )

    def _annotation(self, node: ast.expr | None) -> ir.Node | None:
        """An annotation as an expression; one in quotes is read as what it says."""
        if node is None:
            return None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value.strip(), mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
            for child in ast.walk(inner):
                if isinstance(child, ast.expr):
                    ast.copy_location(child, node)
            node = inner
        return self.expr(node)

    def define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, out: list[ir.Node]) -> None:
        flags = ir.ASYNCHRONOUS if isinstance(node, ast.AsyncFunctionDef) else 0
        index = self._function(node, node.name, node.body, flags)
        self._defined(node.name, "function", index)
        self.function.nested[_method_key(node)] = index
        out.append((ir.DEFINE, 0, self._own(node.name), index))

    def class_(self, node: ast.ClassDef, out: list[ir.Node]) -> None:
        outer = self.function
        bases, decorators = self._header(lambda: (self.exprs(node.bases), self.exprs(node.decorator_list)))
        names, declared = bound_names(node.body)
        class_index = len(self.classes)
        self.classes.append(())
        index = len(self.functions)
        self.functions.append(())
        qualified = f"{outer.name}.{node.name}" if outer.name else node.name
        scope = Scope(names, declared, outer.scope, is_class=True)
        inner = self.function = _Function(index, qualified, node.lineno, scope, class_index)
        inner.flags = ir.CLASS_BODY
        body = marshal.dumps(self.block(node.body), ir.BODY_FORMAT)
        annotations = self._header(
            lambda: {
                statement.target.id: lowered
                for statement in node.body
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
                and (lowered := self._annotation(statement.annotation)) is not None
            }
        )  # fmt: skip
        self.function = outer
        self._record(inner, node.lineno, (), body, (), outer.index, None)
        self.classes[class_index] = (
            qualified, bases, index, inner.nested, outer.index, decorators, annotations, node.lineno,
        )  # fmt: skip
        self._defined(node.name, "class", class_index)
        out.append((ir.CLASS, 0, self._own(node.name), class_index))

    def _defined(self, name: str, sort: str, index: int) -> None:
        if self.function.index == 0:
            self.defined[name] = (sort, index)

    def _own(self, name: str) -> ir.Node:
        """The target that binds a name in the current scope."""
        if self.function.index == 0:
            return (ir.GLOBAL, 0, name)
        opcode, own = self.function.scope.resolve(name)
        return (opcode, 0, own)

    # Statements
    def block(self, body: Sequence[ast.stmt]) -> tuple[ir.Node, ...]:
        out: list[ir.Node] = []
        for statement in body:
            lower = _STATEMENTS.get(statement.__class__)
            if lower is not None:
                lower(self, statement, out)
        return tuple(out)

    def expression(self, node: ast.Expr, out: list[ir.Node]) -> None:
        if not isinstance(node.value, ast.Constant):
            out.append((ir.EXPRESSION, 0, self.expr(node.value)))

    def assign(self, node: ast.Assign, out: list[ir.Node]) -> None:
        value = self.expr(node.value)
        targets = tuple([self.target(target) for target in node.targets])
        self._give(node.targets[0], node.value)
        out.append((ir.ASSIGN, 0, targets, value))

    def augment(self, node: ast.AugAssign, out: list[ir.Node]) -> None:
        operator = _OPERATORS[type(node.op)]
        out.append((ir.AUGMENT, self.at(node), self.target(node.target), operator, self.expr(node.value)))

    def annotated(self, node: ast.AnnAssign, out: list[ir.Node]) -> None:
        annotation = self._header(lambda: self._annotation(node.annotation))
        value = self.optional(node.value)
        out.append((ir.ANNOTATED, 0, self.target(node.target), annotation, value))

    def return_(self, node: ast.Return, out: list[ir.Node]) -> None:
        value = None if node.value is None else self.placed(node.value)
        out.append((ir.RETURN, value[1] if value else 0, value))

    def if_(self, node: ast.If, out: list[ir.Node]) -> None:
        out.append((ir.IF, 0, self.expr(node.test), self.block(node.body), self.block(node.orelse)))

    def while_(self, node: ast.While, out: list[ir.Node]) -> None:
        out.append((ir.WHILE, 0, self.expr(node.test), self.block(node.body), self.block(node.orelse)))

    def for_(self, node: ast.For | ast.AsyncFor, out: list[ir.Node]) -> None:
        iterable, target = self.expr(node.iter), self.target(node.target)
        out.append((ir.FOR, 0, target, iterable, self.block(node.body), self.block(node.orelse)))

    def try_(self, node: ast.Try | ast.TryStar, out: list[ir.Node]) -> None:
        body = self.block(node.body)
        handlers = tuple([self._handler(handler) for handler in node.handlers])
        out.append((ir.TRY, 0, body, handlers, self.block(node.orelse), self.block(node.finalbody)))

    def _handler(self, node: ast.ExceptHandler) -> ir.Node:
        name = self._own(node.name) if node.name else None
        return (self.optional(node.type), name, self.block(node.body))

    def with_(self, node: ast.With | ast.AsyncWith, out: list[ir.Node]) -> None:
        items = tuple(
            [
                (
                    self.placed(item.context_expr),
                    None if item.optional_vars is None else self.target(item.optional_vars),
                )
                for item in node.items
            ]
        )
        for item in node.items:
            self._give(item.optional_vars, item.context_expr)
        out.append((ir.WITH, 0, items, self.block(node.body)))

    def raise_(self, node: ast.Raise, out: list[ir.Node]) -> None:
        out.append((ir.RAISE, 0, self.optional(node.exc)))

    def assert_(self, node: ast.Assert, out: list[ir.Node]) -> None:
        out.append((ir.IF, 0, self.expr(node.test), (), ((ir.RAISE, 0, None),)))

    def delete(self, node: ast.Delete, out: list[ir.Node]) -> None:
        out.append((ir.DELETE, 0, self.exprs(node.targets)))

    def jump(self, node: ast.Break | ast.Continue, out: list[ir.Node]) -> None:
        out.append((ir.BREAK if isinstance(node, ast.Break) else ir.CONTINUE, 0))

    def import_(self, node: ast.Import, out: list[ir.Node]) -> None:
        for alias in node.names:
            self.roots.add(alias.name)
            whole = alias.asname is not None or "." not in alias.name
            bound = alias.asname or alias.name.partition(".")[0]
            self._imported(bound, (0, alias.name if whole else bound, ""), out)

    def import_from(self, node: ast.ImportFrom, out: list[ir.Node]) -> None:
        module = node.module or ""
        if not node.level:
            self.roots.add(module)
        for alias in node.names:
            if alias.name == "*":
                self.stars.append((node.level, module))
            else:
                self._imported(alias.asname or alias.name, (node.level, module, alias.name), out)

    def _imported(self, bound: str, what: tuple[int, str, str], out: list[ir.Node]) -> None:
        if what[2] != bound:
            self.function.words[what[2]] = None
            self.renamed[bound] = what[2]
        if self.function.index == 0:
            self.imports.setdefault(bound, what)
        else:
            level, module, name = what
            if not level:
                self.function.given[bound] = f"={module}.{name}" if name else f"={module}"
            out.append((ir.IMPORT, 0, self._own(bound), *what))

    def match(self, node: ast.Match, out: list[ir.Node]) -> None:
        subject = self.expr(node.subject)
        cases = tuple(
            [
                (self.pattern(case.pattern), self.optional(case.guard), self.block(case.body))
                for case in node.cases
            ]
        )
        out.append((ir.MATCH, 0, subject, cases))

    def pattern(self, node: ast.AST) -> ir.Node:
        position = self.at(node)
        if isinstance(node, ast.MatchValue):
            return (ir.VALUE, position, self.expr(node.value))
        if isinstance(node, ast.MatchSingleton):
            return (ir.VALUE, position, (ir.CONST, position, node.value))
        if isinstance(node, ast.MatchAs):
            inner = None if node.pattern is None else self.pattern(node.pattern)
            if node.name is None:
                return inner or (ir.ANY, position)
            return (ir.BIND, position, self._own(node.name), inner)
        if isinstance(node, ast.MatchOr):
            return (ir.EITHER, position, tuple([self.pattern(one) for one in node.patterns]))
        if isinstance(node, ast.MatchClass):
            keywords = tuple(
                [
                    (name, self.pattern(one))
                    for name, one in zip(node.kwd_attrs, node.kwd_patterns, strict=True)
                ]
            )
            positional = tuple([self.pattern(one) for one in node.patterns])
            return (ir.TYPED, position, self.expr(node.cls), positional, keywords)
        if isinstance(node, ast.MatchSequence):
            return (ir.LISTED, position, tuple([self.pattern(one) for one in node.patterns]))
        if isinstance(node, ast.MatchStar):
            return (
                (ir.BIND, position, self._own(node.name), None, "*") if node.name else (ir.ANY, position, "*")
            )
        if isinstance(node, ast.MatchMapping):
            pairs = tuple(
                [
                    (self.expr(key), self.pattern(one))
                    for key, one in zip(node.keys, node.patterns, strict=True)
                ]
            )
            return (ir.KEYED, position, pairs, self._own(node.rest) if node.rest else None)
        return (ir.ANY, position)


def _ends(body: Sequence[ir.Node]) -> bool:
    """Whether the last statement lets a body end. A call that is the last may be of something that only raises."""
    if not body:
        return True
    last = body[-1]
    opcode = last[0]
    if opcode == ir.EXPRESSION:
        return last[2][0] != ir.CALL
    if opcode == ir.IF:
        return _ends(last[3]) or _ends(last[4])
    if opcode == ir.WITH:
        return _ends(last[3])
    if opcode == ir.TRY:
        return _ends(last[4] or last[2]) or any(_ends(handler) for _, _, handler in last[3])
    return opcode not in {ir.RAISE, ir.WHILE}


def _method_key(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """A method's name; that of a property's setter with `=` behind, so that it does not hide the property."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Attribute) and decorator.attr in {"setter", "deleter"}:
            return node.name + ("=" if decorator.attr == "setter" else "-")
    return node.name


# Tables of functions, not of bound methods: those would tie each tree into a cycle that keeps it alive.
_EXPRESSIONS: Final[dict[type, Callable[[_Lowering, Any], ir.Node]]] = defaultdict(lambda: _Lowering.opaque, {
    ast.Constant: _Lowering.constant, ast.Name: _Lowering.name, ast.Attribute: _Lowering.attribute,
    ast.Subscript: _Lowering.subscript, ast.Slice: _Lowering.slice, ast.Call: _Lowering.call, ast.BinOp: _Lowering.binary,
    ast.BoolOp: _Lowering.boolean, ast.UnaryOp: _Lowering.unary, ast.Compare: _Lowering.compare, ast.IfExp: _Lowering.choice,
    ast.JoinedStr: _Lowering.joined, ast.Tuple: _Lowering.sequence, ast.List: _Lowering.sequence, ast.Set: _Lowering.sequence,
    ast.Dict: _Lowering.mapping, ast.Lambda: _Lowering.lambda_, ast.ListComp: _Lowering.comprehension,
    ast.SetComp: _Lowering.comprehension, ast.GeneratorExp: _Lowering.comprehension,
    ast.DictComp: _Lowering.comprehension, ast.Await: _Lowering.awaited, ast.Yield: _Lowering.yielded,
    ast.YieldFrom: _Lowering.delegated, ast.NamedExpr: _Lowering.walrus, ast.Starred: _Lowering.starred,
})  # fmt: skip
_STATEMENTS: Final[dict[type, Callable[[_Lowering, Any, list[ir.Node]], None]]] = {
    ast.Expr: _Lowering.expression, ast.Assign: _Lowering.assign, ast.AugAssign: _Lowering.augment,
    ast.AnnAssign: _Lowering.annotated, ast.Return: _Lowering.return_, ast.If: _Lowering.if_, ast.While: _Lowering.while_,
    ast.For: _Lowering.for_, ast.AsyncFor: _Lowering.for_, ast.Try: _Lowering.try_, ast.TryStar: _Lowering.try_,
    ast.With: _Lowering.with_, ast.AsyncWith: _Lowering.with_, ast.Raise: _Lowering.raise_, ast.Match: _Lowering.match,
    ast.Delete: _Lowering.delete, ast.FunctionDef: _Lowering.define, ast.AsyncFunctionDef: _Lowering.define,
    ast.ClassDef: _Lowering.class_, ast.Import: _Lowering.import_, ast.ImportFrom: _Lowering.import_from,
    ast.Break: _Lowering.jump, ast.Continue: _Lowering.jump, ast.Assert: _Lowering.assert_,
}  # fmt: skip
