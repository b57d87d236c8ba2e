"""Lowers functions and classes: their headers, scopes and records. What is in their bodies is not known here."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import ast
import marshal
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from charter.model import ir
from charter.model.lower.expressions import Expressions
from charter.model.lower.records import FunctionRecord
from charter.model.scopes import Scope, bound_names

if TYPE_CHECKING:
    from collections.abc import Sequence


class Definitions(Expressions, ABC):
    """Lowers functions and classes."""

    @abstractmethod
    def block(self, body: Sequence[ast.stmt]) -> tuple[ir.Node, ...]:
        """Lower statements."""

    def inner(self, node: Any, name: str, body: Sequence[ast.stmt], flags: int) -> int:
        """Lower a function; its defaults and decorators belong to the function around it."""
        outer = self.function
        decorators: tuple[ir.Node, ...] = ()
        if not flags & ir.LAMBDA and node.decorator_list:
            decorators = self._header(lambda: self.exprs(node.decorator_list))
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments += [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
        words: dict[str, None] = {}  # what its annotations mention, the function itself mentions
        outside, outer.words = outer.words, words
        defaults: dict[ast.arg, tuple[ir.Node | None, ir.Node | None]] = {}
        returns: ir.Node | None = None
        if node.args.defaults or node.args.kwonlyargs or any(one.annotation for one in arguments):
            defaults = self._header(lambda: self._defaults(node.args))
        if not flags & ir.LAMBDA and node.returns is not None:
            returns = self._header(lambda: self._annotation(node.returns))
        outer.words = outside
        names, declared = bound_names(body)
        names.update([argument.arg for argument in arguments])
        index = len(self.functions)
        self.functions.append(())
        qualified = f"{outer.name}.{name}" if outer.name else name
        scope = Scope(names, declared, outer.scope, is_class=False)
        owner = outer.owner if outer.scope.is_class else -1
        inner = self.function = FunctionRecord(index, qualified, node.lineno, scope, owner)
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

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, out: list[ir.Node]) -> None:
        flags = ir.ASYNCHRONOUS if type(node) is ast.AsyncFunctionDef else 0
        index = self.inner(node, node.name, node.body, flags)
        self._defined(node.name, "function", index)
        self.function.nested[_method_key(node)] = index
        out.append((ir.DEFINE, 0, self._own(node.name), index))

    def _class(self, node: ast.ClassDef, out: list[ir.Node]) -> None:
        outer = self.function
        bases, decorators = self._header(lambda: (self.exprs(node.bases), self.exprs(node.decorator_list)))
        names, declared = bound_names(node.body)
        class_index = len(self.classes)
        self.classes.append(())
        index = len(self.functions)
        self.functions.append(())
        qualified = f"{outer.name}.{node.name}" if outer.name else node.name
        scope = Scope(names, declared, outer.scope, is_class=True)
        inner = self.function = FunctionRecord(index, qualified, node.lineno, scope, class_index)
        inner.flags = ir.CLASS_BODY
        body = marshal.dumps(self.block(node.body), ir.BODY_FORMAT)
        annotations = self._header(
            lambda: {
                statement.target.id: lowered
                for statement in node.body
                if type(statement) is ast.AnnAssign and type(statement.target) is ast.Name
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
        opcode, own = (ir.GLOBAL, name) if self.function.index == 0 else self.function.scope[name]
        self.binds(opcode, own)
        return (opcode, 0, own)


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
