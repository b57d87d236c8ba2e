"""Turns the edits of a fix into plain text edits of one file. It judges no fix; `prove` does.

Arguments are changed on the LibCST tree of their call, so that commas, comments and line breaks stay as a person
would leave them; whole statements are found on the `ast` tree and changed as lines.
"""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING

from charter.api import (
    AddImport,
    AnyEdit,
    Edit,
    InsertStatement,
    RemoveArgument,
    RemoveStatement,
    SetKeyword,
    Span,
)
from charter.mend.imports import import_edit
from charter.syntax.source import Source
from charter.syntax.walk import children

if TYPE_CHECKING:
    from collections.abc import Iterable

    import libcst as cst


class EditError(Exception):
    """An edit cannot be made in this text; the message says why."""


def compile_edits(source: Source, edits: Iterable[AnyEdit]) -> tuple[Edit, ...]:
    """The text edits of one file that carry out a fix's edits, in order and without duplicates.

    Args:
        source: the file that the rule saw.
        edits: the edits that concern this file.

    Raises:
        EditError: if one of them does not fit the text, or two of them meet.
    """
    found: dict[Edit, None] = {}
    calls: dict[Span, list[SetKeyword | RemoveArgument]] = {}
    imports: list[AddImport] = []
    for edit in edits:
        if isinstance(edit, (SetKeyword, RemoveArgument)):
            calls.setdefault(edit.call, []).append(edit)
        elif isinstance(edit, AddImport):
            imports.append(edit)
        else:
            for made in _compile(source, edit):
                found[made] = None
    found.update(dict.fromkeys(_add_imports(source, imports)))
    for span, changes in calls.items():
        found[_edit_call(source, span, changes)] = None
    ordered = sorted(found, key=lambda edit: edit.span)
    for before, after in pairwise(ordered):
        if before.span.overlaps(after.span) and not (
            before.span.end == after.span.start != before.span.start
        ):
            raise EditError("two of its edits meet")
    return tuple(ordered)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not meet; equal places are filled in the order given."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        parts += (text[at : edit.span.start], edit.text)
        at = edit.span.end
    return "".join([*parts, text[at:]])


def _compile(source: Source, edit: Edit | RemoveStatement | InsertStatement) -> tuple[Edit, ...]:
    if isinstance(edit, Edit):
        if not 0 <= edit.span.start <= edit.span.end <= len(source.text):
            raise EditError("the text has changed")
        return (Edit(edit.span, _with_line_ends(source, edit.text)),)
    if isinstance(edit, RemoveStatement):
        return (_remove_statement(source, edit.statement),)
    return (_insert_statement(source, edit),)


def _add_imports(source: Source, wanted: Iterable[AddImport]) -> list[Edit]:
    """The edits of several imports; those that go to one place become one edit, names of one module one statement."""
    found: dict[Span, str] = {}
    for imported in dict.fromkeys(wanted):
        made = import_edit(source, imported)
        if isinstance(made, str):
            raise EditError(made)
        if made is None:
            continue
        present = found.get(made.span)
        if present is None:
            found[made.span] = made.text
            continue
        statement = next(
            (line for line in present.splitlines() if line.startswith(f"from {imported.module} import ")),
            None,
        )
        if statement is not None and imported.name:
            alias = f" as {imported.alias}" if imported.alias else ""
            found[made.span] = present.replace(statement, f"{statement}, {imported.name}{alias}")
        else:
            found[made.span] = present + made.text.lstrip("\r\n")
    return [Edit(span, text) for span, text in found.items()]


def _with_line_ends(source: Source, text: str) -> str:
    """A text with the line ends of its file; a last line taken without its line feed leaves the other half of it, too."""
    end = source.positions.line_end
    return text if end == "\n" else text.removesuffix("\r").replace("\r\n", "\n").replace("\n", end)


# Statements


def _statement_at(source: Source, span: Span) -> ast.stmt:
    body: list[ast.AST] = [source.tree]
    while body:
        node = body.pop()
        for child in children(node):
            here = source.span(child)
            if isinstance(child, ast.stmt) and here == span:
                return child
            if here.covers(span) or isinstance(child, (ast.ExceptHandler, ast.match_case)):
                body.append(child)
    raise EditError("the statement has changed")


def _first_line(statement: ast.stmt) -> int:
    """The 1-based line on which a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _indentation(source: Source, line: int) -> str:
    text = source.positions.line_text(line)
    return text[: len(text) - len(text.lstrip(" \t\f"))]


def _stands_alone(source: Source, statement: ast.stmt) -> bool:
    """Whether nothing but white space stands before a statement on its line."""
    span = source.span(statement)
    line, column = source.positions.place(span.start)
    return not source.positions.line_text(line)[:column].strip(" \t\f")


def _insert_statement(source: Source, edit: InsertStatement) -> Edit:
    statement = _statement_at(source, edit.anchor)
    if not _stands_alone(source, statement):
        raise EditError("the statement shares its line with another")
    end = source.positions.line_end
    indentation = _indentation(source, statement.lineno)
    lines = [indentation + line if line.strip() else line for line in edit.text.splitlines()]
    text = end.join(lines)
    starts = source.positions.starts
    if not edit.after:
        at = starts[_first_line(statement) - 1]
        return Edit(Span(at, at), text + end)
    last = statement.end_lineno or statement.lineno
    rest = source.text[source.span(statement).end : starts[last] if last < len(starts) else len(source.text)]
    if rest.strip() and not rest.lstrip().startswith("#"):
        raise EditError("the statement shares its line with another")
    if last < len(starts):
        return Edit(Span(starts[last], starts[last]), text + end)
    return Edit(Span(len(source.text), len(source.text)), end + text)


def _remove_statement(source: Source, span: Span) -> Edit:
    statement = _statement_at(source, span)
    parent = source.parent(statement)
    siblings = _siblings(statement, parent or source.tree)
    if len(siblings) == 1 and not isinstance(parent, ast.Module):
        start = source.positions.starts[_first_line(statement) - 1]
        if _stands_alone(source, statement):
            start += len(_indentation(source, _first_line(statement)))
            return Edit(Span(start, span.end), "pass")
        return Edit(span, "pass")
    starts = source.positions.starts
    last = statement.end_lineno or statement.lineno
    line_after = starts[last] if last < len(starts) else len(source.text)
    rest = source.text[span.end : line_after]
    if rest.lstrip(" \t").startswith(";"):
        after = span.end + rest.index(";") + 1
        while after < line_after and source.text[after] in " \t":
            after += 1
        return Edit(Span(span.start, after), "")
    if not _stands_alone(source, statement):
        before = source.text.rindex(";", 0, span.start)
        return Edit(Span(before, span.end), "")
    if rest.strip():
        raise EditError("a comment stands behind the statement")
    return Edit(Span(starts[_first_line(statement) - 1], line_after), "")


def _siblings(statement: ast.stmt, parent: ast.AST) -> list[ast.stmt]:
    """The block that a statement stands in."""
    for name in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(parent, name, [])
        if statement in block:
            return block
    return [statement]


# Calls


def _edit_call(source: Source, span: Span, changes: list[SetKeyword | RemoveArgument]) -> Edit:
    import libcst as cst

    text = source.text[span.start : span.end]
    try:
        tree = cst.parse_expression(f"({text})")
    except (cst.ParserSyntaxError, RecursionError) as error:
        raise EditError("the call has changed") from error
    if not isinstance(tree, cst.Call):
        raise EditError("the call has changed")
    arguments = list(tree.args)
    # Positions count the arguments that the rule saw: the highest go first.
    removals = [change.argument for change in changes if isinstance(change, RemoveArgument)]
    for argument in sorted(removals, key=lambda item: (isinstance(item, str), item), reverse=True):
        _remove_argument(arguments, argument)
    for change in changes:
        if isinstance(change, SetKeyword):
            _set_keyword(arguments, change, tree)
    code = cst.Module(body=[]).code_for_node(tree.with_changes(args=arguments))
    return _smallest(span, text, code[1:-1])


def _remove_argument(arguments: list[cst.Arg], wanted: str | int) -> None:
    at = _position(arguments, wanted)
    if at is None:
        raise EditError("the argument has changed")
    gone = arguments.pop(at)
    if at == len(arguments) and arguments:
        arguments[-1] = arguments[-1].with_changes(comma=_with_comment_of(arguments[-1].comma, gone.comma))


def _set_keyword(arguments: list[cst.Arg], change: SetKeyword, call: cst.Call) -> None:
    import libcst as cst

    try:
        value = cst.parse_expression(change.value)
    except cst.ParserSyntaxError as error:
        raise EditError(f"`{change.value}` is no expression") from error
    at = _position(arguments, change.name)
    if at is not None:
        arguments[at] = arguments[at].with_changes(value=value)
        return
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    made = cst.Arg(value, keyword=cst.Name(change.name), equal=equal)
    if not arguments:
        arguments.append(made)
        return
    last = arguments[-1]
    if isinstance(last.value, cst.GeneratorExp) and not last.value.lpar and last.keyword is None:
        raise EditError("a bare generator takes no argument beside it")
    between = arguments[-2].comma if len(arguments) > 1 else cst.MaybeSentinel.DEFAULT
    if isinstance(last.comma, cst.Comma):  # the call ends in a comma: so does the new argument
        made = made.with_changes(comma=_without_comment(last.comma))
        if isinstance(between, cst.MaybeSentinel):
            between = cst.Comma(whitespace_after=_line_break(call) or cst.SimpleWhitespace(" "))
    elif isinstance(between, cst.MaybeSentinel):
        between = cst.Comma(whitespace_after=_line_break(call) or cst.SimpleWhitespace(" "))
    if isinstance(last.whitespace_after_arg, cst.ParenthesizedWhitespace):
        made = made.with_changes(whitespace_after_arg=last.whitespace_after_arg)
        last = last.with_changes(whitespace_after_arg=cst.SimpleWhitespace(""))
    assert isinstance(between, cst.Comma)
    arguments[-1] = last.with_changes(comma=_with_comment_of(last.comma, _without_comment(between)))
    arguments.append(made)


def _with_comment_of(
    old: cst.Comma | cst.MaybeSentinel, new: cst.Comma | cst.MaybeSentinel
) -> cst.Comma | cst.MaybeSentinel:
    """A comma like the new one, with the comment that stands behind the old one."""
    import libcst as cst

    if isinstance(old, cst.Comma) and isinstance(new, cst.Comma):
        before, after = old.whitespace_after, new.whitespace_after
        if (
            isinstance(before, cst.ParenthesizedWhitespace)
            and isinstance(after, cst.ParenthesizedWhitespace)
            and before.first_line.comment is not None
            and after.first_line.comment is None
        ):
            return new.with_changes(whitespace_after=after.with_changes(first_line=before.first_line))
    return new


def _line_break(call: cst.Call) -> cst.BaseParenthesizableWhitespace | None:
    """The white space before the first argument, if it begins a line."""
    import libcst as cst

    space = call.whitespace_before_args
    return space if isinstance(space, cst.ParenthesizedWhitespace) else None


def _without_comment(comma: cst.Comma) -> cst.Comma:
    import libcst as cst

    space = comma.whitespace_after
    if isinstance(space, cst.ParenthesizedWhitespace):
        line = space.first_line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))
        return comma.with_changes(whitespace_after=space.with_changes(first_line=line, empty_lines=()))
    return comma


def _position(arguments: list[cst.Arg], wanted: str | int) -> int | None:
    if isinstance(wanted, str):
        return next(
            (i for i, item in enumerate(arguments) if item.keyword and item.keyword.value == wanted), None
        )
    fits = wanted < len(arguments) and not any(item.star or item.keyword for item in arguments[: wanted + 1])
    return wanted if fits else None


def _smallest(span: Span, old: str, new: str) -> Edit:
    """The edit without what old and new have in common at both ends, so that it meets as few others as can be."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return Edit(Span(span.start + start, span.end - end), new[start : len(new) - end])
