"""The intermediate representation of a file: what its functions do, as nested tuples that `marshal` can store.

A node is `(opcode, position, …)`. A position is a number into the function's table of places (`PLACES`), so that code
that merely moves keeps an equal representation. It knows no types and no libraries.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = tuple[Any, ...]
"""An expression or a statement: opcode, position (0 where none is needed), operands."""

# Expressions
CONST: Final = 0  # value
LOCAL: Final = 1  # name
GLOBAL: Final = 2  # name
FREE: Final = 3  # name, of an enclosing function
ATTR: Final = 4  # object, name
ITEM: Final = 5  # object, index
SLICE: Final = 6  # lower, upper, step (None where absent)
CALL: Final = 7  # function, arguments, keywords as (name or None, value)
BINARY: Final = 8  # operator, left, right
BOOLEAN: Final = 9  # "and" or "or", operands
NOT: Final = 10  # operand
UNARY: Final = 11  # operator, operand
COMPARE: Final = 12  # left, operators, right-hand sides
CHOICE: Final = 13  # test, value if true, value if false
FORMAT: Final = 14  # parts: text, or (expression, conversion, format)
SEQUENCE: Final = 15  # "list", "tuple" or "set", elements
MAPPING: Final = 16  # pairs; the key is None for `**`
FUNCTION: Final = 17  # index of the function (lambdas)
COMPREHENSION: Final = 18  # sort, key or None, element, generators as (target, iterable, conditions)
YIELD: Final = 19  # value or None
DELEGATE: Final = 20  # value of `yield from`
WALRUS: Final = 21  # target, value
STARRED: Final = 22  # value
OPAQUE: Final = 23  # operands that are evaluated; the result is unknown

# Statements
EXPRESSION: Final = 0  # expression
ASSIGN: Final = 1  # targets, value
AUGMENT: Final = 2  # target, operator, value
RETURN: Final = 3  # value or None
IF: Final = 4  # test, body, else
WHILE: Final = 5  # test, body, else
FOR: Final = 6  # target, iterable, body, else
TRY: Final = 7  # body, handlers as (type or None, name or None, body), else, finally
WITH: Final = 8  # items as (expression, target or None), body
RAISE: Final = 9  # exception or None
MATCH: Final = 10  # subject, cases as (pattern, guard or None, body)
DELETE: Final = 11  # targets
DEFINE: Final = 12  # target, index of the function
CLASS: Final = 13  # target, index of the class
IMPORT: Final = 14  # target, level, module, name ("" binds the module)
BREAK: Final = 15
CONTINUE: Final = 16
ANNOTATED: Final = 17  # target, annotation, value or None

# Patterns of MATCH
ANY: Final = 0
VALUE: Final = 1  # expression
BIND: Final = 2  # target, inner pattern or None
EITHER: Final = 3  # patterns
TYPED: Final = 4  # class, positional patterns, keyword patterns as (name, pattern)
LISTED: Final = 5  # patterns; a starred one is (BIND, position, target, None, "*")
KEYED: Final = 6  # pairs as (expression, pattern), target of the rest or None

# Parts of a function record
NAME: Final = 0  # qualified name within the module
LINE: Final = 1  # first line, 1-based
PARAMETERS: Final = 2  # (name, annotation or None, default or None, sort) each
BODY: Final = 3  # statements, as `marshal` writes them: most bodies are read once
DECORATORS: Final = 4
FREES: Final = 5  # names taken from enclosing functions
PARENT: Final = 6  # index of the enclosing function
OWNER: Final = 7  # index of the class, -1 for none
RETURNS: Final = 8  # annotation or None
FLAGS: Final = 9
NESTED: Final = 10  # name to index of the functions defined directly inside
PLACES: Final = 11  # the place of each position, as `packed` writes them
WORDS: Final = 12  # attributes and global names that body and annotations mention, and "(name" for parameters
STORES: Final = 13  # attributes that the body assigns (a class's body: names), and "::name" for global names
HEADER_PLACES: Final = 14  # likewise, of positions from `HEADER` on
CALLS: Final = 15  # what the body calls, as text: see `charter.model.lower`

# Sorts of parameters
POSITIONAL: Final = 0
KEYWORD: Final = 1
VARIADIC: Final = 2
KEYWORDS: Final = 3

BODY_FORMAT: Final = 2
"""`marshal`'s format for bodies: without back references, so that equal code has equal bytes."""

# Flags
GENERATOR: Final = 1
ASYNCHRONOUS: Final = 2
CLASS_BODY: Final = 4
LAMBDA: Final = 8
ENDS: Final = 16  # its last statement lets it end: it does not merely raise, or call something that may

# Parts of a class record
CLASS_NAME: Final = 0  # qualified name within the module
BASES: Final = 1  # expressions
CLASS_BODY_FUNCTION: Final = 2  # index of the function record of its body
METHODS: Final = 3  # name to index of the function
CLASS_PARENT: Final = 4  # index of the function in which it is defined
CLASS_DECORATORS: Final = 5
ANNOTATIONS: Final = 6  # attribute to annotation
CLASS_LINE: Final = 7

# Parts of a file record
FUNCTIONS: Final = 0
CLASSES: Final = 1
IMPORTS: Final = 2  # bound name to (level, module, name)
STARS: Final = 3  # modules imported with `*`, as (level, module)
LINES: Final = 4  # offsets of the lines' starts, as bytes of 4-byte integers
DEFINED: Final = 5  # module-level name to ("function" or "class", index)
ROOTS: Final = 6  # modules of all absolute imports
GIVEN: Final = 7  # module-level name to the text of the call that it was assigned last, as in CALLS

HEADER: Final = 1 << 24
"""Positions in decorators, defaults, annotations and bases begin here, in the function around what they belong to."""

_LARGEST = 0xFFFF


def blocks(statement: Node) -> Iterator[tuple[Node, ...]]:
    """The statements inside a compound statement, block by block; nothing for another."""
    opcode = statement[0]
    if opcode in {IF, WHILE}:
        yield from statement[3:5]
    elif opcode == FOR:
        yield from statement[4:6]
    elif opcode == WITH:
        yield statement[3]
    elif opcode == TRY:
        yield statement[2]
        for _, _, handler in statement[3]:
            yield handler
        yield from statement[4:6]
    elif opcode == MATCH:
        for _, _, case in statement[3]:
            yield case


def packed(places: list[int]) -> bytes:
    """A table of places: for each position its first line from the function's first, column, last line, end column.

    Columns are 0-based code points. What is beyond 65,535 is cut. The first byte tells how many bytes each number takes.
    """
    try:
        return b"\1" + bytes(places)  # of nearly every function
    except ValueError:
        return b"\2" + array("H", [min(number, _LARGEST) for number in places]).tobytes()


def place(record: Node, position: int) -> tuple[int, int, int, int]:
    """The place of a position.

    Args:
        record: the function's record.
        position: the position.

    Returns:
        First line from the function's first, 0-based column, last line, column behind the last character.
    """
    places = record[PLACES] if position < HEADER else record[HEADER_PLACES]
    each = places[0] if places else 1
    at = position % HEADER * 4 * each + 1
    line, column, last, end = array("BH"[each - 1], places[at : at + 4 * each] or bytes(4 * each))
    return (line, column, last, end)
