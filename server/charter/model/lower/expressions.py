"""Lowers expressions, and writes down what they mention, assign and call. Functions and statements are not known here."""

# The values here are nested tuples or parsed documents, which only their tags type; one class, written in several files.
# pyright: reportPrivateUsage=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections import defaultdict
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from charter.model import ir
from charter.model.lower.records import Records
from charter.model.scopes import target_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPERATORS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.MatMult: "@",
    ast.Invert: "~", ast.UAdd: "+", ast.USub: "-", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=",
    ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip

_PLAIN: Final = frozenset({bool, float, type(None)})
_LONGEST_TEXT = 20_000
_LONGEST_CALL = 120


class Expressions(Records, ABC):
    """Lowers expressions."""

    @abstractmethod
    def inner(self, node: Any, name: str, body: Sequence[ast.stmt], flags: int) -> int:
        """Lower a function or lambda inside of the one that is being lowered; its index in the file."""

    def expr(self, node: ast.AST) -> ir.Node:
        """Lower an expression."""
        return _EXPRESSIONS[type(node)](self, node)

    def _opaque(self, node: ast.AST) -> ir.Node:
        inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return (ir.OPAQUE, self.at(node), tuple([self.expr(child) for child in inner]))

    def exprs(self, nodes: Sequence[ast.AST]) -> tuple[ir.Node, ...]:
        """Lower expressions."""
        table = _EXPRESSIONS
        return tuple([table[type(node)](self, node) for node in nodes])

    def optional(self, node: ast.AST | None) -> ir.Node | None:
        """Lower an expression, if there is one."""
        return None if node is None else self.expr(node)

    def _constant(self, node: ast.Constant) -> ir.Node:
        value: Any = node.value
        kind = type(value)
        if kind is str or kind is bytes:
            plain = len(value) <= _LONGEST_TEXT
        elif kind is int:
            plain = not abs(value) >> 64
        else:
            plain = kind in _PLAIN
        return (ir.CONST, 0, value) if plain else (ir.OPAQUE, 0, ())

    def _name(self, node: ast.Name) -> ir.Node:
        function = self.function
        opcode, name = function.scope[node.id]
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
        lowered = _EXPRESSIONS[type(node)](self, node)
        return (ir.CONST, self.at(node), lowered[2]) if lowered[0] == ir.CONST else lowered

    def target(self, node: ast.expr) -> ir.Node:
        """What an assignment binds."""
        if type(node) is ast.Name:
            lowered = self._name(node)
            self.binds(lowered[0], lowered[2])
            return lowered
        if type(node) is ast.Attribute:
            self.function.stores[node.attr] = None
        elif type(node) is ast.Tuple or type(node) is ast.List:
            elements = tuple([self.target(one) for one in node.elts])
            return (ir.SEQUENCE, self.at(node), "tuple" if type(node) is ast.Tuple else "list", elements)
        elif type(node) is ast.Starred:
            return (ir.STARRED, self.at(node), self.target(node.value))
        return self.expr(node)

    def _attribute(self, node: ast.Attribute) -> ir.Node:
        function = self.function
        name = node.attr
        function.words[name] = None
        places = function.places
        places.append(node)
        position = len(places) - 1 + function.shift
        value = node.value
        return (ir.ATTR, position, _EXPRESSIONS[type(value)](self, value), name)

    def _subscript(self, node: ast.Subscript) -> ir.Node:
        return (ir.ITEM, self.at(node), self.expr(node.value), self.expr(node.slice))

    def _slice(self, node: ast.Slice) -> ir.Node:
        bounds = (self.optional(node.lower), self.optional(node.upper), self.optional(node.step))
        return (ir.SLICE, self.at(node), *bounds)

    def _call(self, node: ast.Call) -> ir.Node:
        function = node.func
        if type(function) is ast.Name and function.id == "getattr":
            self._looked_up(node.args)
        self.function.calls.append(intern(self._text(function)))
        position = self.at(node)
        keywords: tuple[tuple[str | None, ir.Node], ...] = ()
        if node.keywords:
            keywords = tuple([(keyword.arg, self.placed(keyword.value)) for keyword in node.keywords])
        arguments = tuple([self.placed(argument) for argument in node.args]) if node.args else ()
        return (ir.CALL, position, self.expr(function), arguments, keywords)

    def _text(self, node: Any) -> str:
        """An expression as a dotted text."""
        path: list[str] = []
        while type(node) is ast.Attribute:
            path.append(node.attr)
            node = node.value
        owner = self._owner_text(node)
        if not path:
            return owner
        return f"?.{path[0]}" if owner[0] == "?" else ".".join((owner, *path[::-1]))

    def _owner_text(self, node: Any) -> str:
        kind = type(node)
        if kind is ast.Name:
            opcode, name = self.function.scope[node.id]
            return name if opcode == ir.GLOBAL else self.function.given.get(name, "?")
        if kind is ast.Call:
            called = self._text(node.func)
            return "?" if called[0] == "?" or len(called) > _LONGEST_CALL else f"{called}()"
        return self._text(node.value) if kind is ast.Await else "?"

    def _give(self, target: ast.expr | None, value: ast.expr) -> None:
        if type(target) is ast.Name:
            self.function.given[target.id] = self._text(value)

    def _looked_up(self, arguments: Sequence[ast.expr]) -> None:
        """`getattr(x, "name")` mentions the name."""
        for argument in arguments[1:2]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                self.function.words[argument.value] = None

    def _binary(self, node: ast.BinOp) -> ir.Node:
        operator = OPERATORS[type(node.op)]
        return (ir.BINARY, self.at(node), operator, self.expr(node.left), self.expr(node.right))

    def _boolean(self, node: ast.BoolOp) -> ir.Node:
        word = "and" if type(node.op) is ast.And else "or"
        return (ir.BOOLEAN, self.at(node), word, self.exprs(node.values))

    def _unary(self, node: ast.UnaryOp) -> ir.Node:
        if type(node.op) is ast.Not:
            return (ir.NOT, self.at(node), self.expr(node.operand))
        return (ir.UNARY, self.at(node), OPERATORS[type(node.op)], self.expr(node.operand))

    def _compare(self, node: ast.Compare) -> ir.Node:
        operators = tuple([OPERATORS[type(op)] for op in node.ops])
        return (ir.COMPARE, self.at(node), self.expr(node.left), operators, self.exprs(node.comparators))

    def _choice(self, node: ast.IfExp) -> ir.Node:
        return (ir.CHOICE, self.at(node), self.expr(node.test), self.expr(node.body), self.expr(node.orelse))

    def _joined(self, node: ast.JoinedStr) -> ir.Node:
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

    def _sequence(self, node: ast.Tuple | ast.List | ast.Set) -> ir.Node:
        sort = "tuple" if type(node) is ast.Tuple else "list" if type(node) is ast.List else "set"
        return (ir.SEQUENCE, self.at(node), sort, self.exprs(node.elts))

    def _mapping(self, node: ast.Dict) -> ir.Node:
        pairs = [
            (self.optional(key), self.expr(value)) for key, value in zip(node.keys, node.values, strict=True)
        ]
        return (ir.MAPPING, self.at(node), tuple(pairs))

    def _awaited(self, node: ast.Await) -> ir.Node:
        return self.expr(node.value)

    def _yielded(self, node: ast.Yield) -> ir.Node:
        self.function.flags |= ir.GENERATOR
        return (ir.YIELD, self.at(node), self.optional(node.value))

    def _delegated(self, node: ast.YieldFrom) -> ir.Node:
        self.function.flags |= ir.GENERATOR
        return (ir.DELEGATE, self.at(node), self.expr(node.value))

    def _walrus(self, node: ast.NamedExpr) -> ir.Node:
        value = self.expr(node.value)
        scope = self.function.scope
        if node.target.id not in scope.outer and self.function.index:
            scope.add(node.target.id)
        return (ir.WALRUS, 0, self.target(node.target), value)

    def _starred(self, node: ast.Starred) -> ir.Node:
        return (ir.STARRED, self.at(node), self.expr(node.value))

    def _comprehension(self, node: Any) -> ir.Node:
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

    def _lambda(self, node: ast.Lambda) -> ir.Node:
        position = self.at(node)
        index = self.inner(node, "<lambda>", [ast.Return(value=node.body)], ir.LAMBDA)
        return (ir.FUNCTION, position, index)


# Tables of functions, not of bound methods: those would tie each tree into a cycle that keeps it alive.
_EXPRESSIONS: Final[dict[type, Callable[[Expressions, Any], ir.Node]]] = defaultdict(lambda: Expressions._opaque, {
    ast.Constant: Expressions._constant, ast.Name: Expressions._name, ast.Attribute: Expressions._attribute,
    ast.Subscript: Expressions._subscript, ast.Slice: Expressions._slice, ast.Call: Expressions._call, ast.BinOp: Expressions._binary,
    ast.BoolOp: Expressions._boolean, ast.UnaryOp: Expressions._unary, ast.Compare: Expressions._compare, ast.IfExp: Expressions._choice,
    ast.JoinedStr: Expressions._joined, ast.Tuple: Expressions._sequence, ast.List: Expressions._sequence, ast.Set: Expressions._sequence,
    ast.Dict: Expressions._mapping, ast.Lambda: Expressions._lambda, ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension, ast.GeneratorExp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension, ast.Await: Expressions._awaited, ast.Yield: Expressions._yielded,
    ast.YieldFrom: Expressions._delegated, ast.NamedExpr: Expressions._walrus, ast.Starred: Expressions._starred,
})  # fmt: skip
