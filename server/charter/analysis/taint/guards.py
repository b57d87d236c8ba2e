"""What a condition shows to be safe when it holds and when it does not. It knows Python's tests; libraries' are data."""

# The values here are nested tuples or parsed documents, which only their tags type.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint.checks import (
    HOST_PARTS,
    NORMAL_PATH,
    OF_CHARACTERS,
    UNDECIDED,
    Test,
    Truth,
    asks_for_address,
    asks_for_containment,
    both,
    either,
    is_set_of,
)
from charter.analysis.taint.comparisons import Comparisons
from charter.analysis.taint.frame import KILLED, NO_KILL, Kill, State
from charter.analysis.taint.handlers import is_harmless
from charter.analysis.taint.strings import BEGINNING
from charter.analysis.taint.values import (
    ABSOLUTE,
    ALL_DANGERS,
    AUTHORITY,
    BIT,
    DANGERS,
    EXTERNAL,
    HOST,
    INSTANCE,
    IP_ADDRESS,
    LANE,
    NO,
    OBJECT,
    PATH,
    PROJECT_CLASS,
    PROJECT_INSTANCE,
    SLASHES,
    TUPLE,
    UNKNOWN,
    UP,
    Value,
    constant,
    lanes,
    references,
    spread,
)
from charter.api import regex
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.model.ir import Node

_CLASS_TESTS: Final = {
    "isalnum": DANGERS, "isdigit": DANGERS, "isnumeric": DANGERS, "isdecimal": DANGERS, "isalpha": DANGERS,
    "isidentifier": DANGERS, "isspace": DANGERS, "islower": 0, "isupper": 0, "istitle": 0,
}  # fmt: skip

_CONFINED: Final = regex(r"[A-Za-z][\w+.\-]*://[^/?#\\]+[/?#]|/[^/\\]|data:")


_SETTINGS: Final = regex(r"(?:\w+\.)*_?(?:settings|conf)")
_BEGINNINGS: Final = {"/": ABSOLUTE, "//": AUTHORITY | SLASHES, "-": BIT["argument"]}
"""What is impossible in a text that does not begin so."""

_PATHS: Final = frozenset((EXTERNAL, f"pathlib.{name}") for name in ("Path", "PurePath", "PosixPath"))
_NAMES: Final = frozenset({ir.LOCAL, ir.FREE, ir.GLOBAL})
_NAMED: Final = _NAMES | {ir.ATTR}
_KEPT: Final = _NAMED | {ir.ITEM}
ASKING: Final = regex(r"(?i)client|session|http|request|api|cache|redis|^s$")
"""Names of what asks elsewhere: what it gets says nothing of the key."""


_FINDING: Final = frozenset({"get", "get_object_or_404"})
"""What raises where nothing equals its keywords."""
_SELECTING: Final = frozenset({"filter", "filter_by", "where"})
"""Methods of queries that take what fields are to equal."""
_TAKING: Final = frozenset("first scalar scalar_one_or_none one_or_none get_or_none exists".split())
"""Methods of queries that give a row, or what stands in it, and nothing if there is none."""
_FETCHING: Final = frozenset("fetchone fetchrow fetchval fetchall".split())
"""Such methods of cursors, which were told the query before."""


class Guards(Comparisons, ABC):
    """Conditions."""

    followed = -1
    """The place of the last call of a function of which the code is known."""

    def test(self, node: Node) -> Test:
        """Whether a condition holds (None if unknown), what is safe if it does, and what if it does not."""
        opcode = node[0]
        if opcode == ir.NOT:
            truth, yes, no = self.test(node[2])
            return (None if truth is None else not truth, no, yes)
        if opcode == ir.BOOLEAN:
            return self._test_boolean(node)
        if opcode == ir.COMPARE:
            return self._test_comparison(node)
        if opcode == ir.CALL:
            return self._test_call(node)
        if opcode == ir.CHOICE:
            return self._test_choice(node)
        if opcode == ir.WALRUS:
            value = self.value(node)
            return self._truth(node[2], value)
        if opcode == ir.ITEM and node[3][0] == ir.CONST and node[3][2] == 0:
            return self._test_first(node)
        return self._truth(node, self.value(node))

    def _test_first(self, node: Node) -> Test:
        """`check(url)[0]`, or `result[0]` of what a check gave, where it gives its answer and a reason."""
        self.last_kills = (NO_KILL, NO_KILL)
        truth, yes, no = self._truth(node, self.value(node))
        shown: tuple[Kill, Kill] | None = None
        if node[2][0] == ir.CALL:
            shown = self.last_kills
        elif node[2][0] == ir.LOCAL:
            shown = self.remembered(node[2][2], TUPLE)
        return (truth, yes, no) if shown is None else (truth, both(yes, shown[0]), both(no, shown[1]))

    def _truth(self, node: Node, value: Value) -> Test:
        """The test of a plain value: what is false is empty, and so harmless."""
        remembered = self.remembered(node[2]) if node[0] == ir.LOCAL else None
        if remembered is not None:
            return (self.truth_of(value), *remembered)
        if not value[0] & ALL_DANGERS:
            return (self.truth_of(value), NO_KILL, NO_KILL)
        last = self._last_name(value)
        if last in HOST_PARTS:
            return (self.truth_of(value), NO_KILL, self.of_host(value, empty_passes=True))
        if last == "scheme":
            return (self.truth_of(value), NO_KILL, NO_KILL)
        return (self.truth_of(value), NO_KILL, self.cleared(node, value, DANGERS))

    def _test_choice(self, node: Node) -> Test:
        """`one if condition else two`: what either shows where it is asked."""
        truth, if_true, if_false = self.test(node[2])
        if truth is not None or self.state is None:
            self.kill(if_true if truth else if_false)
            return self.test(node[3] if truth else node[4])
        before = self.state
        outcomes: list[Test] = []
        after: State | None = None
        for shown, operand in ((if_true, node[3]), (if_false, node[4])):
            self.state = dict(before)
            self.kill(shown)
            held, yes, no = self.test(operand)
            outcomes.append((held, both(shown, yes), both(shown, no)))
            after = self.joined(after, self.state)
        self.state = after
        (one, yes, no), (two, other_yes, other_no) = outcomes
        return (one if one == two else None, either(yes, other_yes), either(no, other_no))

    def _local_path(self, node: Node) -> Kill:
        """What `x.startswith("/") and not x.startswith("//")` shows, or its opposite with `or`: no other host."""
        begins: dict[tuple[str, str], tuple[bool, Node]] = {}
        for operand in node[3]:
            negated = operand[0] == ir.NOT
            call = operand[2] if negated else operand
            if call[0] == ir.CALL and call[2][0] == ir.ATTR and call[2][3] == "startswith" and call[3]:
                for text in self._alternatives(self.value(call[3][0])):
                    begins[_spelled(call[2][2]), text] = (not negated, call[2][2])
        wanted = node[2] == "and"
        for (one, text), (positive, checked) in begins.items():
            other = begins.get((one, "//"))
            if one and text == "/" and positive is wanted and other is not None and other[0] is not wanted:
                return self.cleared(checked, self.value(checked), HOST)
        return NO_KILL

    def _test_boolean(
        self, node: Node
    ) -> Test:  # charter: ignore[tangled-function] -- what `and` and `or` say belongs together
        """Operands in order; each later one is evaluated where the earlier ones leave it to."""
        conjunction = node[2] == "and"
        before = self.state
        yes: Kill | None = None
        no: Kill | None = None
        truth: Truth = conjunction
        self.state = dict(before) if before is not None else None
        for operand in node[3]:
            held, if_true, if_false = self.test(operand)
            decides = held is not conjunction and not (_is_switch(operand) or _is_limit(operand, node[3]))
            if conjunction:
                yes = if_true if yes is None else both(yes, if_true)
                if decides:
                    no = if_false if no is None else either(no, if_false)
                self.kill(if_true)
            else:
                if decides:
                    yes = if_true if yes is None else either(yes, if_true)
                no = if_false if no is None else both(no, if_false)
                self.kill(if_false)
            if held is None:
                truth = None if truth is conjunction else truth
            elif held is not conjunction:
                truth = held
                if_last = NO_KILL
                yes, no = (yes, if_last) if conjunction else (if_last, no)
                break
        after = self.state
        local = self._local_path(node)
        if before is not None and after is not None:
            # Where all operands were asked, what their calls have checked holds too.
            local = both(local, (after[KILLED] & ~before[KILLED], ()))
            # Keep what the operands assigned (`:=`) or wrote, and of which class names are, but not what only one outcome shows.
            for key, entry in after.items():
                known = before.get(key)
                if known is None:
                    before[key] = entry
                elif (
                    known is not entry
                    and type(key) is str
                    and entry[2] is not None
                    and entry[2][0] == INSTANCE
                ):
                    before[key] = (known[0], known[1], entry[2], known[3])
        self.state = before
        self.kill((self.looked_up, ()))
        if local[0] or local[1]:
            yes, no = (both(yes or NO_KILL, local), no) if conjunction else (yes, both(no or NO_KILL, local))
        return (truth, yes or NO_KILL, no or NO_KILL)

    def _test_call(self, node: Node) -> Test:
        """The test of a call: of a text's class, its beginning, a type, a library's or the project's own check."""
        function = node[2]
        if function[0] == ir.ATTR and len(node[3]) <= 2:
            tested = self._method_test(node, function)
            if tested is not None:
                return tested
        if function[0] == ir.GLOBAL and function[2] in {"isinstance", "all", "any", "bool", "callable"}:
            tested = self._builtin_test(node, function[2])
            if tested is not None:
                return tested
        self.last_kills = (NO_KILL, NO_KILL)
        value = self.value(node)
        yes, no = self.last_kills if value[2] != TUPLE else (NO_KILL, NO_KILL)
        self.last_kills = (NO_KILL, NO_KILL)
        truth = self.truth_of(value)
        yes = both(yes, self.found(node))
        if self.followed != node[1] and asks_for_containment(function[-1]):
            for argument in node[3]:
                yes = both(yes, self.cleared(argument, self.value(argument), PATH))
        if function[0] == ir.GLOBAL and function[2] == "hasattr" and len(node[3]) == 2:
            yes = both(yes, self.cleared(node[3][1], self.value(node[3][1]), BIT["log"]))  # an identifier
        if asks_for_address(function[-1]):
            yes = self.of_address(node[3], yes)
        for argument in node[3] if self.origins else ():
            if argument[0] == ir.LOCAL and (asked := self.value(argument))[2] == IP_ADDRESS:
                self.look_up(asked)  # whatever is asked of an address: `is_blocked(address)`
        if value[0] & ALL_DANGERS:
            no = both(no, self.cleared(node, value, DANGERS))
        return (truth, yes, no)

    def of_address(self, arguments: Sequence[Node], yes: Kill) -> Kill:
        """What the answer of `is_safe_url(url)` shows: what its code does, or all if its code is not understood."""
        for argument in arguments:
            value = self.value(argument)
            kill = self.cleared(argument, value, HOST)
            if not yes[0] & kill[0] and not {name for name, _ in yes[1]} & {name for name, _ in kill[1]}:
                yes = both(yes, kill)
        return yes

    def found(self, node: Node) -> Kill:
        """What `table.get(key)`, or a row of a query, shows of the key if there is something: it is one that is known."""
        function = node[2]
        if not self.origins:
            return NO_KILL
        if function[-1] in _FINDING and (function[-1] != "get" or function[2][-1] == "objects"):
            self.kill(self._of_keys(node[4]))  # where there is none, it raises
        if function[0] != ir.ATTR:
            return NO_KILL
        if function[3] in _FETCHING:
            return (self.sought, ())
        if function[3] in _TAKING:
            return self._sought_by(function[2])
        if function[3] != "get":
            return NO_KILL
        arguments = [*node[3], *(one for name, one in node[4] if name == "key")]
        if len(node[3]) == 2 and self._is_class(node[3][0]):  # `session.get(User, number)`
            return self.cleared(node[3][1], self.value(node[3][1]), DANGERS)
        if len(node[3]) == 2 and _is_empty(node[3][1]):
            del arguments[1:]
        elif len(arguments) != 1 or len(node[3]) + len(node[4]) != 1:
            return NO_KILL
        key = self.value(arguments[0]) if arguments[0][0] in _KEPT else UNKNOWN
        if not key[0] & ALL_DANGERS or ASKING.search(function[2][-1] if function[2][0] in _NAMED else ""):
            return NO_KILL
        table = self.value(function[2])
        if self.deep(table) & ALL_DANGERS or not _is_table(table[2]):
            return NO_KILL
        return self.cleared(arguments[0], key, DANGERS)

    def _sought_by(self, query: Node) -> Kill:
        """What a row of a query shows of the values that it was to be equal to: that they stand in the database."""
        kill = NO_KILL
        while query[0] == ir.CALL and query[2][0] == ir.ATTR:
            selecting = query[2][3] in _SELECTING
            for argument in query[3]:
                if selecting and argument[0] == ir.COMPARE and argument[3] == ("==",):
                    kill = both(kill, self._of_keys([("", argument[4][0])]))
                elif argument[0] == ir.CALL:
                    kill = both(kill, self._sought_by(argument))
            kill = both(kill, self._of_keys(query[4])) if selecting else kill
            query = query[2][2]
        return kill

    def _of_keys(self, given: Sequence[tuple[str | None, Node]]) -> Kill:
        """What it shows that something was found by these values, of fields that equal them."""
        kill = NO_KILL
        for name, node in given:
            if name is not None and "__" not in name and node[0] in _KEPT:
                kill = both(kill, self.cleared(node, self.value(node), DANGERS))
        return kill

    def _is_class(self, node: Node) -> bool:
        reference = self.value(node)[2] if node[0] in _NAMED else None
        return reference is not None and (
            reference[0] == PROJECT_CLASS
            or (reference[0] == EXTERNAL and reference[1].rpartition(".")[2][:1].isupper())
        )

    def _method_test(self, node: Node, function: Node) -> Test | None:
        name = function[3]
        if name in _CLASS_TESTS:
            value = self.value(function[2])
            if not value[0]:
                return None
            return (None, self.cleared(function[2], value, _CLASS_TESTS[name], OF_CHARACTERS), NO_KILL)
        if name in {"issuperset", "issubset"} and len(node[3]) == 1:
            whole, part = (function[2], node[3][0]) if name == "issuperset" else (node[3][0], function[2])
            part = part[3][0] if is_set_of(part) else part
            if not self.deep(self.value(whole)):
                return (None, self.cleared(part, self.value(part), OF_CHARACTERS), NO_KILL)
        if name == "difference" and is_set_of(function[2]) and len(node[3]) == 1:
            text = function[2][3][0]
            own = not self.deep(self.value(node[3][0]))
            return (None, NO_KILL, self.cleared(text, self.value(text), OF_CHARACTERS) if own else NO_KILL)
        if name in {"startswith", "endswith", "is_relative_to"}:
            value = self.value(function[2])
            if not value[0] & ALL_DANGERS or not node[3]:
                return None
            prefix = self.value(node[3][0])
            if name == "endswith":
                return UNDECIDED
            return (None, *self._beginning(function[2], value, prefix))
        if name in {"is_absolute", "isabs"}:
            checked = function[2] if name == "is_absolute" else node[3][0] if node[3] else None
            if checked is not None and checked[0] == ir.CALL and checked[3]:
                checked = checked[3][0]  # `Path(name).is_absolute()`
            value = UNKNOWN if checked is None else self.value(checked)
            if checked is not None and value[0] & ALL_DANGERS:
                return (None, NO_KILL, self.cleared(checked, value, ABSOLUTE))
        return None

    def _beginning(self, node: Node, value: Value, prefix: Value) -> tuple[Kill, Kill]:
        """`value.startswith(prefix)`."""
        if self.is_doubtful(prefix):
            return NO_KILL, NO_KILL
        texts = self._alternatives(prefix)
        yes = self._contained(value)
        if not texts:
            yes = both(yes, self.cleared(node, value, HOST))  # of a setting
        if texts and all(_CONFINED.match(text) for text in texts):
            yes = both(yes, self.cleared(node, value, HOST))
            if value[2] == BEGINNING:
                yes = both(yes, (self._of_lanes(value, HOST), ()))
        if texts and all(text[:1] not in {"", "-"} for text in texts):
            yes = both(yes, self.cleared(node, value, BIT["argument"]))
        if texts and all(text[:1] == "/" for text in texts):
            # A program connects nowhere by it alone, and a browser to another host only behind a second slash.
            yes = both(yes, self.cleared(node, value, BIT["ssrf"] | BIT["redirect"]))
        dangers = 0
        for text in texts:
            dangers |= _BEGINNINGS.get(text, 0)
        no = self.cleared(node, value, dangers) if dangers else NO_KILL
        if "//" in texts and self.is_of_request(value, "path"):
            no = both(no, self.cleared(node, value, HOST))
        if value[2] == NORMAL_PATH and not {"../", ".."}.isdisjoint(texts):
            no = both(no, self.cleared(node, value, UP))  # it leads up at its beginning or nowhere
        if not {".", ".."}.isdisjoint(texts):
            no = both(no, self.of_name(node, value, [constant("..")], NO_KILL)[1])
        return yes, no

    def _builtin_test(self, node: Node, name: str) -> Test | None:
        arguments = node[3]
        if name == "isinstance" and len(arguments) == 2:
            value = self.value(arguments[0])
            return self._instance_test(arguments[0], value, arguments[1])
        if name in {"all", "any"} and len(arguments) == 1 and arguments[0][0] == ir.COMPREHENSION:
            return self._quantified(arguments[0], name)
        if name == "bool" and len(arguments) == 1:
            return self.test(arguments[0])
        return None

    def _instance_test(self, node: Node, value: Value, classes: Node) -> Test | None:
        wanted = self.value(classes)
        options = self.elements_exactly(wanted) or [wanted]
        names = [one[2][1] if one[2] is not None and one[2][0] == EXTERNAL else "" for one in options]
        if value[0] & ALL_DANGERS and names and all(is_harmless(name, self.index) for name in names):
            return (None, self.cleared(node, value, DANGERS), NO_KILL)
        if "builtins.str" in names and len(names) == 1 and value[0]:
            return (True if isinstance(value[1], str) else None, (self._of_lanes(value, OBJECT), ()), NO_KILL)
        exact = {reference[1] for reference in references(value[2]) if reference[0] == INSTANCE}
        if value[0] and not value[3] and _may_be_text(value) and self._are_own(options):
            kill = self._no_text(node, value)
            if kill is not NO_KILL:
                return (None, kill, NO_KILL)
        if value[1] is not NO and not isinstance(value[1], tuple) and not value[0]:
            own = f"builtins.{type(value[1]).__name__}"
            if all(names):
                return (own in names, NO_KILL, NO_KILL)
        if exact and all(names) and not value[0] and exact <= set(names):
            return (True, NO_KILL, NO_KILL)
        if node[0] == ir.LOCAL and (value[2] is None or value[2][0] == EXTERNAL) and len(options) == 1:
            self._narrow(node[2], value, options[0])
        return UNDECIDED

    def _are_own(self, classes: Sequence[Value]) -> bool:
        """Whether all are classes of the project, or of paths, and none of them a kind of text."""
        return all(
            one[2] is not None
            and (
                not any(base.startswith("builtins.") for base in self.project.externals(one[2][1]))
                if one[2][0] == PROJECT_CLASS
                else one[2] in _PATHS
            )
            for one in classes
        )

    def _no_text(self, node: Node, value: Value) -> Kill:
        """What is an instance of a class of the project's is none of the texts that have come in; a document may have become one."""
        if node[0] != ir.LOCAL:
            return NO_KILL
        mask = 0
        for lane in lanes(value[0]):
            if not value[0] >> LANE * lane & OBJECT:
                mask |= DANGERS << LANE * lane
        return (0, ((node[2], mask),)) if mask else NO_KILL

    def _narrow(self, name: str, value: Value, cls: Value) -> None:
        """Give a name the type that it was tested for; it holds well enough for the other branch too."""
        reference = cls[2]
        if reference is None or self.state is None or name not in self.state:
            return
        if reference[0] == "c":
            self.state[name] = (value[0], value[1], (PROJECT_INSTANCE, reference[1], False), value[3])
        elif reference[0] == EXTERNAL and not reference[1].startswith("builtins."):
            self.state[name] = (value[0], value[1], (INSTANCE, reference[1]), value[3])

    def _quantified(self, comprehension: Node, name: str) -> Test:
        """`all(check(c) for c in text)` and `any(bad in text for bad in …)` speak for the whole text."""
        generators = comprehension[5]
        target, iterable, conditions = generators[0]
        container = self.value(iterable)
        if len(generators) != 1 or conditions:
            self.value(comprehension)
            return UNDECIDED
        before = self.state
        if before is None:
            return UNDECIDED
        self.state = dict(before)
        own = container[0] & ALL_DANGERS and not self.has_cells(container)
        element = (container[0], NO, None, ()) if own else self.elements(container)
        self.assign(target, element)
        yes: Kill = NO_KILL
        no: Kill = NO_KILL
        exact = None if own else self.elements_exactly(container)
        if exact is not None and name == "any":
            for index, element in enumerate(exact):
                self.assign(target, element)
                _, if_true, if_false = self.test(comprehension[4])
                yes = either(yes, if_true) if index else if_true
                no = both(no, if_false)
        else:
            _, yes, no = self.test(comprehension[4])
            if names := self.named(element) & spread(UP):
                yes, no = (both(kill, (_of_name(target, kill) & names, ())) for kill in (yes, no))
        self.state = before
        if name == "all":
            return (None, yes, NO_KILL)
        return (None, NO_KILL if own else yes, no)

    def each_passed(self, container: Value, left: int) -> None:
        """What a loop has shown of the whole, behind the body of which this is left of each character, or each name of a path."""
        if container[0] & ALL_DANGERS and not container[3]:
            self.kill((container[0] & ~left & spread(OF_CHARACTERS), ()))
        elif container[3]:
            element = self.elements(container)
            self.kill((element[0] & self.named(element) & ~left & spread(UP), ()))


def _of_name(target: Node, kill: Kill) -> int:
    """The bits of a name that a check clears."""
    return dict(kill[1]).get(target[2], 0) if target[0] == ir.LOCAL else 0


def _may_be_text(value: Value) -> bool:
    """Whether nothing says that a value is something else than a text."""
    reference = value[2]
    return reference is None or reference[0] == EXTERNAL or reference[1] in {"builtins.str", "builtins.bytes"}


def _is_switch(operand: Node) -> bool:
    """Whether an operand is a setting, by which the operator of the program decides whether the others are asked."""
    node = operand[2] if operand[0] == ir.NOT else operand
    return node[0] == ir.ATTR and _SETTINGS.fullmatch(_spelled(node[2])) is not None


def _is_limit(operand: Node, operands: Sequence[Node]) -> bool:
    """Whether an operand asks whether there is something to compare with, as `host` in `host and netloc != host`."""
    asked = operand[2] if operand[0] == ir.NOT else operand
    return asked[0] == ir.LOCAL and any(
        other[0] == ir.COMPARE
        and len(other[4]) == 1
        and other[4][0][0] == ir.LOCAL
        and other[4][0][2] == asked[2]
        for other in operands
    )


def _is_empty(node: Node) -> bool:
    """Whether a default says that there is nothing."""
    return node[0] == ir.CONST and not node[2]


def _is_table(reference: Any) -> bool:
    """Whether something with a method `get` may be a dictionary: an imported one has the name of a constant, others are made by a call."""
    if reference is None or reference == (INSTANCE, "builtins.dict"):
        return True
    if reference[0] != EXTERNAL:
        return False
    last = reference[1].rpartition(".")[2]
    return last.isupper() or (last.endswith("()") and last[0].islower() and not ASKING.search(reference[1]))


def _spelled(node: Node) -> str:
    """A name or attribute as it is written; "" for anything else."""
    if node[0] == ir.ATTR:
        owner = _spelled(node[2])
        return f"{owner}.{node[3]}" if owner else ""
    return node[2] if node[0] in {ir.LOCAL, ir.GLOBAL, ir.FREE} else ""
