"""The intermediate representation of a file: what its functions do, as nested tuples that `marshal` can store.

A node is `(opcode, position, …)`. A position packs a place relative to the function's first line (`pack`), so that
a function that merely moves keeps an equal representation. It knows no types and no libraries.
"""

from __future__ import annotations

from typing import Any, Final

Node = tuple[Any, ...]
"""An expression or a statement: opcode, packed position, operands."""

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
ROOTS: Final = 6  # first parts of all absolute imports
MENTIONED: Final = 7  # names of attributes assigned anywhere in the file

_COLUMN_BITS = 16
_COLUMN = (1 << _COLUMN_BITS) - 1
_LINE_BITS = 16
_LINES = (1 << _LINE_BITS) - 1


def pack(line: int, column: int, lines: int, end_column: int) -> int:
    """Pack a place into one integer.

    Args:
        line: lines from the function's first line.
        column: 0-based first column, in code points.
        lines: further lines that the place spans.
        end_column: column behind the last character.

    Returns:
        The packed place; columns beyond 65,535 are cut.
    """
    return (
        line << (_COLUMN_BITS + _LINE_BITS + _COLUMN_BITS)
        | min(column, _COLUMN) << (_LINE_BITS + _COLUMN_BITS)
        | min(lines, _LINES) << _COLUMN_BITS
        | min(end_column, _COLUMN)
    )


def unpack(position: int) -> tuple[int, int, int, int]:
    """Take a packed place apart, into the arguments of `pack`."""
    return (
        position >> (_COLUMN_BITS + _LINE_BITS + _COLUMN_BITS),
        position >> (_LINE_BITS + _COLUMN_BITS) & _COLUMN,
        position >> _COLUMN_BITS & _LINES,
        position & _COLUMN,
    )
