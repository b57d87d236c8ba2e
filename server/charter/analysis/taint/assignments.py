"""What assignments bind: names, attributes, items, and the parts of what is taken apart. It knows no statements."""

# The values here are nested tuples, which only their tags type; one class, written in several files.
# pyright: reportPrivateUsage=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from charter.analysis.taint.arguments import Arguments
from charter.analysis.taint.expressions import Expressions
from charter.analysis.taint.frame import REST
from charter.analysis.taint.values import (
    ALL_DANGERS,
    INSTANCE,
    NO,
    PART,
    PROJECT_INSTANCE,
    UNKNOWN,
    Value,
    constant,
    references,
    with_marks,
)
from charter.model import ir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charter.model.ir import Node


class Assignments(Expressions, ABC):
    """Bindings."""

    def assign(self, target: Node, value: Value) -> None:
        """Bind a target."""
        state = self.state
        if state is None:
            return
        opcode = target[0]
        if opcode == ir.LOCAL:
            name = target[2]
            state[name] = value
            if value[0]:
                self.step(value[0], target[1], f"assigned to `{name.partition('~')[0]}`")
            forgotten = "?" + name
            if forgotten in state:
                del state[forgotten]
        elif opcode == ir.ATTR:
            self._assign_attribute(target, value)
        elif opcode == ir.ITEM:
            self._assign_item(target, value)
        elif opcode == ir.SEQUENCE:
            self._unpack(target[3], value)
        elif opcode == ir.GLOBAL:
            state["::" + target[2]] = value
            self.engine.store_global(self.module, target[2], value, self)
            if value[0] & ALL_DANGERS and self.function.index:
                self.global_effects[target[2]] = value
        elif opcode == ir.FREE:
            self.captured[target[2]] = value
        elif opcode == ir.STARRED:
            self.assign(target[2], value)

    def _assign_attribute(self, target: Node, value: Value) -> None:
        owner = self.value(target[2])
        if value[0]:
            self.step(value[0], target[1], f"stored in `.{target[3]}`")
        self.store_attribute(owner, target[3], value, target[1])

    def _assign_item(self, target: Node, value: Value) -> None:
        owner = self.value(target[2])
        if target[3][0] == ir.SLICE:
            self._add(owner, self.iterated(value))
            return
        key = self.value(target[3])
        if isinstance(key[1], str) and key[1].lower() == "content-type":
            named = target[2][0] == ir.ATTR and target[2][3] == "headers"
            self.settle_type(self.value(target[2][2]) if named else owner, value)
        if owner[3]:
            self.store(owner, key, value)
        for reference in references(owner[2]):
            if reference[0] == PROJECT_INSTANCE:
                method = self.project.method(reference[1], "__setitem__")
                if method is not None:
                    self.call_function(method, owner, Arguments.of([key, value], target[1]), target[1], None)
            elif reference[0] in {INSTANCE, "x"} and not reference[1].startswith("builtins."):
                path = self.index.canonical(f"{reference[1]}.__setitem__")
                arguments = Arguments.of([key, value], target[1])
                self.call_external(path, owner, arguments, target[1])
                if not owner[3] and target[2][0] == ir.LOCAL:
                    self._remember(target[2], owner, value)
                return
        if not owner[3] and target[2][0] == ir.LOCAL and (value[0] & ALL_DANGERS or key[0] & ALL_DANGERS):
            self._remember(target[2], owner, (value[0] | key[0], *value[1:]))

    def _remember(self, target: Node, owner: Value, value: Value) -> None:
        """Something unknown that takes an untrusted element becomes untrusted."""
        taint = owner[0] | self.deep(value)
        if taint != owner[0] and self.state is not None:
            self.state[target[2]] = (taint, NO, owner[2], owner[3])

    def _unpack(self, targets: Sequence[Node], value: Value) -> None:
        exact = self.elements_exactly(value)
        if exact is None and isinstance(value[1], str) and len(value[1]) == len(targets):
            exact = [constant(one) for one in value[1]]
        starred = next((index for index, one in enumerate(targets) if one[0] == ir.STARRED), None)
        if exact is None:
            for index, target in enumerate(targets):
                self.assign(target, self._piece(value, index, target, by_name=starred is None))
            return
        if starred is None:
            for index, target in enumerate(targets):
                self.assign(target, exact[index] if index < len(exact) else UNKNOWN)
            return
        behind = len(targets) - starred - 1
        for index, target in enumerate(targets[:starred]):
            self.assign(target, exact[index] if index < len(exact) else UNKNOWN)
        middle = exact[starred : len(exact) - behind]
        self.assign(targets[starred][2], self.sequence(middle, "list", targets[starred][1]))
        for index, target in enumerate(targets[starred + 1 :]):
            at = len(exact) - behind + index
            self.assign(target, exact[at] if 0 <= at < len(exact) else UNKNOWN)

    def _piece(self, value: Value, index: int, target: Node, *, by_name: bool) -> Value:
        """What one of several targets gets of a value whose elements are not known one by one."""
        one = self.read(value, index) if value[3] else None
        field = self.field_at(value, index) if by_name else ""
        if field:
            one = self.attribute(value, field, target[1])
        if one is None:
            one = self.iterated(value)
            if value[0] and not value[3]:
                one = (with_marks(value[0], PART), NO, one[2], ())
        return self.new("builtins.list", target[1], {REST: one}) if target[0] == ir.STARRED else one
