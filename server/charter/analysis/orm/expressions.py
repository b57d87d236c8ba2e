"""Evaluates expressions to abstract values and sends attribute reads and calls to what understands them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from charter.analysis.orm import answers, rows
from charter.analysis.orm.arguments import Arguments
from charter.analysis.orm.mapping import Orm
from charter.analysis.orm.values import (
    NONE,
    UNKNOWN,
    ClassRef,
    Const,
    Container,
    Dictionary,
    Frame,
    Function,
    Instance,
    LazyRow,
    Manager,
    Method,
    Query,
    Row,
    Super,
    Unknown,
    Value,
    join,
    join_all,
)
from charter.analysis.orm.world import Class, Module, Site

if TYPE_CHECKING:
    from charter.analysis.orm.machine import Machine


def evaluate(run: Machine, node: ast.expr | None, frame: Frame) -> Value:
    """What an expression may be; the queries it runs are noted on the way."""
    if node is None:
        return NONE
    handler = _HANDLERS.get(type(node))
    if handler is None:
        return UNKNOWN
    return handler(run, node, frame)


def _constant(_run: Machine, node: ast.Constant, _frame: Frame) -> Value:
    return Const(node.value)


def _name(run: Machine, node: ast.Name, frame: Frame) -> Value:
    return run.lookup(frame, node.id)


def _attribute(run: Machine, node: ast.Attribute, frame: Frame) -> Value:
    return run.attribute(evaluate(run, node.value, frame), node.attr, Site(frame.module, node))


def _call(run: Machine, node: ast.Call, frame: Frame) -> Value:
    site = Site(frame.module, node)
    func = node.func
    if isinstance(func, ast.Name) and func.id == "super" and frame_receiver(frame) is not None:
        receiver, owner = frame_receiver(frame) or (UNKNOWN, None)
        return Super(receiver, owner) if owner else UNKNOWN
    if isinstance(func, ast.Attribute):
        receiver = evaluate(run, func.value, frame)
        if isinstance(receiver, Row):
            callee = rows.method(run, receiver, func.attr, Site(frame.module, func))
        elif isinstance(receiver, (Container, Dictionary, Const, Unknown)):
            callee = Method(receiver, func.attr)
        else:
            callee = run.attribute(receiver, func.attr, Site(frame.module, func))
    else:
        callee = evaluate(run, func, frame)
    arguments, keywords = _arguments(run, node, frame)
    return run.call(callee, Arguments(arguments, keywords, node, frame), site)


def frame_receiver(frame: Frame | None) -> tuple[Value, Class] | None:
    """The receiver and class of the method whose scope this is, for `super()`."""
    while frame is not None:
        if frame.owner is not None and frame.receiver is not None:
            return frame.receiver, frame.owner
        if frame.owner is not None and isinstance(frame.function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = frame.function.args.args[:1]
            if first and first[0].arg in frame.names:
                return frame.names[first[0].arg], frame.owner
        frame = frame.outer
    return None


def _arguments(run: Machine, node: ast.Call, frame: Frame) -> tuple[list[Value], dict[str, Value]]:
    positional: list[Value] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            value = evaluate(run, argument.value, frame)
            if isinstance(value, Container) and value.items is not None:
                positional.extend(value.items)
            elif isinstance(value, Query):
                positional.append(Container(iterate(run, value, Site(frame.module, argument))[0]))
        else:
            positional.append(evaluate(run, argument, frame))
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = evaluate(run, keyword.value, frame)
        if keyword.arg:
            keywords[keyword.arg] = value
        elif isinstance(value, Dictionary):
            keywords.update({str(k): v for k, v in value.entries.items()})
    return positional, keywords


# Structures
def _sequence(run: Machine, node: ast.List | ast.Tuple | ast.Set, frame: Frame) -> Value:
    items: list[Value] = []
    exact = True
    for element in node.elts:
        if isinstance(element, ast.Starred):
            inner = evaluate(run, element.value, frame)
            if isinstance(inner, Container) and inner.items is not None:
                items.extend(inner.items)
            else:
                items.append(iterate(run, inner, Site(frame.module, element))[0])
                exact = False
        else:
            items.append(evaluate(run, element, frame))
    if not items:
        return Container(None, [])
    return Container(None, items, bounded=True) if exact else Container(join_all(items))


def _dict(run: Machine, node: ast.Dict, frame: Frame) -> Value:
    result = Dictionary(bounded=True)
    for key, item in zip(node.keys, node.values, strict=True):
        value = evaluate(run, item, frame)
        if key is None:
            if isinstance(value, Dictionary):
                result.entries.update(value.entries)
                result.element = join(result.element, value.element) if value.element else result.element
            continue
        name = evaluate(run, key, frame)
        if isinstance(name, Const):
            result.entries[name.value] = value
        else:
            result.element = join(result.element, value) if result.element else value
    return result


def _comprehension(
    run: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, frame: Frame
) -> Value:
    scope = Frame(frame.module, {}, frame, frame.function, frame.owner, frame.receiver)
    return _generators(run, node, 0, scope)


def _generators(
    run: Machine,
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
    index: int,
    scope: Frame,
) -> Value:
    if index == len(node.generators):
        if isinstance(node, ast.DictComp):
            key = evaluate(run, node.key, scope)
            return Dictionary({}, key, evaluate(run, node.value, scope))
        return Container(evaluate(run, node.elt, scope))
    part = node.generators[index]
    value = evaluate(run, part.iter, scope)
    element, bounded = iterate(run, value, Site(scope.module, part.iter), is_async=bool(part.is_async))
    over = value if isinstance(value, Query) else None
    if index == 0 and over is not None:
        answers.comprehension(run, node, scope.module, over)
    site = Site(scope.module, part)
    with run.loop(
        site, bounded=bounded, what=rows.describe(value), over=over, rows=isinstance(element, Row)
    ) as loop:
        run.bind(part.target, run.vary(element, loop), scope)
        for test in part.ifs:
            evaluate(run, test, scope)
        result = _generators(run, node, index + 1, scope)
    if isinstance(result, (Container, Dictionary)) and bounded:
        result.bounded = True
    return result


def iterate(run: Machine, value: Value, site: Site, *, is_async: bool = False) -> tuple[Value, bool]:
    """What iterating gives, and whether the number of rounds is fixed by the code; a query runs."""
    match value:
        case Query():
            free = value.model.orm is Orm.TORTOISE and not is_async
            row = rows.row_of(run, value) if free else rows.evaluate_query(run, value, site)
            return row, value.limit is not None and value.limit <= 10
        case Manager():
            return UNKNOWN, False
        case LazyRow(row=row, relation=relation, site=origin):
            return rows.iterate_lazy(run, row, relation, origin), False
        case Container(items=items, element=element):
            if items is not None:
                found = join_all([*items, *([element] if element else [])])
                return found or UNKNOWN, value.bounded and element is None
            return element or UNKNOWN, value.bounded
        case Dictionary():
            return value.key or UNKNOWN, value.bounded and value.element is None
        case Const():
            return UNKNOWN, True
        case Unknown():
            return UNKNOWN, value.bounded
        case ClassRef(cls=cls):
            return Instance(cls), True
        case Instance(name="paginator", attributes=attributes):
            return iterate(run, attributes.get("rows", UNKNOWN), site)
        case Instance(cls=Class() as cls):
            found = run.world.member(cls, "__iter__")
            if found and isinstance(found[1], ast.FunctionDef):
                inner = run.invoke(Function(found[1], found[0].module, found[0], value), [], {}, site)
                return iterate(run, inner, site)
            return UNKNOWN, False
        case Method(name=name) if name in {"_meta", "fields", "choices"}:
            return UNKNOWN, True
        case _:
            return UNKNOWN, False


# Operators
def _bool_op(run: Machine, node: ast.BoolOp, frame: Frame) -> Value:
    result: Value | None = None
    for value in node.values:
        current = evaluate(run, value, frame)
        truth = truthiness(current)
        if isinstance(node.op, ast.Or) and truth is False:
            continue
        if isinstance(node.op, ast.And) and truth is False:
            return current
        site = Site(frame.module, value)
        if isinstance(current, Query) and not _is_test(frame.module, node):
            rows.evaluate_query(run, current, site)  # what it gives is wanted, not its truth alone
        else:
            rows.test(run, current, site)
        result = current if result is None else join(result, current)
        if isinstance(node.op, ast.Or) and truth is True:
            break
    return result or UNKNOWN


def _is_test(module: Module, node: ast.expr) -> bool:
    """Whether only the truth of an expression matters: a statement or an operator tests it."""
    parent = module.parents.get(node)
    if isinstance(parent, ast.BoolOp):
        return _is_test(module, parent)
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not)
    if isinstance(parent, ast.comprehension):
        return node in parent.ifs
    return isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)) and parent.test is node


def _if_exp(run: Machine, node: ast.IfExp, frame: Frame) -> Value:
    test = condition(run, node.test, frame)
    if test is True:
        return evaluate(run, node.body, frame)
    if test is False:
        return evaluate(run, node.orelse, frame)
    return join(evaluate(run, node.body, frame), evaluate(run, node.orelse, frame))


def condition(run: Machine, node: ast.expr, frame: Frame) -> bool | None:
    """Whether a test is certain to hold or to fail; None if it depends."""
    value = evaluate(run, node, frame)
    if not isinstance(node, ast.BoolOp):  # it has tested its parts
        rows.test(run, value, Site(frame.module, node))
    return truthiness(value)


def truthiness(value: Value) -> bool | None:
    """The truth of a value where it is certain."""
    match value:
        case Const(value=constant):
            return bool(constant)
        case Container(items=[], element=None):
            return None
        case _:
            return None


def _unary(run: Machine, node: ast.UnaryOp, frame: Frame) -> Value:
    value = evaluate(run, node.operand, frame)
    if isinstance(node.op, ast.Not):
        if not isinstance(node.operand, ast.BoolOp):
            rows.test(run, value, Site(frame.module, node.operand))
        truth = truthiness(value)
        return UNKNOWN if truth is None else Const(not truth)
    if isinstance(value, Const) and isinstance(node.op, ast.USub) and isinstance(value.value, (int, float)):
        return Const(-value.value)
    return UNKNOWN


def _compare(run: Machine, node: ast.Compare, frame: Frame) -> Value:
    left = evaluate(run, node.left, frame)
    rights = [evaluate(run, c, frame) for c in node.comparators]
    for operator, right, side in zip(node.ops, rights, node.comparators, strict=True):
        if isinstance(operator, (ast.In, ast.NotIn)) and isinstance(right, Query):
            rows.contains(run, right, Site(frame.module, side))
    if len(rights) == 1:
        operator, right = node.ops[0], rights[0]
        if isinstance(left, Const) and isinstance(right, Const):
            return _compare_constants(operator, left.value, right.value)
        if (
            isinstance(operator, (ast.Is, ast.IsNot))
            and right == NONE
            and isinstance(left, (Query, Manager, Container))
        ):
            return Const(isinstance(operator, ast.IsNot))
    return UNKNOWN


def _compare_constants(operator: ast.cmpop, left: object, right: object) -> Value:
    if isinstance(operator, (ast.Is, ast.Eq)):
        return Const(left == right)
    if isinstance(operator, (ast.IsNot, ast.NotEq)):
        return Const(left != right)
    return UNKNOWN


def _bin_op(run: Machine, node: ast.BinOp, frame: Frame) -> Value:
    left = evaluate(run, node.left, frame)
    right = evaluate(run, node.right, frame)
    if isinstance(node.op, ast.Mod) and isinstance(left, Const) and isinstance(left.value, str):
        for item in right.items or [] if isinstance(right, Container) else [right]:
            stringify(run, item, Site(frame.module, node.right))
        return UNKNOWN
    if isinstance(left, Container) and isinstance(right, Container):
        return join(left, right)
    if isinstance(left, Query) and isinstance(right, (Query, Unknown)):
        return left
    if isinstance(right, Query) and isinstance(node.op, (ast.BitOr, ast.BitAnd)):
        return right
    if isinstance(left, Const) and isinstance(right, Const):
        one, other = left.value, right.value
        return Const(one + other) if isinstance(one, str) and isinstance(other, str) else UNKNOWN
    if isinstance(left, (Container, Query)) and isinstance(node.op, ast.Add):
        return left
    return UNKNOWN


def _subscript(run: Machine, node: ast.Subscript, frame: Frame) -> Value:
    value = evaluate(run, node.value, frame)
    site = Site(frame.module, node)
    if isinstance(node.slice, ast.Slice):
        upper = evaluate(run, node.slice.upper, frame) if node.slice.upper else None
        lower = evaluate(run, node.slice.lower, frame) if node.slice.lower else None
        if isinstance(value, (Query, Manager)):
            return rows.sliced(run, value, lower, upper, site)
        if isinstance(value, Container):
            answers.sliced(run, node, frame.module)
            limit = upper.value if isinstance(upper, Const) else None
            return Container(
                rows.element_of(run, value),
                bounded=value.bounded or (isinstance(limit, int) and 0 < limit <= 10),
            )
        return Unknown(getattr(value, "hint", ""))
    key = evaluate(run, node.slice, frame)
    match value:
        case Query():
            return rows.take(run, value, site, "[]")
        case Container(items=items):
            if (
                items
                and isinstance(key, Const)
                and isinstance(key.value, int)
                and -len(items) <= key.value < len(items)
            ):
                return items[key.value]
            return run.picked(rows.element_of(run, value), node.slice, frame)
        case Dictionary():
            if isinstance(key, Const) and key.value in value.entries:
                return value.entries[key.value]
            found = value.element
            if found is None and not isinstance(key, Const):
                found = join_all(list(value.entries.values()))
            return run.picked(found or UNKNOWN, node.slice, frame)
        case _:
            return UNKNOWN


def _joined(run: Machine, node: ast.JoinedStr, frame: Frame) -> Value:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            value = evaluate(run, part.value, frame)
            stringify(run, value, Site(frame.module, part.value))
    return UNKNOWN


def stringify(run: Machine, value: Value, site: Site) -> Value:
    """`str(value)`: runs the class's `__str__`."""
    cls = value.model.cls if isinstance(value, Row) else value.cls if isinstance(value, Instance) else None
    if cls is not None:
        for name in ("__str__", "__repr__"):
            found = run.world.member(cls, name)
            if found and isinstance(found[1], ast.FunctionDef):
                run.invoke(Function(found[1], found[0].module, found[0], value), [], {}, site)
                break
    return UNKNOWN


def _lambda(_run: Machine, node: ast.Lambda, frame: Frame) -> Value:
    return Function(node, frame.module, closure=frame)


def _await(run: Machine, node: ast.Await, frame: Frame) -> Value:
    value = evaluate(run, node.value, frame)
    return rows.awaited(run, value, Site(frame.module, node.value))


def _yield(run: Machine, node: ast.Yield, frame: Frame) -> Value:
    value = evaluate(run, node.value, frame) if node.value else NONE
    frame.yields.append(value)
    frame.is_generator = True
    return UNKNOWN


def _yield_from(run: Machine, node: ast.YieldFrom, frame: Frame) -> Value:
    value = evaluate(run, node.value, frame)
    frame.yields.append(iterate(run, value, Site(frame.module, node.value))[0])
    frame.is_generator = True
    return UNKNOWN


def _named(run: Machine, node: ast.NamedExpr, frame: Frame) -> Value:
    value = evaluate(run, node.value, frame)
    run.bind(node.target, value, frame)
    return value


def _starred(run: Machine, node: ast.Starred, frame: Frame) -> Value:
    return evaluate(run, node.value, frame)


_HANDLERS: dict[type[ast.expr], Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.BoolOp: _bool_op,
    ast.IfExp: _if_exp,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BinOp: _bin_op,
    ast.Subscript: _subscript,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
    ast.NamedExpr: _named,
    ast.Starred: _starred,
}
