"""The arguments of one call, and how the models' argument specifications choose among them."""

# Modules of one class name each other in annotations only.
# pyright: reportImportCycles=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.values import (
    CONTAINERS,
    HOLE,
    INSTANCE,
    NO,
    UNION,
    Value,
    references,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis.taint.frame import Frame
    from charter.model.library.values import Argument, Condition

Chosen = tuple[Value, int]
"""A value and the packed place of its expression."""


class Arguments:
    """The evaluated arguments of a call.

    Attributes:
        positional: values before any `*`.
        keywords: values by keyword.
        star: the operand of `*`, None if there is none.
        double: the operand of `**`, None if there is none.
        places: packed places of the positional arguments.
        keyword_places: packed places by keyword.
        place: packed place of the call.
    """

    __slots__ = ("double", "keyword_places", "keywords", "place", "places", "positional", "star")

    def __init__(self, place: int) -> None:
        self.positional: list[Value] = []
        self.keywords: dict[str, Value] = {}
        self.star: Value | None = None
        self.double: Value | None = None
        self.places: list[int] = []
        self.keyword_places: dict[str, int] = {}
        self.place = place

    @classmethod
    def of(cls, values: list[Value], place: int) -> Arguments:
        """Positional arguments only."""
        result = cls(place)
        result.positional = values
        result.places = [place] * len(values)
        return result

    def add(self, values: list[Value]) -> None:
        """Append positional arguments, which have no place of their own."""
        self.positional += values
        self.places += [self.place] * len(values)

    def position(self, index: int) -> Value | None:
        """The positional argument at an index."""
        return self.positional[index] if index < len(self.positional) else None

    def keyword(self, name: str) -> Value | None:
        """The argument of a keyword."""
        return self.keywords.get(name)

    def get(self, index: int, name: str) -> Value | None:
        """The argument of a parameter that may be given either way."""
        if index < len(self.positional):
            return self.positional[index]
        return self.keywords.get(name)

    def unpacked(self) -> list[Value]:
        """The operands of `*` and `**`."""
        return [one for one in (self.star, self.double) if one is not None]

    def everything(self) -> Iterator[Value]:
        """All values."""
        yield from self.positional
        yield from self.keywords.values()
        yield from self.unpacked()

    def after(self, count: int) -> Arguments:
        """The arguments behind the first ones."""
        result = Arguments(self.place)
        result.positional = self.positional[count:]
        result.places = self.places[count:]
        result.keywords = self.keywords
        result.keyword_places = self.keyword_places
        result.star, result.double = self.star, self.double
        return result


def choose(frame: Frame, argument: Argument, arguments: Arguments, receiver: Value | None) -> list[Chosen]:
    """The values that a specification means in a call."""
    found = _whole(frame, argument, arguments, receiver)
    if argument.special == "rest" and argument.path[:1] in _COMMANDS and found:
        if arguments.star is not None and len(found) == 1:  # `run(*command)`
            return [(one, found[0][1]) for one in _command(frame, arguments.star, argument.path[0])]
        if arguments.star is not None:  # `run("git", "add", *names)`
            found[-1] = (frame.elements(arguments.star), found[-1][1])
        exact = [value for value, _ in found]
        chosen = _of_command(exact, argument.path[0])
        return [(value, found[exact.index(value)][1]) for value in chosen]
    for step in argument.path:
        found = [pair for value, place in found for pair in _step(frame, step, value, place)]
    return found


def _whole(frame: Frame, argument: Argument, arguments: Arguments, receiver: Value | None) -> list[Chosen]:
    special = argument.special
    place = arguments.place
    if special == "self":
        return [] if receiver is None else [(receiver, place)]
    if special == "all":
        pairs = list(zip(arguments.positional, arguments.places, strict=True))
        pairs += [
            (value, arguments.keyword_places.get(name, place)) for name, value in arguments.keywords.items()
        ]
        return pairs + [(value, place) for value in arguments.unpacked()]
    if special == "rest":
        start = argument.position
        pairs = list(zip(arguments.positional[start:], arguments.places[start:], strict=True))
        return pairs + ([(arguments.star, place)] if arguments.star is not None else [])
    if special == "keywords":
        pairs = [
            (value, arguments.keyword_places.get(name, place)) for name, value in arguments.keywords.items()
        ]
        return pairs + ([(arguments.double, place)] if arguments.double is not None else [])
    if special == "keyword-names":
        return [(frame.any_key(arguments.double), place)] if arguments.double is not None else []
    return _parameter(frame, argument, arguments)


def _parameter(frame: Frame, argument: Argument, arguments: Arguments) -> list[Chosen]:
    place = arguments.place
    if 0 <= argument.position < len(arguments.positional):
        return [(arguments.positional[argument.position], arguments.places[argument.position])]
    for name in argument.keywords:
        if name in arguments.keywords:
            return [(arguments.keywords[name], arguments.keyword_places.get(name, place))]
    found: list[Chosen] = []
    if arguments.star is not None and argument.position >= 0:
        behind = argument.position - len(arguments.positional)
        one = frame.read(arguments.star, behind)
        found.append((one if one is not None else frame.elements(arguments.star), place))
    if arguments.double is not None:
        for name in argument.keywords:
            one = frame.read(arguments.double, name)
            if one is not None:
                found.append((one, place))
    return found


def _step(frame: Any, step: str, value: Value, place: int) -> list[Chosen]:
    if step == ":body":
        exact = frame.elements_exactly(value)
        is_tuple = exact and value[2] is not None and value[2][1] == "builtins.tuple"
        return [(exact[0], place)] if is_tuple else [(value, place)]
    if (step,) in _COMMANDS:
        return [(one, place) for one in _command(frame, value, step)]
    if step.startswith("."):
        return [(frame.attribute(value, step[1:], place), place)]
    key = step[1:-1]
    if not key:
        return [(frame.elements(value) if value[3] else value, place)]
    index = int(key) if key.lstrip("-").isdigit() else key
    return [(frame.item(value, (0, index, None, ()), place), place)]


_SHELLS = frozenset({"sh", "bash", "zsh", "ksh", "dash", "cmd", "cmd.exe", "powershell", "pwsh"})
END_OF_OPTIONS: Final = "--"
"""What ends the options of a command; as a cell, it says that a list of unknown length holds it somewhere."""
_COMMANDS = frozenset({(":program",), (":arguments",), (":shell",)})


def _command(frame: Any, value: Value, wanted: str) -> list[Value]:
    """Of a list of arguments those that name programs or are read by a shell, or the others."""
    exact = frame.elements_exactly(value)
    if exact is not None:
        found = _of_command(exact, wanted)
        return [_alone(one) for one in found] if wanted == ":program" else found
    if not value[3]:
        return [value] if wanted == ":program" else []
    if len(value[3]) > 1:  # one of several lists
        each = [_command(frame, (*value[:3], (identity,)), wanted) for identity in value[3]]
        return [one for found in each for one in found]
    cells: dict[Any, Value] = frame.cells(value) or {}
    first = cells.get(0)
    if wanted == ":program":
        # Of the words of one text the first is the program.
        return [_alone(first or frame.elements(value))]
    if END_OF_OPTIONS in cells or any(
        cells[key][1] == END_OF_OPTIONS for key in cells if isinstance(key, int)
    ):
        return []
    return [frame.elements(value)] if wanted == ":arguments" and first is not None else []


def _alone(word: Value) -> Value:
    """A word of a command without what the lists hold for which the same name stands elsewhere: no list is a word."""
    if any(one[0] == INSTANCE and one[1] in CONTAINERS for one in references(word[2])):
        return (*word[:3], ())
    return word


def _of_command(exact: list[Value], wanted: str) -> list[Value]:
    if not exact:
        return []
    name = exact[0][1]
    shell = not isinstance(name, str) or name.rpartition("/")[2] in _SHELLS  # an unknown program may be one
    read = _read_by_shell(exact) if shell else []
    if wanted == ":shell":
        return read
    if read:
        return [exact[0], *read] if wanted == ":program" else []
    return exact[:1] if wanted == ":program" else _possible_options(exact[1:])


def _read_by_shell(exact: list[Value]) -> list[Value]:
    """Of a shell's arguments those that it reads as a script: one behind `-c`, all behind what Windows' shells take."""
    for at in (1, 2):
        option = exact[at][1] if at < len(exact) else None
        if option in {"-c", "-lc"}:
            return exact[at + 1 : at + 2]
        if option in {"/c", "/C", "-Command"}:
            return exact[at + 1 :]
    return []


_SWITCHES: Final = frozenset(
    "--force --recursive --verbose --quiet --yes --all --help --version --dry-run --delete --json --raw --bare".split()
)
"""Long options that take no value."""


def _possible_options(arguments: list[Value]) -> list[Value]:
    """The arguments that a program may take for options: not what begins with known text, follows `--`, or is an option's."""
    found: list[Value] = []
    before = ""
    for value in arguments:
        if value[1] == "--":
            break
        if text_of(value)[:1] == HOLE and (before[:2] != "--" or "=" in before or before in _SWITCHES):
            found.append(value)
        before = value[1] if isinstance(value[1], str) else ""
    return found


def holds(
    frame: Any, conditions: tuple[Condition, ...], arguments: Arguments, receiver: Value | None
) -> bool:
    """Whether a call meets a fact's conditions. What is unknown meets neither a demand nor an exception."""
    for condition in conditions:
        found = choose(frame, condition.argument, arguments, receiver)
        if not condition.values:
            met = bool(found)
        else:
            met = any(_is_one_of(value, condition.values) for value, _ in found)
        if met is condition.negated:
            return False
    return True


def _is_one_of(value: Value, wanted: tuple[object, ...]) -> bool:
    known = value[1]
    if known is not NO and not isinstance(known, tuple):
        return any(type(known) is type(one) and known == one for one in wanted)
    reference = value[2]
    if reference is not None and reference[0] == UNION:
        return all(_is_one_of((0, NO, one, ()), wanted) for one in reference[1])
    if reference is not None and reference[0] in {"x", "i"}:
        name = reference[1]
        return any(
            name == one or (isinstance(one, str) and name.endswith("()") and name[:-2] == one)
            for one in wanted
        )
    if reference is not None and reference[0] == "c":
        return any(base in wanted for base in reference[1].externals)
    return False
