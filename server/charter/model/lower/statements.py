"""Lowers statements and the patterns of `match`, and notes what a file imports."""

# The values here are nested tuples or parsed documents, which only their tags type; one class, written in several files.
# pyright: reportPrivateUsage=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import ast
import marshal
from typing import TYPE_CHECKING, Any, Final

from charter.model import ir
from charter.model.lower.definitions import Definitions
from charter.model.lower.expressions import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Statements(Definitions):
    """Lowers one tree."""

    def file(self, tree: ast.Module) -> ir.Node:
        """Lower a whole tree."""
        self.functions.append(())
        body = marshal.dumps(self.block(tree.body), ir.BODY_FORMAT)
        self._record(self.function, 1, (), body, (), -1, None)
        return self.file_record()

    def block(self, body: Sequence[ast.stmt]) -> tuple[ir.Node, ...]:
        """Lower statements."""
        out: list[ir.Node] = []
        for statement in body:
            lower = _STATEMENTS.get(type(statement))
            if lower is not None:
                lower(self, statement, out)
        return tuple(out)

    def _expression(self, node: ast.Expr, out: list[ir.Node]) -> None:
        if type(node.value) is not ast.Constant:
            out.append((ir.EXPRESSION, 0, self.expr(node.value)))

    def _assign(self, node: ast.Assign, out: list[ir.Node]) -> None:
        value = self.expr(node.value)
        targets = tuple([self.target(target) for target in node.targets])
        self._give(node.targets[0], node.value)
        out.append((ir.ASSIGN, 0, targets, value))

    def _augment(self, node: ast.AugAssign, out: list[ir.Node]) -> None:
        operator = OPERATORS[type(node.op)]
        out.append((ir.AUGMENT, self.at(node), self.target(node.target), operator, self.expr(node.value)))

    def _annotated(self, node: ast.AnnAssign, out: list[ir.Node]) -> None:
        annotation = self._header(lambda: self._annotation(node.annotation))
        value = self.optional(node.value)
        out.append((ir.ANNOTATED, 0, self.target(node.target), annotation, value))

    def _return(self, node: ast.Return, out: list[ir.Node]) -> None:
        value = None if node.value is None else self.placed(node.value)
        out.append((ir.RETURN, value[1] if value else 0, value))

    def _if(self, node: ast.If, out: list[ir.Node]) -> None:
        out.append((ir.IF, 0, self.expr(node.test), self.block(node.body), self.block(node.orelse)))

    def _while(self, node: ast.While, out: list[ir.Node]) -> None:
        out.append((ir.WHILE, 0, self.expr(node.test), self.block(node.body), self.block(node.orelse)))

    def _for(self, node: ast.For | ast.AsyncFor, out: list[ir.Node]) -> None:
        iterable, target = self.expr(node.iter), self.target(node.target)
        out.append((ir.FOR, 0, target, iterable, self.block(node.body), self.block(node.orelse)))

    def _try(self, node: ast.Try | ast.TryStar, out: list[ir.Node]) -> None:
        body = self.block(node.body)
        handlers = tuple([self._handler(handler) for handler in node.handlers])
        out.append((ir.TRY, 0, body, handlers, self.block(node.orelse), self.block(node.finalbody)))

    def _handler(self, node: ast.ExceptHandler) -> ir.Node:
        name = self._own(node.name) if node.name else None
        return (self.optional(node.type), name, self.block(node.body))

    def _with(self, node: ast.With | ast.AsyncWith, out: list[ir.Node]) -> None:
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

    def _raise(self, node: ast.Raise, out: list[ir.Node]) -> None:
        out.append((ir.RAISE, 0, self.optional(node.exc)))

    def _assert(self, node: ast.Assert, out: list[ir.Node]) -> None:
        out.append((ir.IF, 0, self.expr(node.test), (), ((ir.RAISE, 0, None),)))

    def _delete(self, node: ast.Delete, out: list[ir.Node]) -> None:
        out.append((ir.DELETE, 0, self.exprs(node.targets)))

    def _jump(self, node: ast.Break | ast.Continue, out: list[ir.Node]) -> None:
        out.append((ir.BREAK if isinstance(node, ast.Break) else ir.CONTINUE, 0))

    def _import(self, node: ast.Import, out: list[ir.Node]) -> None:
        for alias in node.names:
            self.roots.add(alias.name)
            whole = alias.asname is not None or "." not in alias.name
            bound = alias.asname or alias.name.partition(".")[0]
            self._imported(bound, (0, alias.name if whole else bound, ""), out)

    def _import_from(self, node: ast.ImportFrom, out: list[ir.Node]) -> None:
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

    def _match(self, node: ast.Match, out: list[ir.Node]) -> None:
        subject = self.expr(node.subject)
        cases = tuple(
            [
                (self._pattern(case.pattern), self.optional(case.guard), self.block(case.body))
                for case in node.cases
            ]
        )
        out.append((ir.MATCH, 0, subject, cases))

    def _pattern(self, node: ast.AST) -> ir.Node:
        position = self.at(node)
        if isinstance(node, ast.MatchValue):
            return (ir.VALUE, position, self.expr(node.value))
        if isinstance(node, ast.MatchSingleton):
            return (ir.VALUE, position, (ir.CONST, position, node.value))
        if isinstance(node, ast.MatchAs):
            inner = None if node.pattern is None else self._pattern(node.pattern)
            if node.name is None:
                return inner or (ir.ANY, position)
            return (ir.BIND, position, self._own(node.name), inner)
        if isinstance(node, ast.MatchOr):
            return (ir.EITHER, position, tuple([self._pattern(one) for one in node.patterns]))
        if isinstance(node, ast.MatchClass):
            keywords = tuple(
                [
                    (name, self._pattern(one))
                    for name, one in zip(node.kwd_attrs, node.kwd_patterns, strict=True)
                ]
            )
            positional = tuple([self._pattern(one) for one in node.patterns])
            return (ir.TYPED, position, self.expr(node.cls), positional, keywords)
        if isinstance(node, ast.MatchSequence):
            return (ir.LISTED, position, tuple([self._pattern(one) for one in node.patterns]))
        if isinstance(node, ast.MatchStar):
            return (
                (ir.BIND, position, self._own(node.name), None, "*") if node.name else (ir.ANY, position, "*")
            )
        if isinstance(node, ast.MatchMapping):
            pairs = tuple(
                [
                    (self.expr(key), self._pattern(one))
                    for key, one in zip(node.keys, node.patterns, strict=True)
                ]
            )
            return (ir.KEYED, position, pairs, self._own(node.rest) if node.rest else None)
        return (ir.ANY, position)


# Tables of functions, not of bound methods: those would tie each tree into a cycle that keeps it alive.
_STATEMENTS: Final[dict[type, Callable[[Statements, Any, list[ir.Node]], None]]] = {
    ast.Expr: Statements._expression, ast.Assign: Statements._assign, ast.AugAssign: Statements._augment,
    ast.AnnAssign: Statements._annotated, ast.Return: Statements._return, ast.If: Statements._if, ast.While: Statements._while,
    ast.For: Statements._for, ast.AsyncFor: Statements._for, ast.Try: Statements._try, ast.TryStar: Statements._try,
    ast.With: Statements._with, ast.AsyncWith: Statements._with, ast.Raise: Statements._raise, ast.Match: Statements._match,
    ast.Delete: Statements._delete, ast.FunctionDef: Statements._define, ast.AsyncFunctionDef: Statements._define,
    ast.ClassDef: Statements._class, ast.Import: Statements._import, ast.ImportFrom: Statements._import_from,
    ast.Break: Statements._jump, ast.Continue: Statements._jump, ast.Assert: Statements._assert,
}  # fmt: skip
