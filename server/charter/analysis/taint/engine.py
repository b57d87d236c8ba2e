"""The analysis of a project: which of its functions are run, and what of that a change makes due again."""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from charter.analysis.taint import handlers
from charter.analysis.taint.opportunities import Opportunities
from charter.analysis.taint.run import Run
from charter.analysis.taint.summaries import Summaries
from charter.model import ir
from charter.model.project import Change, Class, Function, Module, Project

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.analysis.taint.knowledge import Key
    from charter.model.library.index import Index
    from charter.model.library.values import Library


class Engine(Summaries):
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
        super().__init__(project, index, threats)
        self.opportunities = Opportunities(project, index)
        self._scanned = False
        self._due: dict[Function, None] = {}
        self._named = sorted(index.called(libraries))
        self.find_modelled()

    def _start(self, function: Function, depth: int) -> Run:
        return Run(self, function, depth)

    def find_modelled(self) -> None:
        """Find the project's functions and classes of which the project's own models say something."""
        self.modelled = {}
        for name in self._named:
            found = self.project.named(name)
            if isinstance(found, Class):
                found = found.methods.get("__init__")
            if isinstance(found, Function):
                self.modelled[found] = self.index.entry(name)

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
            decorators = function.record[ir.DECORATORS]
            if decorators and function.parent is not None and any(map(self.near.is_decorating, decorators)):
                self._near(function.parent)
        for cls in module.classes:
            for function, use in handlers.used_by_class(cls, self.project.externals(cls), self.index):
                self.use(module, function, use)
        for function, use in handlers.used_by_convention(module, self.index):
            if function not in self.handlers:
                self.use(module, function, use)

    def _spread(self) -> bool:
        """Run the functions that untrusted data may come near, as far as that is known now; whether there were any."""
        found = [
            function
            for function in self._candidates()
            if (self.thorough or self.is_reached(function)) and (function, ()) not in self.summaries
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

    def be_thorough(self) -> None:
        """Run every function by itself from now on, with the data of all threats, not only those that are asked for."""
        self.thorough = True
        self._unseen = None
        self._dirty.update(dict.fromkeys(self.summaries))

    def ordered(self) -> list[Module]:
        """The modules in a fixed order."""
        modules = self.project.modules
        return [modules[path] for path in sorted(modules)]

    # Changes
    def changed(self, functions: Iterable[Function]) -> None:
        """Functions have new code: all that was known of them is due again."""
        self._inner.clear()
        for function in dict.fromkeys(functions):
            self._make_due(function)
            self.roles.forget(function)
            self._captures.pop(function.module, None)
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
        self._inner.clear()
        for function in change.gone:
            for key in self._contexts.pop(function, ()):
                self._forget_key(key)
            for table in (self.handlers, self.registrars, self._due):
                table.pop(function, None)
            self.roles.forget(function)
            if self._unseen is not None:
                self._unseen.pop(function, None)
        if change.gone:
            self.near.forget(set(change.gone))
        if self.project.modules.get(module.path) is not module:
            return
        self._captures.pop(module, None)
        if change.names or change.imports or change.gone:
            for owner in (module, *module.classes, *change.lost):
                self._stores.pop(owner, None)
            for function in module.functions:
                self._look_again(function)
            self._look_at(module)
        self._forget_roles(module, change)

    def _forget_key(self, key: Key) -> None:
        self.summaries.pop(key, None)
        self._flowing.pop(key, None)
        self._dirty.pop(key, None)
        self._absolve(key)
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
