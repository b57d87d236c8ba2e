"""Summaries of all functions of a project, computed on demand, kept, and recomputed only where something changed."""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from charter.analysis.taint import handlers
from charter.analysis.taint.arguments import Arguments
from charter.analysis.taint.exports import Exported, export, imported, joined, references_in, sites
from charter.analysis.taint.frame import Frame, Summary
from charter.analysis.taint.opportunities import Opportunities
from charter.analysis.taint.relevance import Relevance, hands_on
from charter.analysis.taint.roles import Roles
from charter.analysis.taint.routes import Route, parse
from charter.analysis.taint.run import Run
from charter.analysis.taint.values import (
    INSTANCE,
    NO,
    PROJECT_FUNCTION,
    PROJECT_INSTANCE,
    UNKNOWN,
    Value,
    bits,
    join,
    references,
)
from charter.model import ir
from charter.model.project import Change, Class, Function, Module, Project

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from charter.analysis.taint.context import Entry
    from charter.analysis.taint.frame import Flow
    from charter.model.library.index import Entry as Facts
    from charter.model.library.index import Index
    from charter.model.library.values import Library

Key = tuple[Function, "Entry"]

_BOTTOM: Final = Summary()
_NOTHING: Final[dict[Any, Any]] = {}
_ATTEMPTS: Final = 3
_ROUNDS: Final = 4
_MOST_STEPS: Final = 4000
_MOST_CONTEXTS: Final = 16
_DEEPEST: Final = 10


class Engine:
    """The analysis of one project.

    Args:
        project: the linked modules.
        index: the models.
        threats: the threat models whose sources count.
        libraries: those of the models that may speak of the project's own functions.
    """

    def __init__(
        self, project: Project, index: Index, threats: Iterable[str], libraries: Iterable[Library] = ()
    ) -> None:
        self.project = project
        self.index = index
        self.opportunities = Opportunities(project, index)
        self.near = Relevance(project, index, threats)
        self.carriers = self.near.carriers
        self.thorough = False
        self.stored = "stored" in self.near.threats
        self.deepest = _DEEPEST
        self.most_steps = _MOST_STEPS
        self.most_contexts = _MOST_CONTEXTS
        self.summaries: dict[Key, Summary] = {}
        self.users: dict[Any, set[Key]] = defaultdict(set)
        self._uses: dict[Key, set[Any]] = defaultdict(set)
        self._renewing: Collection[Key] = ()
        self.handlers: dict[Function, handlers.Use] = {}
        self.registrars: dict[Function, Module] = {}
        self.fields: dict[tuple[Class, str], Exported] = {}
        self.globals: dict[tuple[Module, str], Exported] = {}
        self.outers: dict[tuple[Function, str], Exported] = {}
        self.moving: set[Any] = set()
        self.coarse: set[Function] = set()
        self.broken: dict[Function, Exception] = {}
        self.runs = 0
        self._given: dict[Key, dict[Any, Exported]] = {}
        self._former: dict[Key, dict[Any, Exported]] = {}
        self._givers: dict[Any, dict[Key, dict[Any, Exported]]] = defaultdict(dict)
        self._scanned = False
        self._unseen: dict[Function, None] | None = None
        self._contexts: dict[Function, dict[Key, None]] = defaultdict(dict)
        self._flowing: dict[Key, None] = {}
        self._owning: dict[Function, None] = {}
        self._stack: list[Key] = []
        self._at: dict[Key, int] = {}
        self._low: list[int] = []
        self._loose: dict[int, list[Key]] = defaultdict(list)
        self._called_back: set[Key] = set()
        self._provisional: dict[Key, Summary] = {}
        self._dirty: dict[Key, None] = {}
        self.roles = Roles(project, index)
        self._ready: set[Class] = set()
        self._class_names: dict[Class, tuple[str, ...]] = {}
        self._captures: dict[Function, frozenset[str]] = {}
        self._inner: dict[Function, list[Function]] = {}
        self._due: dict[Function, None] = {}
        self._passed_over: dict[Key, set[Key]] = defaultdict(set)
        self._stores: dict[Class | Module, dict[str, list[Function]]] = {}
        self._named = sorted(index.called(libraries))
        self.modelled: dict[Function, Facts] = {}
        self.find_modelled()

    def find_modelled(self) -> None:
        """Find the project's functions and classes of which the project's own models say something."""
        self.modelled = {}
        for name in self._named:
            found = self.project.named(name)
            if isinstance(found, Class):
                found = found.methods.get("__init__")
            if isinstance(found, Function):
                self.modelled[found] = self.index.entry(name)

    # Summaries
    def solve(self) -> None:
        """Compute everything that is not known or no longer true."""
        if not self._scanned:
            self._scanned = True
            self._unseen = None
            self.near.classes_changed()
            for module in self.ordered():
                self._look_at(module)
        due, self._due = self._due, {}
        for function in due:
            self.demand(function)
        self._settle()
        while self._spread():
            self._settle()

    def _look_at(self, module: Module) -> None:
        """Find the handlers that decorators and base classes make, as far as that needs no run."""
        for function in module.functions:
            if function.parent is not None and any(
                self.near.is_decorating(one) for one in function.record[ir.DECORATORS]
            ):
                self._near(function.parent)
        for cls in module.classes:
            for function, use in handlers.used_by_class(cls, self.project.externals(cls), self.index):
                self.use(module, function, use)
        if self.index.by_function:
            for function in module.functions:
                for use in handlers.used_by_convention(function, self.index):
                    if function not in self.handlers:
                        self.use(module, function, use)

    def _spread(self) -> bool:
        """Run the functions that untrusted data may come near, as far as that is known now; whether there were any."""
        found = [
            function
            for function in self._candidates()
            if (function, ()) not in self.summaries
            and (self.thorough or function in self.handlers or self.near.is_near(function))
        ]
        for function in found:
            self.demand(function)
        return bool(found)

    def _candidates(self) -> Iterable[Function]:
        """The functions that may have become near since this was asked last, in a fixed order."""
        fresh, self.near.fresh = self.near.fresh, set()
        unseen, self._unseen = self._unseen, {}
        if unseen is None:
            return [function for module in self.ordered() for function in module.functions]
        if fresh:
            for module in self.ordered():
                for function in module.functions:
                    if not fresh.isdisjoint(function.record[ir.WORDS]):
                        unseen[function] = None
        return unseen

    def demand(self, function: Function) -> None:
        """See to it that a function has been run by itself."""
        if (function, ()) not in self.summaries and (function, ()) not in self._at:
            self.summary(function, (), 0, None)

    def _near(self, function: Function) -> None:
        """A function is near for another reason than the names that it mentions."""
        if function not in self.near.functions:
            self.near.functions.add(function)
            self._look_again(function)

    def _look_again(self, function: Function) -> None:
        if self._unseen is not None:
            self._unseen[function] = None

    def is_idle(self, function: Function) -> bool:
        """Whether a call that passes and gives nothing of interest can be passed over: no untrusted data comes near.

        Should that turn out otherwise, whoever asks now is due again.
        """
        key = (function, ())
        if not function.flags & ir.ENDS or key in self.summaries or key in self._renewing or self.thorough:
            return False
        if function in self.handlers or self.near.is_near(function):
            return False
        self._passed_over[key].add(self._stack[-1])
        return True

    def _settle(self) -> None:
        """Run again what is due."""
        for _ in range(_ROUNDS):
            if not self._dirty:
                break
            batch, self._dirty = self._dirty, {}
            self._renew(batch)
        self._dirty.clear()

    def be_thorough(self) -> None:
        """Run every function by itself from now on, not only those that untrusted data may come near."""
        self.thorough = True
        self._unseen = None

    # Changes
    def changed(self, functions: Iterable[Function]) -> None:
        """Functions have new code: all that was known of them is due again."""
        wanted = set(functions)
        self._inner.clear()
        for function in wanted:
            self._make_due(function)
            self.roles.forget(function)
            self._captures.pop(function, None)
            self._look_again(function)
            self._stores.pop(function.module, None)
            scope = function
            while scope.cls is None and scope.parent is not None:
                scope = scope.parent
            if scope.cls is not None:
                self._stores.pop(scope.cls, None)
            self._demand_for_readers(function, scope.cls)

    def _demand_for_readers(self, function: Function, cls: Class | None) -> None:
        """What assigns a name that somebody has read, though it was not known to assign it, must be run."""
        for name in function.record[ir.STORES]:
            owner = function.module if name[:2] == "::" else cls
            table = self.globals if name[:2] == "::" else self.fields
            if (id(table), (owner, name.removeprefix("::"))) in self.users:
                self._due[function] = None

    def forget(self, module: Module, change: Change) -> None:
        """Functions and classes of a module are gone, or there are new ones."""
        gone = set(change.gone)
        self._inner.clear()
        for function in gone:
            for key in self._contexts.pop(function, ()):
                self._forget_key(key)
            for table in (self.handlers, self.registrars, self._captures, self._due):
                table.pop(function, None)
            self.roles.forget(function)
            if self._unseen is not None:
                self._unseen.pop(function, None)
        for cls in change.lost:
            self._ready.discard(cls)
        if gone:
            self.near.forget(gone)
        if self.project.modules.get(module.path) is not module:
            return
        if change.names or change.imports or change.gone:
            for owner in (module, *module.classes, *change.lost):
                self._stores.pop(owner, None)
            for function in module.functions:
                self._look_again(function)
                self._captures.pop(function, None)
            self._look_at(module)
        self._forget_roles(module, change)

    def _forget_key(self, key: Key) -> None:
        self.summaries.pop(key, None)
        self._flowing.pop(key, None)
        self._dirty.pop(key, None)
        before = self._given.pop(key, None)
        if before is not None:
            self._withdraw(key, before)
        for user in self.users.pop(key, ()):
            if user in self.summaries:
                self._dirty[user] = None

    def _forget_roles(self, module: Module, change: Change) -> None:
        """What a module has registered as handlers may be so no more: whoever registers does it again."""
        if not any(self.near.registers(function) for function in (*change.gone, *change.changed)):
            return
        for function in [one for one, by in self.registrars.items() if by is module]:
            del self.registrars[function], self.handlers[function]
            self._make_due(function)
        self._look_at(module)
        for function in module.functions:
            if self.near.registers(function):
                self._make_due(function)

    def _make_due(self, function: Function) -> None:
        for key in self._contexts.get(function, ()):
            if key in self.summaries:
                self._dirty[key] = None

    def renamed(self, modules: Iterable[Module], names: set[str]) -> None:
        """Names mean something else: in these modules all functions that mention them are due."""
        for module in modules:
            if self.project.modules.get(module.path) is not module:
                continue
            self.near.names_changed(module)
            for function in module.functions:
                if not names.isdisjoint(function.record[ir.WORDS]) or (function.index == 0 and "*" in names):
                    self._make_due(function)
                    self._look_again(function)
                    self.roles.forget_types(function)

    def ordered(self) -> list[Module]:
        """The modules in a fixed order."""
        modules = self.project.modules
        return [modules[path] for path in sorted(modules)]

    def _renew(self, batch: Iterable[Key]) -> None:
        """Run functions again, what they call before them; if callers can tell the difference, they are due too.

        Functions by themselves come first: they ask for the contexts that they still need. A context that nobody needs
        any more is dropped.
        """
        before = {key: self.summaries.pop(key, None) for key in batch}
        self._renewing = before.keys()
        for key in sorted(before, key=lambda key: bool(key[1])):
            if key in self.summaries:
                continue
            if key[1] and not any(user in self.summaries for user in self.users.get(key, ())):
                self._drop(key)
            else:
                self.summary(key[0], key[1], 0, None)
        self._renewing = ()
        for key, old in before.items():
            new = self.summaries.get(key)
            if old is not None and (new is None or not old.same_for_callers(new)):
                for user in self.users.get(key, ()):
                    if user not in before and user in self.summaries:
                        self._dirty[user] = None

    def _drop(self, key: Key) -> None:
        """Forget a context."""
        self.summaries.pop(key, None)
        self._contexts[key[0]].pop(key, None)
        self._flowing.pop(key, None)
        for name in self._uses.pop(key, ()):
            self.users[name].discard(key)
        given = self._given.pop(key, None)
        if given is not None:
            self._withdraw(key, given)

    def summary(self, function: Function, entry: Entry, depth: int, caller: Frame | None) -> Summary:
        """The summary of a function in a context."""
        key = (function, entry)
        if self._stack:
            user = self._stack[-1]
            self.users[key].add(user)
            self._uses[user].add(key)
        known = self.summaries.get(key)
        if known is not None:
            return known
        at = self._at.get(key)
        if at is not None:
            self._low[-1] = min(self._low[-1], at)
            self._called_back.add(key)
            return self._provisional.get(key, _BOTTOM)
        return self._compute(key, depth if entry and key not in self._renewing else 0)

    def _run(self, key: Key, depth: int) -> Summary:
        run = Run(self, key[0], depth)
        self.runs += 1
        try:
            summary = run.execute(key[1])
        except Exception as error:  # noqa: BLE001 (one function must not cost the flows of all others; it is named)
            summary = _BOTTOM
            self.broken[key[0]] = error
        if run.budget < 0:
            self.coarse.add(key[0])
        self._keep_names(run)
        return summary

    def _compute(self, key: Key, depth: int) -> Summary:
        """Run a function until its summary agrees with what its recursive calls assumed.

        As in Tarjan's algorithm, `_low` holds for each function in progress the outermost one that it leads back to.
        What was computed on the assumption of an outer function is computed anew if the assumption was wrong.
        """
        level = len(self._stack)
        self._stack.append(key)
        self._at[key] = level
        self._low.append(level)
        before = self._given.pop(key, None)
        if before is not None:
            self._former[key] = before
        used = self._uses.pop(key, None)
        summary = _BOTTOM
        for _ in range(_ATTEMPTS):
            self._called_back.discard(key)
            summary = self._run(key, depth)
            assumed = self._provisional.get(key, _BOTTOM)
            if key not in self._called_back or assumed.same_for_callers(summary):
                break
            self._provisional[key] = summary
            for loose in self._loose.pop(level, ()):
                self.summaries.pop(loose, None)
        self._called_back.discard(key)
        if before is not None:
            del self._former[key]
            self._withdraw(key, before)
        if used is not None:
            for name in used - self._uses[key]:
                self.users[name].discard(key)
        low = self._low.pop()
        self._stack.pop()
        del self._at[key]
        self._provisional.pop(key, None)
        loose = self._loose.pop(level, [])
        if low < level:
            self._low[-1] = min(self._low[-1], low)
            self._loose[low].extend([*loose, key])
        self.summaries[key] = summary
        self._contexts[key[0]][key] = None
        if not key[1]:
            self.near.learn_summary(key[0], summary)
            passed = self._passed_over.pop(key, None)
            if passed and not (summary.trivial and summary.returns):
                self._dirty.update(dict.fromkeys(user for user in passed if user in self.summaries))
        if summary.own and not key[1]:
            self._owning[key[0]] = None
        if summary.flows:
            self._flowing[key] = None
        else:
            self._flowing.pop(key, None)
        return summary

    def has_too_many_contexts(self, function: Function, entry: Entry) -> bool:
        """Whether a function has been run in so many contexts that a new one must do with less detail."""
        if (
            len(self._contexts[function]) < self.most_contexts
            or (function, entry) in self._contexts[function]
        ):
            return False
        self.coarse.add(function)
        return True

    def contexts(self, function: Function) -> list[Key]:
        """The contexts in which a function is known, that without a caller first."""
        found = [key for key in self._contexts.get(function, ()) if key in self.summaries]
        return sorted(found, key=lambda key: bool(key[1]))

    def callers(self, function: Function) -> list[Function]:
        """The functions that call a function, in any context."""
        users = {user for key in self.contexts(function) for user in self.users.get(key, ())}
        found = {user[0] for user in users if user in self.summaries and user[0] is not function}
        return sorted(found, key=lambda one: (one.module.path, one.line))

    def flows(self) -> Iterator[Flow]:
        """All flows of all contexts that are in use."""
        for key in self._flowing:
            used = not key[1] or any(user in self.summaries for user in self.users.get(key, ()))
            if used and key in self.summaries:
                yield from self.summaries[key].flows

    def own_texts(self) -> Iterator[tuple[Function, int]]:
        """The calls that are given text which the program itself has made, as far as their function shows by itself."""
        for function in self._owning:
            summary = self.summaries.get((function, ()))
            if summary is not None:
                yield from ((function, place) for place in summary.own)

    # Names that outlive a function
    def _keep_names(self, run: Run) -> None:
        function = run.function
        if function.index == 0:
            for name in self._module_names(run):
                value = self._joined_name(run, "::" + name)
                if value is not None:
                    self._store(self.globals, (run.module, name), export(run, value), replace=True)
        elif function.flags & ir.CLASS_BODY and function.cls is not None:
            self._keep_class_names(run, function.cls)
        captures = self._captured_names(function)
        for name in captures:
            value = self._joined_name(run, name)
            if value is not None:
                self._store(self.outers, (function, name), export(run, value), replace=True)

    def _module_names(self, run: Run) -> list[str]:
        names: dict[str, None] = {}
        for state in run.exits:
            for key in state:
                if isinstance(key, str) and key.startswith("::"):
                    names[key[2:]] = None
        return list(names)

    def _joined_name(self, run: Run, name: str) -> Value | None:
        result: Value | None = None
        for state in run.exits:
            value = state.get(name)
            if value is not None:
                result = value if result is None else join(result, value)
        return result

    def _keep_class_names(self, run: Run, cls: Class) -> None:
        names: dict[str, None] = {}
        for state in run.exits:
            for key in state:
                if isinstance(key, str) and key[0] not in "?:":
                    names[key] = None
        self._class_names[cls] = tuple(names)
        for name in names:
            value = self._joined_name(run, name)
            if value is not None and name not in cls.methods:
                self._store(self.fields, (cls, name), export(run, value), replace=False)

    def _captured_names(self, function: Function) -> frozenset[str]:
        known = self._captures.get(function)
        if known is None:
            names: set[str] = set()
            for other in function.module.functions:
                if other.parent is function:
                    names.update(other.frees)
            known = self._captures[function] = frozenset(names)
        return known

    def _store(self, table: dict[Any, Exported], key: Any, new: Exported, *, replace: bool) -> None:
        """Keep a value that outlives its function, as this function's contribution to what readers see."""
        if not self._stack:
            return
        name = (id(table), key)
        given = self._given.setdefault(self._stack[-1], {})
        self._learn(table, key, new)
        old = given.get(name)
        if old is not None and not replace:
            new = joined(old, new)
        if old != new:
            given[name] = new
            self._givers[name][self._stack[-1]] = table
            self._publish(table, key)

    def _learn(self, table: dict[Any, Exported], key: Any, new: Exported) -> None:
        """What is stored may make more functions near: those that mention the name, or take it along."""
        owner, name = key
        gives = [self.near.counts(site.kind) for site in sites(new)]
        gives += [self.near.is_carrier(reference, name) for reference in references_in(new)]
        if not any(gives):
            return
        if table is self.outers:
            for one in owner.module.functions:
                if one.parent is owner and name in one.frees:
                    self._near(one)
        elif table is self.fields:
            self.near.learn_member(owner, name)
        else:
            self.near.learn(name.rpartition(".")[2])

    def _publish(self, table: dict[Any, Exported], key: Any) -> None:
        """Join all contributions to a name; if that changes it, those who read it are due again."""
        name = (id(table), key)
        whole: Exported | None = None
        for giver in self._givers[name]:
            # While a giver is run again, what it gave before holds as well: those who read it are to see no less.
            for table_of in (self._former, self._given):
                one = table_of.get(giver, _NOTHING).get(name)
                if one is not None:
                    whole = one if whole is None else joined(whole, one)
        if table.get(key) == whole:
            return
        if whole is None:
            table.pop(key, None)
        else:
            table[key] = whole
        for user in self.users.get(name, ()):
            if user in self.summaries:
                self._dirty[user] = None

    def _withdraw(self, key: Key, before: dict[Any, Exported]) -> None:
        """Take back what a function contributed before and does not contribute any more."""
        now = self._given.get(key, _NOTHING)
        for name, one in before.items():
            if name not in now:
                table = self._givers[name].pop(key, None)
                if table is not None:
                    self._publish(table, name[1])
            elif now[name] != one:
                self._publish(self._givers[name][key], name[1])

    def _read(self, table: dict[Any, Exported], key: Any, frame: Frame) -> Value | None:
        if self._stack:
            user, name = self._stack[-1], (id(table), key)
            self.users[name].add(user)
            self._uses[user].add(name)
        found = table.get(key)
        return None if found is None else imported(frame, found)

    def global_value(self, module: Module, name: str, frame: Frame) -> Value | None:
        """The value of a module's variable; None if it has none of that name."""
        self.demand(module.main)
        for function in self._storing(module).get("::" + name, ()):
            self.demand(function)
        return self._read(self.globals, (module, name), frame)

    def store_global(self, module: Module, name: str, value: Value, frame: Frame) -> None:
        """An assignment to a module's variable."""
        own = frame.function is module.main
        self._store(self.globals, (module, name), export(frame, value), replace=own and not frame.loops)

    def outer_value(self, function: Function, name: str, frame: Frame) -> Value | None:
        """The value of an enclosing function's variable as that function leaves it."""
        self.demand(function)
        return self._read(self.outers, (function, name), frame)

    # Fields
    def field(self, cls: Class, name: str, frame: Frame) -> Value:
        """What an attribute of a class's instances may hold, whoever wrote it."""
        result: Value | None = None
        annotation: Any = None
        for one in self.project.linear_order(cls):
            if not isinstance(one, Class):
                continue
            if one not in self._ready:
                self._prepare(one)
            for function in self._storing(one).get(name, ()):
                self.demand(function)
            found = self._read(self.fields, (one, name), frame)
            if found is not None:
                result = found if result is None else join(result, found)
            if annotation is None:
                annotation = one.annotations.get(name)
                if annotation is not None:
                    annotation = self.roles.type_of(one.module, annotation, frame)
        if result is None:
            return UNKNOWN if annotation is None else (0, NO, annotation, ())
        if not isinstance(result[1], str | tuple):
            result = (result[0], NO, result[2], result[3])
        if annotation is not None and result[2] is None:
            result = (result[0], result[1], annotation, result[3])
        return result

    def element_type(self, cls: Class, name: str, frame: Frame) -> Any:
        """What an attribute's annotation says of the elements of the list that it holds."""
        for one in self.project.linear_order(cls):
            if isinstance(one, Class) and name in one.annotations:
                return self.roles.element_of(one.module, one.annotations[name], frame)
        return None

    def _prepare(self, cls: Class) -> None:
        """Run what gives a class's instances their attributes."""
        self._ready.add(cls)
        for function in (cls.body, cls.methods.get("__init__")):
            if function is not None:
                self.demand(function)

    def _storing(self, owner: Class | Module) -> dict[str, list[Function]]:
        """The methods of a class by the attributes that they assign; a module's functions by its names."""
        known = self._stores.get(owner)
        if known is None:
            known = self._stores[owner] = {}
            if isinstance(owner, Class):
                functions = [*owner.methods.values()]
                functions += [one for one in owner.module.functions if one.parent in functions]
            else:
                functions = owner.functions
            for function in functions:
                for name in function.record[ir.STORES]:
                    known.setdefault(name, []).append(function)
        return known

    def safe_fields(self, cls: Class, frame: Frame) -> dict[str, int]:
        """The fields that a form or schema class declares, with the bits of what their values cannot be."""
        result: dict[str, int] = {}
        for one in self.project.linear_order(cls):
            if not isinstance(one, Class) or one.body is None:
                continue
            if one not in self._ready:
                self._prepare(one)
            for name in self._class_names.get(one, ()):
                reference = self.fields[one, name][2] if (one, name) in self.fields else None
                if reference is not None and reference[0] == INSTANCE and name not in result:
                    for base in self.index.ancestors(self.index.canonical(reference[1])):
                        kinds = self.index.fields.get(base)
                        if kinds is not None:
                            result[name] = bits(kinds)
                            break
        return result

    def store_field(self, cls: Class, name: str, value: Value, frame: Frame) -> None:
        """An assignment to an attribute of an instance."""
        self._store(self.fields, (cls, name), export(frame, value), replace=False)

    # Roles of functions
    def register(self, frame: Frame, entry: Facts, arguments: Arguments) -> None:
        """A call that registers handlers."""
        if hands_on(frame.function):
            self.near.learn(frame.function.short)
        for function, use in handlers.used_by_registration(frame, entry, arguments):
            self.use(frame.module, function, use)

    def route(self, module: Module, cls: Class, pattern: str) -> None:
        """A table of routes gives a class its URL pattern; what the pattern does not name stays as it is."""
        route = parse(pattern, "regex")
        named = {name: safe for name, safe in route.parameters.items() if not name.isdigit()}
        for function, use in handlers.used_by_class(cls, self.project.externals(cls), self.index):
            if named and use.handler.parameters == "all":
                self.use(module, function, handlers.Use(use.handler, Route(named, static=False)))

    def decorated(self, frame: Frame, function: Function, decorator: ir.Node, value: Value) -> Value:
        """The value of a decorated function; its role as a handler is remembered."""
        for use in handlers.used_by_decorator(frame, decorator, self.index):
            self.use(frame.module, function, use)
        target = decorator[2] if decorator[0] == ir.CALL else decorator
        for reference in references(frame.value(target)[2]):
            if reference[0] == PROJECT_FUNCTION and self._fetches(reference[1]):
                self._run_wrapper(frame, function, decorator, value)
        return value

    def _fetches(self, decorator: Function) -> bool:
        """Whether what a decorator of the project's own puts around functions may read untrusted data."""
        inner = self._inner.get(decorator)
        if inner is None:
            functions = decorator.module.functions
            near = {one for one in functions if one.parent is decorator}
            inner = self._inner[decorator] = [one for one in functions if one in near or one.parent in near]
        return any(self.near.mentions(one) for one in inner)

    def _run_wrapper(self, frame: Frame, function: Function, decorator: ir.Node, value: Value) -> None:
        """Run what a decorator puts around a function: it may hand on what it has read from a request."""
        place = decorator[1]
        wrapper = frame.invoke(frame.value(decorator), Arguments.of([value], place), place)
        given: list[Value] = []
        if function.cls is not None and self.roles.sort(function) == "instance":
            given = [(0, NO, (PROJECT_INSTANCE, function.cls, False), ())]
        for reference in references(wrapper[2]):
            if reference[0] == PROJECT_FUNCTION and reference[1] is not function:
                frame.invoke(wrapper, Arguments.of(given, place), place)

    def use(self, module: Module, function: Function, use: handlers.Use) -> None:
        """A framework calls a function."""
        known = self.handlers.get(function)
        if known is not None and known.route is not None:
            if use.route is None:
                return
            if known.handler == use.handler:
                use = handlers.Use(use.handler, known.route.merged(use.route))
        if known == use:
            return
        self.handlers[function] = use
        self.registrars[function] = module
        self._look_again(function)
        if (function, ()) in self.summaries:
            self._dirty[function, ()] = None

    def is_static_route(self, function: Function) -> bool:
        """Whether a handler's URL pattern has no parameters, so that the request's path is constant."""
        scope: Function | None = function
        while scope is not None:
            use = self.handlers.get(scope)
            if use is not None:
                return use.route is not None and use.route.static
            scope = scope.parent
        return False
