"""Converts LibCST expressions into `ast` expressions, in the order of the text. It knows no statements.

Each handler gets the cursor, the node and the offset of the node's first token behind its own parentheses, reads to
the node's last token and gives the placed `ast` node.
"""

from __future__ import annotations

import ast
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import libcst as cst

from charter.syntax.convert.strings import string

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.syntax.convert.cursor import Cursor
    from charter.syntax.convert.strings import Piece

LOAD: Final = ast.Load()
STORE: Final = ast.Store()
DEL: Final = ast.Del()

_CONSTANTS: Final = {"None": None, "True": True, "False": False}
_OWN_PARENTHESES: Final = frozenset({cst.Tuple, cst.GeneratorExp})
"""Expressions whose innermost parentheses belong to their place."""

_COMPARE: Final[dict[type[cst.BaseCompOp], ast.cmpop]] = {
    cst.LessThan: ast.Lt(),
    cst.GreaterThan: ast.Gt(),
    cst.Equal: ast.Eq(),
    cst.LessThanEqual: ast.LtE(),
    cst.GreaterThanEqual: ast.GtE(),
    cst.NotEqual: ast.NotEq(),
    cst.In: ast.In(),
    cst.NotIn: ast.NotIn(),
    cst.Is: ast.Is(),
    cst.IsNot: ast.IsNot(),
}
_COMPARE_TOKENS: Final[dict[type[cst.BaseCompOp], tuple[int, ...]]] = {
    cst.LessThan: (1,),
    cst.GreaterThan: (1,),
    cst.NotIn: (3, 2),
    cst.IsNot: (2, 3),
}
"""Lengths of the tokens of a comparison; two characters where it is not named."""
_UNARY: Final[dict[type[cst.BaseUnaryOp], tuple[ast.unaryop, int]]] = {
    cst.Plus: (ast.UAdd(), 1),
    cst.Minus: (ast.USub(), 1),
    cst.BitInvert: (ast.Invert(), 1),
    cst.Not: (ast.Not(), 3),
}
BINARY: Final[dict[type[cst.BaseBinaryOp | cst.BaseAugOp], tuple[ast.operator, int]]] = {
    cst.Add: (ast.Add(), 1),
    cst.Subtract: (ast.Sub(), 1),
    cst.Multiply: (ast.Mult(), 1),
    cst.Divide: (ast.Div(), 1),
    cst.FloorDivide: (ast.FloorDiv(), 2),
    cst.Modulo: (ast.Mod(), 1),
    cst.Power: (ast.Pow(), 2),
    cst.LeftShift: (ast.LShift(), 2),
    cst.RightShift: (ast.RShift(), 2),
    cst.BitOr: (ast.BitOr(), 1),
    cst.BitAnd: (ast.BitAnd(), 1),
    cst.BitXor: (ast.BitXor(), 1),
    cst.MatrixMultiply: (ast.MatMult(), 1),
    cst.AddAssign: (ast.Add(), 2),
    cst.SubtractAssign: (ast.Sub(), 2),
    cst.MultiplyAssign: (ast.Mult(), 2),
    cst.DivideAssign: (ast.Div(), 2),
    cst.FloorDivideAssign: (ast.FloorDiv(), 3),
    cst.ModuloAssign: (ast.Mod(), 2),
    cst.PowerAssign: (ast.Pow(), 3),
    cst.LeftShiftAssign: (ast.LShift(), 3),
    cst.RightShiftAssign: (ast.RShift(), 3),
    cst.BitOrAssign: (ast.BitOr(), 2),
    cst.BitAndAssign: (ast.BitAnd(), 2),
    cst.BitXorAssign: (ast.BitXor(), 2),
    cst.MatrixMultiplyAssign: (ast.MatMult(), 2),
}
"""The operator and the length of its token."""
_BOOLEAN: Final[dict[type[cst.BaseBooleanOp], tuple[ast.boolop, int]]] = {
    cst.And: (ast.And(), 3),
    cst.Or: (ast.Or(), 2),
}


def expression(at: Cursor, node: cst.BaseExpression) -> ast.expr:
    """Convert one expression, its parentheses included.

    Raises:
        SyntaxError: for a literal that no Python accepts.
    """
    kind = type(node)
    parentheses = len(node.lpar)
    if not parentheses:
        return _HANDLERS[kind](at, node, at.skip())
    if kind in _OWN_PARENTHESES:
        parentheses -= 1
    for _ in range(parentheses):
        at.take(1)
    converted = _HANDLERS[kind](at, node, at.skip())
    for _ in range(parentheses):
        at.take(1)
    return converted


def target(at: Cursor, node: cst.BaseExpression) -> ast.expr:
    """Convert an expression that is assigned to."""
    converted = expression(at, node)
    set_context(converted, STORE)
    return converted


def set_context(node: ast.expr, context: ast.expr_context) -> None:
    """Mark an expression, and the targets inside it, as stored to or deleted."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        node.ctx = context
    elif isinstance(node, (ast.Tuple, ast.List)):
        node.ctx = context
        for element in node.elts:
            set_context(element, context)
    elif isinstance(node, ast.Starred):
        node.ctx = context
        set_context(node.value, context)


def identifier(at: Cursor, node: cst.Name) -> str:
    """Read a bare name; names are compared in NFKC, so that is how `ast` gives them."""
    value = node.value
    at.take(len(value))
    return value if value.isascii() else unicodedata.normalize("NFKC", value)


def comma(at: Cursor, node: Any) -> bool:
    """Read the comma behind an element, if it has one."""
    if type(node.comma) is cst.Comma:
        at.take(1)
        return True
    return False


def _name(at: Cursor, node: cst.Name, start: int) -> ast.expr:
    value = node.value
    at.pos = start + len(value)
    if value in _CONSTANTS:
        return at.place(ast.Constant(value=_CONSTANTS[value]), start)
    if not value.isascii():
        value = unicodedata.normalize("NFKC", value)
    return at.place(ast.Name(id=value, ctx=LOAD), start)


def _ellipsis(at: Cursor, _node: cst.Ellipsis, start: int) -> ast.expr:
    at.pos = start + 3
    return at.place(ast.Constant(value=...), start)


def _number(at: Cursor, node: cst.Integer | cst.Float | cst.Imaginary, start: int) -> ast.expr:
    text = node.value
    at.pos = start + len(text)
    try:
        if isinstance(node, cst.Integer):
            value: complex = int(text, 0)
        elif isinstance(node, cst.Float):
            value = float(text)
        else:
            value = complex(0, float(text[:-1]))
    except ValueError as error:  # more digits than `sys.get_int_max_str_digits` allows
        raise SyntaxError(str(error)) from None
    return at.place(ast.Constant(value=value), start)


def _string(at: Cursor, node: Piece, start: int) -> ast.expr:
    return string(at, [node], expression, start)


def _concatenated(at: Cursor, node: cst.ConcatenatedString, start: int) -> ast.expr:
    pieces: list[Piece] = []
    rest: Any = node
    while type(rest) is cst.ConcatenatedString:
        pieces.append(rest.left)
        rest = rest.right
    pieces.append(rest)
    return string(at, pieces, expression, start)


def _attribute(at: Cursor, node: cst.Attribute, start: int) -> ast.expr:
    value = expression(at, node.value)
    at.take(1)
    return at.place(ast.Attribute(value=value, attr=identifier(at, node.attr), ctx=LOAD), start)


def _binary(at: Cursor, node: cst.BinaryOperation, start: int) -> ast.expr:
    """Convert a chain of operators without recursion: sums of hundreds of terms are real."""
    chain = [(node, start)]
    left = node.left
    while type(left) is cst.BinaryOperation and not left.lpar:
        assert isinstance(left, cst.BinaryOperation)
        chain.append((left, start))
        left = left.left
    result = expression(at, left)
    for link, begin in reversed(chain):
        operator, length = BINARY[type(link.operator)]
        at.take(length)
        right = expression(at, link.right)
        result = at.place(ast.BinOp(left=result, op=operator, right=right), begin)
    return result


def _boolean(at: Cursor, node: cst.BooleanOperation, start: int) -> ast.expr:
    """Flatten `a and b and c`, which LibCST nests to the left, into one operation."""
    kind = type(node.operator)
    operator, length = _BOOLEAN[kind]
    rights = [node.right]
    left = node.left
    while isinstance(left, cst.BooleanOperation) and not left.lpar and type(left.operator) is kind:
        rights.append(left.right)
        left = left.left
    values = [expression(at, left)]
    for right in reversed(rights):
        at.take(length)
        values.append(expression(at, right))
    return at.place(ast.BoolOp(op=operator, values=values), start)


def _unary(at: Cursor, node: cst.UnaryOperation, start: int) -> ast.expr:
    operator, length = _UNARY[type(node.operator)]
    at.take(length)
    return at.place(ast.UnaryOp(op=operator, operand=expression(at, node.expression)), start)


def _comparison(at: Cursor, node: cst.Comparison, start: int) -> ast.expr:
    left = expression(at, node.left)
    operators: list[ast.cmpop] = []
    comparators: list[ast.expr] = []
    for part in node.comparisons:
        kind = type(part.operator)
        operators.append(_COMPARE[kind])
        for length in _COMPARE_TOKENS.get(kind, (2,)):
            at.take(length)
        comparators.append(expression(at, part.comparator))
    return at.place(ast.Compare(left=left, ops=operators, comparators=comparators), start)


def _conditional(at: Cursor, node: cst.IfExp, start: int) -> ast.expr:
    body = expression(at, node.body)
    at.take(2)
    test = expression(at, node.test)
    at.take(4)
    return at.place(ast.IfExp(test=test, body=body, orelse=expression(at, node.orelse)), start)


def _walrus(at: Cursor, node: cst.NamedExpr, start: int) -> ast.expr:
    name = target(at, node.target)
    at.take(2)
    return at.place(ast.NamedExpr(target=name, value=expression(at, node.value)), start)  # pyright: ignore[reportArgumentType]


def _await(at: Cursor, node: cst.Await, start: int) -> ast.expr:
    at.take(5)
    return at.place(ast.Await(value=expression(at, node.expression)), start)


def _yield(at: Cursor, node: cst.Yield, start: int) -> ast.expr:
    at.take(5)
    value = node.value
    if isinstance(value, cst.From):
        at.take(4)
        return at.place(ast.YieldFrom(value=expression(at, value.item)), start)
    return at.place(ast.Yield(value=expression(at, value) if value is not None else None), start)


def _starred(at: Cursor, node: cst.StarredElement, start: int) -> ast.expr:
    at.take(1)
    return at.place(ast.Starred(value=expression(at, node.value), ctx=LOAD), start)


def elements(at: Cursor, nodes: Sequence[cst.BaseElement]) -> list[ast.expr]:
    """Convert the elements of a tuple, list or set with their commas."""
    converted: list[ast.expr] = []
    for node in nodes:
        converted.append(expression(at, node if isinstance(node, cst.StarredElement) else node.value))
        comma(at, node)
    return converted


def _tuple(at: Cursor, node: cst.Tuple, start: int) -> ast.expr:
    if node.lpar:
        at.take(1)
    values = elements(at, node.elements)
    if node.lpar:
        at.take(1)
    return at.place(ast.Tuple(elts=values, ctx=LOAD), start)


def _list(at: Cursor, node: cst.List, start: int) -> ast.expr:
    at.take(1)
    values = elements(at, node.elements)
    at.take(1)
    return at.place(ast.List(elts=values, ctx=LOAD), start)


def _set(at: Cursor, node: cst.Set, start: int) -> ast.expr:
    at.take(1)
    values = elements(at, node.elements)
    at.take(1)
    return at.place(ast.Set(elts=values), start)


def _dict(at: Cursor, node: cst.Dict, start: int) -> ast.expr:
    keys: list[ast.expr | None] = []
    values: list[ast.expr] = []
    at.take(1)
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            keys.append(expression(at, element.key))
            at.take(1)
        else:
            keys.append(None)
            at.take(2)
        values.append(expression(at, element.value))
        comma(at, element)
    at.take(1)
    return at.place(ast.Dict(keys=keys, values=values), start)


def _generators(at: Cursor, node: cst.CompFor) -> list[ast.comprehension]:
    generators: list[ast.comprehension] = []
    following: cst.CompFor | None = node
    while following is not None:
        is_async = following.asynchronous is not None
        if is_async:
            at.take(5)
        at.take(3)
        variable = target(at, following.target)
        at.take(2)
        iterable = expression(at, following.iter)
        tests: list[ast.expr] = []
        for test in following.ifs:
            at.take(2)
            tests.append(expression(at, test.test))
        generators.append(
            ast.comprehension(target=variable, iter=iterable, ifs=tests, is_async=int(is_async))
        )
        following = following.inner_for_in
    return generators


_KINDS: Final = {cst.GeneratorExp: ast.GeneratorExp, cst.ListComp: ast.ListComp, cst.SetComp: ast.SetComp}


def _comprehension(at: Cursor, node: cst.GeneratorExp | cst.ListComp | cst.SetComp, start: int) -> ast.expr:
    """Convert a comprehension; the generator that is the only argument of a call borrows the call's parentheses."""
    at.take(1)
    element = expression(at, node.elt)
    generators = _generators(at, node.for_in)
    at.take(1)
    return at.place(_KINDS[type(node)](elt=element, generators=generators), start)


def _dict_comprehension(at: Cursor, node: cst.DictComp, start: int) -> ast.expr:
    at.take(1)
    key = expression(at, node.key)
    at.take(1)
    value = expression(at, node.value)
    generators = _generators(at, node.for_in)
    at.take(1)
    return at.place(ast.DictComp(key=key, value=value, generators=generators), start)


def _unpacking_comprehension(at: Cursor, node: cst.StarredDictComp, start: int) -> ast.expr:
    """Convert `{**x for x in y}` (PEP 798), which has a key that is a mapping and no value."""
    at.take(1)
    at.take(2)
    key = expression(at, node.value)
    generators = _generators(at, node.for_in)
    at.take(1)
    comprehension = ast.DictComp(key=key, value=None, generators=generators)  # pyright: ignore[reportArgumentType]
    return at.place(comprehension, start)


def _subscript(at: Cursor, node: cst.Subscript, start: int) -> ast.expr:
    value = expression(at, node.value)
    at.take(1)
    begin = at.skip()
    parts: list[ast.expr] = []
    is_tuple = len(node.slice) > 1
    for element in node.slice:
        parts.append(_slice(at, element.slice))
        is_tuple = comma(at, element) or is_tuple or isinstance(parts[0], ast.Starred)
    index = at.place(ast.Tuple(elts=parts, ctx=LOAD), begin) if is_tuple else parts[0]
    at.take(1)
    return at.place(ast.Subscript(value=value, slice=index, ctx=LOAD), start)


def _slice(at: Cursor, node: cst.BaseSlice) -> ast.expr:
    start = at.skip()
    if isinstance(node, cst.Index):
        if node.star is None:
            return expression(at, node.value)
        at.take(1)
        return at.place(ast.Starred(value=expression(at, node.value), ctx=LOAD), start)
    assert isinstance(node, cst.Slice)
    lower = expression(at, node.lower) if node.lower is not None else None
    at.take(1)
    upper = expression(at, node.upper) if node.upper is not None else None
    if isinstance(node.second_colon, cst.Colon):
        at.take(1)
    step = expression(at, node.step) if node.step is not None else None
    return at.place(ast.Slice(lower=lower, upper=upper, step=step), start)


def arguments(at: Cursor, nodes: Sequence[cst.Arg]) -> tuple[list[ast.expr], list[ast.keyword]]:
    """Convert the arguments of a call or the bases of a class, without the parentheses."""
    positional: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    for node in nodes:
        start = at.skip()
        if node.star == "*":
            at.take(1)
            value = expression(at, node.value)
            positional.append(at.place(ast.Starred(value=value, ctx=LOAD), start))
        elif node.star:
            at.take(2)
            value = expression(at, node.value)
            keywords.append(at.place(ast.keyword(arg=None, value=value), start))
        elif node.keyword is not None:
            name = identifier(at, node.keyword)
            at.take(1)
            value = expression(at, node.value)
            keywords.append(at.place(ast.keyword(arg=name, value=value), start))
        else:
            positional.append(expression(at, node.value))
        comma(at, node)
    return positional, keywords


def _call(at: Cursor, node: cst.Call, start: int) -> ast.expr:
    function = expression(at, node.func)
    only = node.args[0].value if len(node.args) == 1 else None
    if isinstance(only, cst.GeneratorExp) and not only.lpar:
        argument = _comprehension(at, only, at.skip())
        return at.place(ast.Call(func=function, args=[argument], keywords=[]), start)
    at.take(1)
    positional, keywords = arguments(at, node.args)
    at.take(1)
    return at.place(ast.Call(func=function, args=positional, keywords=keywords), start)


def _lambda(at: Cursor, node: cst.Lambda, start: int) -> ast.expr:
    at.take(6)
    parameters_ = parameters(at, node.params)
    at.take(1)
    return at.place(ast.Lambda(args=parameters_, body=expression(at, node.body)), start)


def parameters(at: Cursor, node: cst.Parameters) -> ast.arguments:
    """Convert the parameters of a function or lambda, without the parentheses."""
    converted = ast.arguments(
        posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[]
    )
    for kind, bunch in ((converted.posonlyargs, node.posonly_params), (converted.args, node.params)):
        for item in bunch:
            parameter, default = _parameter(at, item)
            kind.append(parameter)
            if default is not None:
                converted.defaults.append(default)
        if bunch is node.posonly_params and isinstance(node.posonly_ind, cst.ParamSlash):
            at.take(1)
            comma(at, node.posonly_ind)
    if isinstance(node.star_arg, cst.Param):
        converted.vararg = _parameter(at, node.star_arg)[0]
    elif isinstance(node.star_arg, cst.ParamStar):
        at.take(1)
        comma(at, node.star_arg)
    for item in node.kwonly_params:
        parameter, default = _parameter(at, item)
        converted.kwonlyargs.append(parameter)
        converted.kw_defaults.append(default)
    if node.star_kwarg is not None:
        converted.kwarg = _parameter(at, node.star_kwarg)[0]
    return converted


def _parameter(at: Cursor, node: cst.Param) -> tuple[ast.arg, ast.expr | None]:
    if isinstance(node.star, str):
        at.take(len(node.star))
    start = at.skip()
    name = identifier(at, node.name)
    annotation = None
    if node.annotation is not None:
        at.take(1)
        annotation = expression(at, node.annotation.annotation)
    parameter = at.place(ast.arg(arg=name, annotation=annotation), start)
    default = None
    if node.default is not None:
        at.take(1)
        default = expression(at, node.default)
    comma(at, node)
    return parameter, default


_HANDLERS: Final[dict[type[cst.CSTNode], Callable[[Cursor, Any, int], ast.expr]]] = {
    cst.Name: _name,
    cst.Ellipsis: _ellipsis,
    cst.Integer: _number,
    cst.Float: _number,
    cst.Imaginary: _number,
    cst.SimpleString: _string,
    cst.FormattedString: _string,
    cst.TemplatedString: _string,
    cst.ConcatenatedString: _concatenated,
    cst.Attribute: _attribute,
    cst.BinaryOperation: _binary,
    cst.BooleanOperation: _boolean,
    cst.UnaryOperation: _unary,
    cst.Comparison: _comparison,
    cst.IfExp: _conditional,
    cst.NamedExpr: _walrus,
    cst.Await: _await,
    cst.Yield: _yield,
    cst.StarredElement: _starred,
    cst.Tuple: _tuple,
    cst.List: _list,
    cst.Set: _set,
    cst.Dict: _dict,
    cst.GeneratorExp: _comprehension,
    cst.ListComp: _comprehension,
    cst.SetComp: _comprehension,
    cst.DictComp: _dict_comprehension,
    cst.StarredDictComp: _unpacking_comprehension,
    cst.Subscript: _subscript,
    cst.Call: _call,
    cst.Lambda: _lambda,
}
