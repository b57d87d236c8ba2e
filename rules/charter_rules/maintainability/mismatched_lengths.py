"""Finds values that are unpacked into another number of names, and `zip` of lists of unequal lengths."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from charter.api import Severity, rule
from charter.api.facts.contracts import WrongCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.api import Context, Finding


@rule(
    WrongCall,
    ast.Assign,
    ast.Call,
    code="MNT228",
    principles=("robust-comparisons",),
    severity=Severity.HIGH,
    kinds=("unpacked",),
    when=lambda node: (
        type(node) is not ast.Assign or type(node.value) is ast.Tuple or type(node.value) is ast.List
    ),
    calls=("builtins.zip",),
    aliases=("W0632", "E0633"),
)
def mismatched_lengths(place: WrongCall | ast.Assign | ast.Call, ctx: Context) -> Iterator[Finding]:
    """Values are unpacked into more or fewer names than there are, or `zip` drops the end of a longer list.

    Unpacking raises `ValueError`; `zip` says nothing and leaves the rest out. Lists and tuples that are written out are
    counted, and so is what a function of the project returns, in any file, if it always returns a tuple of one length.

    ```python bad
    def bounds(rows):
        return min(rows), max(rows)

    def show(rows):
        low, high, mean = bounds(rows)
    #                     ^^^^^^^^^^^^ `bounds` returns 2 values, which are unpacked into 3
        print(low, high, mean)
    ```
    ```python bad
    for name, rate in zip(["DE", "AT", "CH"], [0.19, 0.2]):
    #                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `zip` stops after 2 items and drops the rest: the lengths are 3 and 2
        print(name, rate)
    ```
    ```python good
    def bounds(rows):
        return min(rows), max(rows)

    def show(rows):
        low, high = bounds(rows)
        print(low, high)
    ```
    """
    if isinstance(place, WrongCall):
        wanted, given = place.counts
        if not ctx.is_test:
            related = [] if place.defined is None else [ctx.related(place.defined, "returns them")]
            yield ctx.finding(
                place.location,
                f"`{place.name}` returns {given} values, which are unpacked into {wanted}",
                related=related,
            )
    elif isinstance(place, ast.Assign):
        yield from _assignment(place, ctx)
    else:
        yield from _zip(place, ctx)


def _assignment(assignment: ast.Assign, ctx: Context) -> Iterator[Finding]:
    value = assignment.value
    if not isinstance(value, (ast.Tuple, ast.List)):
        ctx.not_an_opportunity()
        return
    for target in assignment.targets:
        if isinstance(target, (ast.Tuple, ast.List)) and _is_plain(target) and _is_plain(value):
            wanted, given = len(target.elts), len(value.elts)
            if wanted != given:
                yield ctx.finding(value, f"{_count(given)} unpacked into {wanted}")


def _zip(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    if any(keyword.arg == "strict" for keyword in call.keywords):
        return
    lengths: list[int] = []
    for argument in call.args:
        origin = (
            ctx.origin(argument)
            if isinstance(argument, ast.Name) and ctx.function(call) is not None
            else argument
        )
        if isinstance(origin, (ast.List, ast.Tuple)) and _is_plain(origin) and not _may_grow(argument, ctx):
            lengths.append(len(origin.elts))
        elif isinstance(origin, ast.Constant) and isinstance(origin.value, str) and origin is argument:
            lengths.append(len(origin.value))
        else:
            return  # it may be as long as it likes
    if len(set(lengths)) > 1:
        counted = " and ".join(str(length) for length in lengths)
        yield ctx.finding(
            call, f"`zip` stops after {min(lengths)} items and drops the rest: the lengths are {counted}"
        )


def _may_grow(argument: ast.expr, ctx: Context) -> bool:
    """Whether a list that has a name is used elsewhere, where something may be added to it."""
    if not isinstance(argument, ast.Name):
        return False
    function = ctx.function(argument)
    uses = [node for node in ctx.nodes(ast.Name, within=function or ctx.tree) if node.id == argument.id]
    return len(uses) != 2


def _is_plain(sequence: ast.Tuple | ast.List) -> bool:
    return not any(isinstance(element, ast.Starred) for element in sequence.elts)


def _count(number: int) -> str:
    return f"{number} value is" if number == 1 else f"{number} values are"
