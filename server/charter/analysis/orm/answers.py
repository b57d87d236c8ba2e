"""Rows of a Django query set that are loaded to be counted, tested, filtered or read one column of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.analysis.orm.frames import Note
from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.values import Query
from charter.analysis.orm.world import Module, Site
from charter.api import Edit, Fix, Grade, Span
from charter.api.facts.queries import RowsInsteadOfAnswer
from charter.model.names import decorator_name

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine
    from charter.analysis.orm.values import Value

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "",
    ast.GtE: "__gte",
    ast.Gt: "__gt",
    ast.LtE: "__lte",
    ast.Lt: "__lt",
}
QUESTIONS = frozenset({"count", "exists", "column", "filter", "slice", "twice", "table"})


def whole(query: Value, node: ast.AST | None) -> bool:
    """Whether an expression is the only place where a query set is: a chain of calls that nothing else names."""
    return (
        isinstance(query, Query)
        and query.model.orm is Orm.DJANGO
        and isinstance(node, ast.Call)
        and query.tail.node is node
        and query.rows == "rows"
        and not query.cached
        and not query.streamed
        and (query.parent is None or query.filtered)  # a plain relation may have been prefetched elsewhere
    )


def note(run: Machine, question: str, query: Value, site: Site, node: ast.AST | None) -> None:
    """Note that a query set's rows are loaded for what the database could answer.

    Args:
        run: the evaluation.
        question: what is asked of the rows.
        query: the query set.
        site: the whole expression.
        node: the expression that is the query set.
    """
    if isinstance(query, Query) and query.model.orm is Orm.DJANGO:
        run.look(question, site)
    if isinstance(query, Query) and whole(query, node) and isinstance(site.file, Module):
        run.notes[Note(question, site, query)] = None


def comprehension(run: Machine, node: ast.expr, module: Module, query: Value) -> None:
    """Note a comprehension that reads one column of its rows, or keeps some rows by a column."""
    if not isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)) or len(node.generators) != 1:
        return
    part = node.generators[0]
    if not isinstance(query, Query) or not isinstance(part.target, ast.Name):
        return
    if query.model.orm is Orm.DJANGO:
        run.look("filter" if part.ifs else "column", Site(module, node))
    if not part.ifs and _column(query, node.elt, part.target.id):
        note(run, "column", query, Site(module, node), part.iter)
    elif (
        len(part.ifs) == 1 and not query.sliced and _condition(query, part.ifs[0], part.target.id) is not None
    ):
        note(run, "filter", query, Site(module, node), part.iter)


def _column(query: Query, node: ast.expr, variable: str) -> str:
    """The plain column that an expression reads from a row; "" if it is anything else."""
    if (
        not isinstance(node, ast.Attribute)
        or not isinstance(node.value, ast.Name)
        or node.value.id != variable
    ):
        return ""
    model = query.model
    key = model.by_column(node.attr)
    plain = (
        node.attr in model.columns and node.attr not in model.files and node.attr not in query.plan.computed
    )
    return node.attr if plain or key is not None or node.attr in {"pk", "id"} else ""


def _condition(query: Query, node: ast.expr, variable: str) -> tuple[str, ast.expr] | None:
    """The lookup and the value of a test of one column against a constant."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        name = _column(query, node.left, variable)
        suffix = _OPERATORS.get(type(node.ops[0]))
        value = node.comparators[0]
        if name and suffix is not None and isinstance(value, ast.Constant) and value.value is not None:
            return f"{name}{suffix}", value
    return None


def sliced(run: Machine, node: ast.Subscript, module: Module) -> None:
    """Note `list(query set)[:10]`: a slice of the query set itself would load ten rows."""
    call, part = node.value, node.slice
    query = run.listed.get(call)
    if query is None or not isinstance(call, ast.Call) or not isinstance(part, ast.Slice):
        return
    bounds = [bound for bound in (part.lower, part.upper) if bound is not None]
    plain = all(isinstance(bound, ast.Constant) and isinstance(bound.value, int) for bound in bounds)
    if plain and part.upper is not None and part.step is None and not query.sliced:
        note(run, "slice", query, Site(module, node), call.args[0])


def kept(run: Machine, node: ast.For | ast.AsyncFor, module: Module, query: Query) -> None:
    """Note a loop over a whole table, all of whose rows stay in memory until it ends."""
    plain = not query.filtered and not query.sliced and not query.plan.loaded and not query.plan.lists
    if plain and isinstance(node, ast.For) and _is_job(module, node):
        note(run, "table", query, Site(module, node.iter), node.iter)


def _is_job(module: Module, node: ast.For) -> bool:
    """Whether a loop stands in what runs over everything: a command's `handle` or a task."""
    function = module.function(node)
    if function is None:
        return False
    command = function.name == "handle" and "/management/commands/" in f"/{module.path}"
    return command or any(decorator_name(d) in {"shared_task", "task"} for d in function.decorator_list)


def facts(notes: list[Note]) -> dict[str, list[RowsInsteadOfAnswer]]:
    """The facts of what was noted, by file, each place once."""
    found: dict[tuple[str, int, int, str], RowsInsteadOfAnswer] = {}
    for item in notes:
        span = item.site.span
        key = (item.site.file.path, span.start, span.end, item.question)
        if key not in found:
            found[key] = _fact(item)
    result: dict[str, list[RowsInsteadOfAnswer]] = {}
    for (path, _, _, _), fact in sorted(found.items(), key=lambda pair: pair[0]):
        result.setdefault(path, []).append(fact)
    return result


def _fact(item: Note) -> RowsInsteadOfAnswer:
    detail, fix = _MAKERS[item.question](item)
    subject = " ".join(item.query.tail.source.split())
    again = item.again.location if item.again is not None else None
    fixes = (fix,) if fix else ()
    return RowsInsteadOfAnswer(
        item.site.location, item.question, item.query.model.name, subject[:80], detail, fixes, again
    )


def _counted(item: Note) -> tuple[str, Fix | None]:
    text = f"{item.query.tail.source}.count()"
    return "", Fix("Count in the database", (Edit(item.site.span, text, item.site.file.path),), Grade.SAFE)


def _tested(item: Note) -> tuple[str, Fix | None]:
    end = item.query.tail.span.end
    edit = Edit(Span(end, end), ".exists()", item.site.file.path)
    return "", Fix("Ask the database whether there is any", (edit,), Grade.SAFE)


def _one_column(item: Note) -> tuple[str, Fix | None]:
    node = item.site.node
    assert isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp))
    assert isinstance(node.elt, ast.Attribute)
    column = node.elt.attr
    text = f'{item.query.tail.source}.values_list("{column}", flat=True)'
    if isinstance(node, ast.GeneratorExp):
        return column, None
    text = f"{'list' if isinstance(node, ast.ListComp) else 'set'}({text})"
    return column, Fix(
        f"Load `{column}` alone", (Edit(item.site.span, text, item.site.file.path),), Grade.UNSAFE
    )


def _filtered(item: Note) -> tuple[str, Fix | None]:
    node = item.site.node
    assert isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp))
    part = node.generators[0]
    assert isinstance(part.target, ast.Name)
    found = _condition(item.query, part.ifs[0], part.target.id)
    file = item.site.file
    test = Site(file, part.ifs[0])
    if found is None:
        return test.source, None
    lookup, value = found
    start = Site(file, part.iter).span.end
    text = f".filter({lookup}={Site(file, value).source})"
    edits = (Edit(Span(start, test.span.end), text, file.path),)
    return test.source, Fix("Filter in the database", edits, Grade.UNSAFE)


def _sliced(item: Note) -> tuple[str, Fix | None]:
    node, file = item.site.node, item.site.file
    assert isinstance(node, ast.Subscript)
    assert isinstance(node.value, ast.Call)
    queried = Site(file, node.value.args[0]).span.end
    called = Site(file, node.value).span.end
    part = file.text[called : item.site.span.end]
    edits = (
        Edit(Span(queried, queried), part, file.path),
        Edit(Span(called, item.site.span.end), "", file.path),
    )
    return part, Fix("Slice the query set", edits, Grade.SAFE)


def _twice(item: Note) -> tuple[str, Fix | None]:
    node, file = item.site.node, item.site.file
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Attribute)
    name = Site(file, node.func.value).source
    assert isinstance(file, Module)
    tested = isinstance(file.parents.get(node), (ast.If, ast.UnaryOp))
    text = f"len({name})" if node.func.attr == "count" else name if tested else f"bool({name})"
    return node.func.attr, Fix(
        "Ask the rows, which are loaded anyway", (Edit(item.site.span, text, file.path),), Grade.SAFE
    )


def _table(item: Note) -> tuple[str, Fix | None]:
    end = item.query.tail.span.end
    edit = Edit(Span(end, end), ".iterator()", item.site.file.path)
    return "", Fix("Read the rows as they come", (edit,), Grade.UNSAFE)


_MAKERS = {
    "count": _counted,
    "exists": _tested,
    "column": _one_column,
    "filter": _filtered,
    "slice": _sliced,
    "twice": _twice,
    "table": _table,
}
