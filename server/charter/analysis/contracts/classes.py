"""Where a class does not keep to what its bases in the project rely on. It looks at no call from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from charter.analysis.places import unpack
from charter.api.facts.contracts import BrokenInheritance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charter.analysis.contracts.extract import Class, Function
    from charter.analysis.contracts.hierarchy import Hierarchy
    from charter.api import Location


_FEW: Final = 2


def breaks(hierarchy: Hierarchy) -> Iterator[BrokenInheritance]:
    """Every break of inheritance in the project."""
    for name, (path, class_) in hierarchy.classes.items():
        yield from _hidden(hierarchy, name, path, class_)
    overrides: dict[Location, list[BrokenInheritance]] = {}
    for name, order, whole in hierarchy.heirs():
        for broken in _overrides(hierarchy, name, order):
            overrides.setdefault(broken.related, []).append(broken)
        if whole:
            yield from _skipped(hierarchy, name, order)
            yield from _early(hierarchy, name, order)
        yield from _repeated(hierarchy, name)
        yield from _equality(hierarchy, name, order)
    for same in overrides.values():
        # Where most heirs go their own ways, it is not one of them that broke with the base.
        if len(same) <= _FEW:
            yield from same


def _overrides(hierarchy: Hierarchy, name: str, order: tuple[str, ...]) -> Iterator[BrokenInheritance]:
    """Methods that cannot be called as the base's method is."""
    path, class_ = hierarchy.classes[name]
    for method, function in class_[1].items():
        if function is None or method.startswith("_"):
            continue
        for base in order[1:]:
            base_path, base_class = hierarchy.classes[base]
            if method in base_class[2] or "*" in base_class[2]:
                break
            if method in base_class[1]:
                above = base_class[1][method]
                if above is not None:
                    subject = _mismatch(function, above)
                    if subject:
                        yield BrokenInheritance(
                            unpack(path, function[4]), "override", _last(name), _last(base), method, subject,
                            unpack(base_path, above[4]),
                        )  # fmt: skip
                break


def _mismatch(function: Function, above: Function) -> str:
    """What callers of the base's method pass or leave out that the override refuses; "" if it takes all of it."""
    if "property" in {function[1], above[1]}:
        return ""
    drop, drop_above = (0 if item[1] == "static" else 1 for item in (function, above))
    positional, _, defaults, rest, named, required, others = function[0]
    positional_above, _, defaults_above, rest_above, named_above, required_above, others_above = above[0]
    mine, theirs = positional[drop:], positional_above[drop_above:]
    if rest_above or others_above:
        return ""
    if above[2] == "stub" and not theirs:
        return ""  # a hook that says only that there is one
    least = len(mine) - defaults
    if least > len(theirs):
        missing = mine[len(theirs)]
        if missing not in named_above:
            return f"asks for `{missing}`, which callers of the base's method do not pass"
    needed_above = len(theirs) - defaults_above
    by_name = others or set(theirs[len(mine) : needed_above]) <= set(named)
    if not rest and len(mine) < needed_above and not by_name:
        left_out = next((name for name in theirs[:needed_above] if name not in mine), theirs[len(mine)])
        return f"does not take `{left_out}`, which callers of the base's method must pass"
    extra = [key for key in required if key not in named_above and key not in theirs]
    if extra:
        return f"asks for `{extra[0]}`, which callers of the base's method do not pass"
    gone = [key for key in required_above if key not in named and key not in mine]
    if gone and not others:
        return f"does not take `{gone[0]}`, which callers of the base's method must pass"
    return ""


def _skipped(hierarchy: Hierarchy, name: str, order: tuple[str, ...]) -> Iterator[BrokenInheritance]:
    """An `__init__` that does not call the next one, which sets what the base's methods read."""
    path, class_ = hierarchy.classes[name]
    init, function = class_[4], class_[1].get("__init__")
    if init is None or function is None or init[0]:
        return
    base = next((item for item in order[1:] if hierarchy.classes[item][1][4] is not None), "")
    above = hierarchy.classes[base][1][4] if base else None
    if above is None:
        return
    if any("__new__" in hierarchy.classes[item][1][1] for item in order) or "__dict__" in class_[6].get(
        "__init__", ()
    ):
        return
    own = {attribute for attribute, *_ in init[1]}
    # What a helper method sets, or a class's body, is not missing.
    for item in order:
        own.update(hierarchy.classes[item][1][2])
        own.update(hierarchy.classes[item][1][1])
        own.update(hierarchy.classes[item][1][9])
    helpers = {method for method, _ in init[2]}
    for attribute, _, place, _ in above[1]:
        if attribute in own or helpers:
            continue
        reader = next(
            (
                method
                for item in order
                for method, reads in hierarchy.classes[item][1][6].items()
                if attribute in reads
                and method != "__init__"
                and not _is_redefined(hierarchy, order, item, method)
            ),
            "",
        )
        if reader:
            base_path = hierarchy.classes[base][0]
            yield BrokenInheritance(
                unpack(path, function[4]), "skipped-init", _last(name), _last(base), reader, attribute,
                unpack(base_path, place),
            )  # fmt: skip
            return


def _is_redefined(hierarchy: Hierarchy, order: tuple[str, ...], owner: str, method: str) -> bool:
    return any(method in hierarchy.classes[item][1][1] for item in order[: order.index(owner)])


def _early(hierarchy: Hierarchy, name: str, order: tuple[str, ...]) -> Iterator[BrokenInheritance]:
    """A method that the base's `__init__` calls, and that reads what this class's `__init__` has not set yet."""
    path, class_ = hierarchy.classes[name]
    init, next_init = class_[4], class_[5]
    if init is None or next_init < 0:
        return
    base = next((item for item in order[1:] if hierarchy.classes[item][1][4] is not None), "")
    above = hierarchy.classes[base][1][4] if base else None
    if above is None:
        return
    before = {attribute for attribute, number, *_ in init[1] if number <= next_init}
    late = {attribute: place for attribute, number, place, _ in init[1] if number > next_init}
    for method, number in above[2]:
        function = class_[1].get(method)
        if function is None:
            continue
        set_by_then = {attribute for attribute, at, *_ in above[1] if at < number}
        for attribute in class_[6].get(method, ()):
            known = any(
                attribute in hierarchy.classes[item][1][2] or attribute in hierarchy.classes[item][1][1]
                for item in order
            )
            if attribute in late and attribute not in before | set_by_then and not known:
                yield BrokenInheritance(
                    unpack(path, late[attribute]), "early-call", _last(name), _last(base), method, attribute,
                    unpack(path, function[4]),
                )  # fmt: skip
                return


def _repeated(hierarchy: Hierarchy, name: str) -> Iterator[BrokenInheritance]:
    """An `__init__` that reaches that of one base twice, by calling two others by name."""
    path, class_ = hierarchy.classes[name]
    init, function = class_[4], class_[1].get("__init__")
    if init is None or function is None:
        return
    # One base that is called in two places is called in two branches.
    direct = {hierarchy.defining(item): None for item in init[0] if item not in {"super", "?"}}
    if len(direct) < 2:
        return
    seen: set[str] = set()
    for start in direct:
        for reached in _reached(hierarchy, start, set()):
            if reached in seen and hierarchy.classes[reached][1][4] is not None:
                base_path, base_class = hierarchy.classes[reached]
                above = base_class[1].get("__init__")
                if above is not None:
                    yield BrokenInheritance(
                        unpack(path, function[4]), "repeated-init", _last(name), _last(reached), "__init__", "",
                        unpack(base_path, above[4]),
                    )  # fmt: skip
                    return
            seen.add(reached)


def _reached(hierarchy: Hierarchy, name: str, on_way: set[str]) -> Iterator[str]:
    """The classes whose `__init__` a call of one class's reaches by names."""
    if name not in hierarchy.classes or name in on_way:
        return
    on_way.add(name)
    owner = next(
        (item for item in hierarchy.line(name)[0] if hierarchy.classes[item][1][4] is not None), name
    )
    yield owner
    init = hierarchy.classes[owner][1][4]
    for item in init[0] if init is not None else ():
        if item not in {"super", "?"}:
            yield from _reached(hierarchy, hierarchy.defining(item), on_way)


def _hidden(hierarchy: Hierarchy, name: str, path: str, class_: Class) -> Iterator[BrokenInheritance]:
    """A method that an attribute of the same name hides on every object."""
    for item in hierarchy.line(name)[0]:
        init = hierarchy.classes[item][1][4]
        for attribute, _, place, assigned in init[1] if init is not None else ():
            function = class_[1].get(attribute)
            if function is None or function[1] == "property" or not assigned:
                continue
            if assigned != "value" and (assigned != attribute or function[2] == "stub"):
                continue
            if attribute in class_[6].get("__init__", ()):
                continue  # the method is handed to the base, which keeps it
            yield BrokenInheritance(
                unpack(hierarchy.classes[item][0], place), "hidden-method", _last(name), _last(item), attribute,
                attribute, unpack(path, function[4]),
            )  # fmt: skip


def _equality(hierarchy: Hierarchy, name: str, order: tuple[str, ...]) -> Iterator[BrokenInheritance]:
    """An heir with attributes of its own that the inherited `__eq__` does not compare."""
    path, class_ = hierarchy.classes[name]
    init = class_[4]
    if init is None or "__eq__" in class_[1] or "__eq__" in class_[2] or class_[3]:
        return
    base = next((item for item in order[1:] if "__eq__" in hierarchy.classes[item][1][1]), "")
    if not base:
        return
    base_path, base_class = hierarchy.classes[base]
    above = base_class[1]["__eq__"]
    compared = set(base_class[6].get("__eq__", ()))
    if above is None or not compared or "__dict__" in compared:
        return
    known = compared | {
        attribute for item in order[1:] for attribute in _attributes(hierarchy.classes[item][1])
    }
    helpers = {method for method in compared if any(method in hierarchy.classes[i][1][1] for i in order)}
    if helpers or compared <= {"__class__"}:
        return
    for attribute, _, place, assigned in init[1]:
        if attribute not in known and assigned == attribute and not attribute.startswith("_"):
            yield BrokenInheritance(
                unpack(path, place), "equality", _last(name), _last(base), "__eq__", attribute,
                unpack(base_path, above[4]),
            )  # fmt: skip
            return


def _attributes(class_: Class) -> Iterator[str]:
    yield from class_[2]
    yield from class_[1]
    if class_[4] is not None:
        yield from (attribute for attribute, *_ in class_[4][1])


def _last(name: str) -> str:
    return name.rpartition(".")[2]
