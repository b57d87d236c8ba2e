"""The effect of statements on the state: assignment, branches, loops, exceptions, matching and returns."""

# The values here are nested tuples or parsed documents, which only their tags type; one class, written in several files.
# pyright: reportPrivateUsage=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import builtins
from itertools import compress
from operator import is_not
from typing import TYPE_CHECKING, Any, Final, cast

from charter.analysis.taint.arguments import Arguments
from charter.analysis.taint.assignments import Assignments
from charter.analysis.taint.checks import asks_for_address, both, either, is_counted
from charter.analysis.taint.frame import KILLED, NO_KILL, Kill, State
from charter.analysis.taint.values import (
    DANGERS,
    EXTERNAL,
    INSTANCE,
    NO,
    PROJECT_CLASS,
    PROJECT_INSTANCE,
    TUPLE,
    UNKNOWN,
    Value,
    constant,
    references,
    spread,
)
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from charter.model.ir import Node

_ROUNDS: Final = 3
_ASKING: Final = frozenset({ir.COMPARE, ir.NOT, ir.CALL})
"""What makes a chain with `and` a question, whose answer is kept."""
_DECIDING: Final = frozenset({ir.COMPARE, ir.NOT})
"""What makes one of a chain with `or`, which else is a value with another to fall back on."""
_EVERYTHING: Final[Kill] = (-1, ())
"""What is shown where nobody ever comes."""


class Statements(Assignments):
    """Statements."""

    def run(self, body: Sequence[Node]) -> None:
        """Execute statements until no path is left."""
        execute = _EXECUTE
        for statement in body:
            if self.state is None:
                return
            execute[statement[0]](self, statement)

    # Simple statements
    def _expression(self, node: Node) -> None:
        expression = node[2]
        if expression[0] == ir.CALL:
            self.unused = expression[1]
        self.value(expression)

    def _assignment(self, node: Node) -> None:
        self.bound(node[2], node[3])

    def bound(self, targets: Sequence[Node], source: Node) -> Value:
        """As `Frame` says."""
        kills: Sequence[Kill] | None = None
        if source[0] in {ir.COMPARE, ir.NOT}:
            truth, yes, no = self.test(source)
            value = UNKNOWN if truth is None else constant(truth)
            kills = (yes, no)
        elif source[0] == ir.CALL:
            _, yes, no = self._tested_call(source)
            value = self._tested
            kills = (yes, no)
        elif source[0] == ir.BOOLEAN and _is_question(source):
            # Once for what the answer shows, once for what the chain itself is worth: its last operand, or what ended it.
            before = dict(self.state or {})
            _, *kills = self.test(source)
            self.state = before
            value = self.value(source)
        else:
            value = self.value(source)
        for target in targets:
            self.assign(target, value)
        if kills is not None and tuple(kills) != (NO_KILL, NO_KILL) and self.state is not None:
            # Of `ok, reason = check(x)` the first says what the check has shown.
            target, of = targets[0], None
            if target[0] == ir.SEQUENCE and target[3]:
                target = target[3][0]
            elif value[2] == TUPLE:
                of = TUPLE
            if target[0] == ir.LOCAL:
                self.state["?" + target[2]] = (0, NO, of, (), *kills)
        return value

    def _augmented(self, node: Node) -> None:
        target = node[2]
        left = self.value(target)
        right = self.value(node[4])
        if left[3] and node[3] == "+":
            arguments = Arguments.of([right], node[1])
            self._extend(left, arguments, node[1])
            return
        if left[3] and node[3] == "|":
            self.merge(left, right)
            return
        self.assign(target, self.operated(node[3], left, right, node[1]))

    def _annotated(self, node: Node) -> None:
        if node[4] is None:
            return
        value = self.value(node[4])
        if value[2] is None and node[3] is not None and node[2][0] == ir.LOCAL:
            reference = self.engine.roles.type_of(self.module, node[3])
            if reference is not None:
                value = (value[0], value[1], reference, value[3])
        self.assign(node[2], value)

    def _return(self, node: Node) -> None:
        expression = node[2]
        yes = no = NO_KILL
        if expression is None:
            value: Value = (0, None, None, ())
        elif expression[0] in {ir.COMPARE, ir.NOT, ir.BOOLEAN, ir.CALL}:
            if expression[0] == ir.BOOLEAN:
                before = dict(self.state or {})
                _, yes, no = self.test(expression)
                self.state = before
                value = self.value(expression)
            elif expression[0] == ir.CALL:
                _, yes, no = self._tested_call(expression)
                value = self._tested
            else:
                truth, yes, no = self.test(expression)
                value = UNKNOWN if truth is None else constant(truth)
        else:
            value = self.value(expression)
            if expression[0] == ir.SEQUENCE and expression[3] and value[2] == TUPLE:
                yes, no = self._shown_by_first(expression, value)
            elif expression[0] == ir.LOCAL:
                yes, no = self._remembered(expression)
        if self.state is not None:
            if self.passes and value[0]:
                value = (value[0] & ~spread(self.passes), value[1], value[2], value[3])
            self.returned.append((value, self.state[KILLED], yes, no))
            self.exits.append(self.state)
            self.on_return(value, node[1])
        self.state = None

    def _shown_by_first(self, expression: Node, value: Value) -> tuple[Kill, Kill]:
        """What `return ok, reason` shows whoever asks for the first of the two."""
        first = self.read(value, 0)
        truth = None if first is None else self.truth_of(first)
        if truth is not None:
            return (NO_KILL, _EVERYTHING) if truth else (_EVERYTHING, NO_KILL)
        return self._remembered(expression[3][0])

    def _remembered(self, node: Node) -> tuple[Kill, Kill]:
        """What a name shows that holds the outcome of a check: `matched = re.match(…)`."""
        known = self.remembered(node[2]) if node[0] == ir.LOCAL else None
        return known or (NO_KILL, NO_KILL)

    _tested: Value = UNKNOWN

    def _tested_call(self, expression: Node) -> tuple[Any, Kill, Kill]:
        """The value of a returned call, and what it shows if it is tested."""
        function = expression[2]
        named = function[0] == ir.GLOBAL and function[2] in {"isinstance", "all", "any", "bool"}
        method = function[0] == ir.ATTR and (function[3].startswith("is") or function[3] == "startswith")
        if named or method:
            tested = self.test(expression)
            self._tested = UNKNOWN if tested[0] is None else constant(tested[0])
            return tested
        self.last_kills = (NO_KILL, NO_KILL)
        self._tested = self.value(expression)
        yes, no = self.last_kills
        if asks_for_address(function[-1]):
            yes = self.of_address(expression[3], yes)
        return (None, both(yes, self.found(expression)), no)

    def on_return(self, value: Value, position: int) -> None:
        """What a framework does with a handler's result."""

    def _raise(self, node: Node) -> None:
        if node[2] is not None:
            taint = self.deep(self.value(node[2]))
            cls = ""
            if self.origins and node[2][0] == ir.CALL:
                cls = _builtin(self.value(node[2][2]))
                for one in node[2][3]:
                    taint |= self.deep(self.value(one))
            if taint and self._thrown is not None:
                self._thrown[cls] = self._thrown.get(cls, 0) | taint
        self.state = None

    _thrown: dict[str, int] | None = None
    """The taint of what the statement that is being tried has raised, by its built-in class; "" for any other."""

    def _caught(self, kind: Node | None, thrown: dict[str, int]) -> int:
        """The taint of what a handler catches."""
        wanted = None if kind is None else self.value(kind)
        options = [] if wanted is None else self.elements_exactly(wanted) or [wanted]
        taint = 0
        for cls, own in thrown.items():
            if not cls or not options or any(_catches(one, cls) for one in options):
                taint |= own
        return taint

    def _delete(self, node: Node) -> None:
        for target in node[2]:
            if target[0] == ir.LOCAL and self.state is not None:
                self.state.pop(target[2], None)
            elif target[0] == ir.ITEM:
                owner, key = self.value(target[2]), self.value(target[3])
                if owner[3]:
                    self._pop(owner, Arguments.of([key], target[1]), target[1])

    def _define(self, node: Node) -> None:
        function = self.module.functions[node[3]]
        value = self.closure(function)
        for decorator in reversed(function.record[ir.DECORATORS]):
            value = self.engine.decorated(self, function, decorator, value)
        self.assign(node[2], value)

    def _class(self, node: Node) -> None:
        cls = self.module.classes[node[3]]
        for decorator in cls.record[ir.CLASS_DECORATORS]:
            self.value(decorator)
        self.assign(node[2], (0, NO, (PROJECT_CLASS, cls), ()))

    def _import(self, node: Node) -> None:
        found = self.project.imported(self.module, (node[3], node[4], node[5]))
        if isinstance(found, str) and node[5]:
            target = self.project.module(self.project.absolute(self.module, node[3], node[4]), self.module)
            if target is not None:
                self.assign(node[2], self.global_value(target, node[5], node[1]))
                return
        self.assign(node[2], self.referred(found, node[1]))

    def _jump(self, node: Node) -> None:
        if self.jumps and self.state is not None:
            self.jumps[-1].append(self.state)
        self.state = None

    # Branches
    def _if(self, node: Node) -> None:
        truth, yes, no = self.test(node[2])
        before = self.state
        if before is None:
            return
        if truth is not None:
            self.kill(yes if truth else no)
            self.run(node[3] if truth else node[4])
            return
        self.state = dict(before)
        self.kill(yes)
        self.run(node[3])
        after = self.state
        self.state = before
        self.kill(no)
        self.run(node[4])
        otherwise = self.state
        self.state = self.joined(after, otherwise)
        if self.origins:
            self._remember_flags((after, yes), (otherwise, no))

    def _remember_flags(self, one: tuple[State | None, Kill], two: tuple[State | None, Kill]) -> None:
        """After `if condition: ok = False` the name says what the condition has shown, if it showed anything."""
        first, second = one[0], two[0]
        if first is None or second is None:
            return
        # Most of a state is left as it was by both branches.
        changed = compress(first, map(is_not, first.values(), map(second.get, first)))
        for name in [name for name in changed if isinstance(name, str) and name[0] != "?" and name in second]:
            if not (isinstance(first[name][1], bool) or isinstance(second[name][1], bool)):
                continue
            (if_one, unless_one), (if_two, unless_two) = _outcome(first, name), _outcome(second, name)
            yes = either(both(if_one, one[1]), both(if_two, two[1]))
            no = either(both(unless_one, one[1]), both(unless_two, two[1]))
            if self.state is not None:
                self.state["?" + name] = (0, NO, None, (), yes, no)

    def _match(self, node: Node) -> None:
        subject = self.value(node[2])
        result: State | None = None
        for pattern, guard, body in node[3]:
            before = self.state
            if before is None:
                break
            self.state = dict(before)
            truth = self._matches(pattern, subject, node[2])
            if guard is not None and truth is not False:
                held, yes, _ = self.test(guard)
                self.kill(yes)
                truth = False if held is False else truth if held is True else None
            if truth is False:
                self.state = before
                continue
            self.run(body)
            result = self.joined(result, self.state)
            self.state = None if truth is True else before
        self.state = self.joined(result, self.state)

    def _matches(self, pattern: Node, subject: Value, node: Node | None) -> bool | None:
        """Whether a pattern matches; binds its names in the current state."""
        opcode = pattern[0]
        if opcode == ir.ANY:
            return True
        if opcode == ir.VALUE:
            wanted = self.value(pattern[2])
            truth = self._compared("==", subject, wanted)
            if truth is None and node is not None:
                self.kill(self.cleared(node, subject, DANGERS))
            return truth
        if opcode == ir.BIND:
            inner = True if pattern[3] is None else self._matches(pattern[3], subject, node)
            self.assign(pattern[2], (self.unchecked(subject[0]), *subject[1:]))
            return inner
        if opcode == ir.EITHER:
            return self._matches_either(pattern[2], subject, node)
        return self._matches_structure(pattern, subject)

    def _matches_either(self, patterns: Sequence[Node], subject: Value, node: Node | None) -> bool | None:
        before = self.state
        result: State | None = None
        answer: bool | None = False
        for one in patterns:
            self.state = dict(before) if before is not None else None
            truth = self._matches(one, subject, node)
            if truth is True:
                return True
            if truth is None:
                answer = None
                result = self.joined(result, self.state)
        self.state = result if result is not None else before
        return answer

    def _matches_structure(self, pattern: Node, subject: Value) -> bool | None:
        opcode = pattern[0]
        if opcode == ir.LISTED:
            exact = self.elements_exactly(subject)
            for index, one in enumerate(pattern[2]):
                part = exact[index] if exact is not None and index < len(exact) else self.iterated(subject)
                self._matches(one, part, None)
            return None
        if opcode == ir.KEYED:
            for key, one in pattern[2]:
                self._matches(one, self.subscript(subject, self.value(key), pattern[1]), None)
            if pattern[3] is not None:
                self.assign(pattern[3], subject)
            return None
        if opcode == ir.TYPED:
            for index, one in enumerate(pattern[3]):
                del index
                self._matches(one, subject, None)
            for name, one in pattern[4]:
                self._matches(one, self.attribute(subject, name, pattern[1]), None)
        return None

    # Loops
    def _loop(self, node: Node, enter: Callable[[], bool | None], *, certain: bool = False) -> None:
        """Run a body until its state is stable, at most a few rounds.

        Args:
            node: the loop.
            enter: what is done before the body: whether it is run then, None if that is not known.
            certain: whether the body is run at least once.
        """
        before = self.state
        if before is None:
            return
        exits: State | None = None
        entry: State = before
        breaks: list[State] = []
        self.loops += 1
        for _ in range(_ROUNDS):
            self.state = dict(entry)
            self.jumps.append([])
            continued = enter()
            if continued is False:
                exits = self.joined(exits, self.state)
                self.jumps.pop()
                break
            exits = self.joined(exits, self._exit_state(entry)) if continued is None else exits
            self.run(node[-2])
            self._sort_jumps(breaks)
            self._body_end = cast("State | None", self.state)
            after = self.joined(entry, self.state)
            if after is None or after == entry:
                entry = after if after is not None else entry
                break
            entry = after
        self.loops -= 1
        if certain and self._body_end is not None:
            self.state = dict(self._body_end)
        else:
            self.state = dict(entry) if exits is None and not breaks else self.joined(exits, dict(entry))
        if node[-1]:
            self.run(node[-1])
        for one in breaks:
            self.state = self.joined(self.state, one)

    _body_end: State | None = None
    """The state where the body of the loop run last ends."""

    def _exit_state(self, entry: State) -> State:
        return dict(entry)

    def _sort_jumps(self, breaks: list[State]) -> None:
        """`break` and `continue` both lead on; the difference does not matter to what holds afterwards."""
        for state in self.jumps.pop():
            breaks.append(state)
            self.state = self.joined(self.state, state)

    def _received(self, container: Value, position: int) -> Value | None:
        """What a loop over a library's object reads from outside, such as the messages of a connection; None if nothing."""
        for reference in references(container[2]):
            if reference[0] in {INSTANCE, "x"} and reference[1] in self.index.received:
                path = f"{reference[1]}.__iter__"
                return self.call_external(path, container, Arguments.of([], position), position)
        return None

    def _for(self, node: Node) -> None:
        container = self.value(node[3])
        exact = self.elements_exactly(container)
        if exact is not None and len(exact) <= 4 and not self.loops and not _jumps(node[4]):
            for element in exact:
                if self.state is None:
                    return
                self.assign(node[2], element)
                self.run(node[4])
            if self.state is not None:
                self.run(node[5])
            return
        own = container

        def enter() -> bool | None:
            self.assign(node[2], self._received(own, node[3][1]) or self.iterated(own))
            return None

        self._body_end = None
        before = self.state
        self._loop(node, enter, certain=is_counted(node[3]))
        end = self._body_end
        if before is not None and end is not None and not _breaks(node[4]):
            self.kill((end[KILLED] & ~before[KILLED], ()))  # each element has passed the check
            if node[2][0] == ir.LOCAL:
                self.each_passed(container, end.get(node[2][2], UNKNOWN)[0])

    def _while(self, node: Node) -> None:
        def enter() -> bool | None:
            truth, yes, _ = self.test(node[2])
            if truth is False:
                return False
            self.kill(yes)
            return truth

        self._loop(node, enter)
        if self.state is not None:
            truth, _, no = self.test(node[2])
            if truth is None:
                self.kill(no)

    # Exceptions and contexts
    def _try(self, node: Node) -> None:
        before = self.state
        if before is None:
            return
        thrown: State | None = dict(before)
        outer, self._thrown = self._thrown, {}
        body = node[2]
        for statement in body:
            if self.state is None:
                break
            _EXECUTE[statement[0]](self, statement)
            after = cast("State | None", self.state)  # the statement may have changed it
            if after is not None and statement is not body[-1]:
                thrown = self.joined(thrown, after)
        if self.state is not None:
            if len(body) > 1 or (body and body[0][0] not in {ir.ASSIGN, ir.EXPRESSION, ir.RETURN}):
                thrown = self.joined(thrown, self._without_last_checks(dict(self.state), thrown))
            self.run(node[4])
        result = self.state
        caught, self._thrown = self._thrown or {}, outer
        for kind, name, handler in node[3]:
            self.state = dict(thrown) if thrown is not None else None
            taint = self._caught(kind, caught)
            if name is not None:
                self.assign(name, (taint, NO, None, ()))
            self.run(handler)
            result = self.joined(result, self.state)
        self.state = result
        if node[5]:
            if self.state is None:
                self.state = dict(thrown) if thrown is not None else None
                self.run(node[5])
                self.state = None
            else:
                self.run(node[5])

    def _without_last_checks(self, state: State, thrown: State | None) -> State:
        """The state behind the last statement of a `try`, without what only its success shows."""
        if thrown is not None:
            state[KILLED] &= thrown[KILLED]
        return state

    def _with(self, node: Node) -> None:
        for expression, target in node[2]:
            value = self.value(expression)
            for reference in references(value[2]):
                if reference[0] == PROJECT_INSTANCE:
                    for name in ("__enter__", "__aenter__"):
                        method = self.project.method(reference[1], name)
                        if method is not None:
                            value = self.call_function(
                                method, value, Arguments(expression[1]), expression[1], None
                            )
                            break
            if value[3] and value[2] is not None and value[2] == (INSTANCE, "builtins.list"):
                value = self.elements(value)  # a generator function made a context manager
            elif value[2] is not None and value[2][0] == INSTANCE:
                entry = self.index.entry(f"{value[2][1]}.__enter__")
                if entry.call_type:
                    value = (value[0], NO, (INSTANCE, entry.call_type), value[3])
            if target is not None:
                self.assign(target, value)
        before = self.state
        self.run(node[3])
        if self.state is None and before is not None and _suppresses(node[2]):
            self.state = before


def _builtin(cls: Value) -> str:
    """The name of a built-in exception; "" for anything else."""
    name = cls[2][1] if cls[2] is not None and cls[2][0] == EXTERNAL else ""
    last = name.removeprefix("builtins.")
    return last if last != name and isinstance(getattr(builtins, last, None), type) else ""


def _catches(kind: Value, raised: str) -> bool:
    """Whether a handler for a class may catch a built-in exception: not if the class is a library's, or another branch of them."""
    wanted = _builtin(kind)
    if wanted:
        return issubclass(getattr(builtins, raised), getattr(builtins, wanted))
    return kind[2] is None or kind[2][0] != EXTERNAL


def _suppresses(items: Sequence[Node]) -> bool:
    """Whether a `with` may swallow exceptions (`contextlib.suppress`)."""
    return any(expression[0] == ir.CALL and expression[2][-1] == "suppress" for expression, _ in items)


def _is_question(chain: Node) -> bool:
    """Whether a chain of `and` or `or` asks something, so that its answer may be kept under a name."""
    if chain[2] == "and":
        return any(one[0] in _ASKING for one in chain[3])
    return all(one[0] in _DECIDING for one in chain[3])


def _outcome(state: State, name: str) -> tuple[Kill, Kill]:
    """What a name shows if it is true and if it is false, where a state ends."""
    known = state[name][1]
    if isinstance(known, bool):
        return (NO_KILL, _EVERYTHING) if known else (_EVERYTHING, NO_KILL)
    found = state.get("?" + name)
    return (NO_KILL, NO_KILL) if found is None or found[2] == TUPLE else (found[4], found[5])


def _breaks(body: Sequence[Node]) -> bool:
    """Whether a loop's body may leave the loop early."""
    for node in body:
        if node[0] == ir.BREAK:
            return True
        if node[0] not in {ir.FOR, ir.WHILE} and any(map(_breaks, ir.blocks(node))):
            return True
    return False


def _jumps(body: Sequence[Node]) -> bool:
    """Whether a loop's body breaks or continues."""
    for node in body:
        if node[0] in {ir.BREAK, ir.CONTINUE}:
            return True
        if node[0] == ir.IF and (_jumps(node[3]) or _jumps(node[4])):
            return True
        if node[0] in {ir.WITH, ir.TRY, ir.MATCH}:
            return True
    return False


_EXECUTE: Final[list[Callable[[Any, Node], None]]] = [
    Statements._expression, Statements._assignment, Statements._augmented, Statements._return, Statements._if,
    Statements._while, Statements._for, Statements._try, Statements._with, Statements._raise, Statements._match,
    Statements._delete, Statements._define, Statements._class, Statements._import, Statements._jump,
    Statements._jump, Statements._annotated,
]  # fmt: skip
