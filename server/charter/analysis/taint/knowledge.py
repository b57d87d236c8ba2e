"""What is known of a project while its functions are run: who used what, and what is due. It computes none of it."""

# The values here are nested tuples or parsed documents, which only their tags type; modules of one class name each other in annotations only.
# pyright: reportImportCycles=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from charter.analysis.taint.relevance import Relevance
from charter.analysis.taint.roles import Roles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charter.analysis.taint.context import Entry
    from charter.analysis.taint.frame import Summary
    from charter.analysis.taint.handlers import Use
    from charter.model.library.index import Entry as Facts
    from charter.model.library.index import Index
    from charter.model.project import Function, Module, Project

    Key = tuple[Function, Entry]
    """A function in a context."""


class Knowledge(ABC):
    """The tables that all parts of the engine share.

    Args:
        project: the linked modules.
        index: the models.
        threats: the threat models whose sources count.

    Attributes:
        near: which functions untrusted data can come near.
        stored: whether what the program's own database holds counts as untrusted.
        roles: what functions are by their decorators and annotations.
        handlers: the functions that a framework calls.
        registrars: the modules that registered them.
        modelled: the project's own functions of which its models say something.
        summaries: what is known and holds.
        users: by what was asked for, a function in a context or a name that outlives its function, who asked, in the
            order in which they did: work ends at bounds, and what it found by then must be the same in every run.
    """

    def __init__(self, project: Project, index: Index, threats: Iterable[str]) -> None:
        self.project = project
        self.index = index
        self.near = Relevance(project, index, threats)
        self.carriers = self.near.carriers
        self.stored = "stored" in self.near.threats
        self.roles = Roles(project, index)
        self.handlers: dict[Function, Use] = {}
        self.registrars: dict[Function, Module] = {}
        self.modelled: dict[Function, Facts] = {}
        self.summaries: dict[Key, Summary] = {}
        self.users: dict[Any, dict[Key, None]] = defaultdict(dict)
        self._uses: dict[Key, set[Any]] = defaultdict(set)
        self._stack: list[Key] = []
        self._used: list[set[Any]] = []
        self._dirty: dict[Key, None] = {}
        self._unseen: dict[Function, None] | None = None

    @abstractmethod
    def demand(self, function: Function) -> None:
        """See to it that a function has been run by itself."""

    def _use(self, name: Any) -> None:
        """What runs now asks for a function in a context, or for a name that outlives its function."""
        used = self._used[-1]
        if name not in used:
            used.add(name)
            self.users[name][self._stack[-1]] = None

    def _near(self, function: Function) -> None:
        """A function is near for another reason than the names that it mentions."""
        if function not in self.near.functions:
            self.near.functions.add(function)
            self._look_again(function)

    def _look_again(self, function: Function) -> None:
        if self._unseen is not None:
            self._unseen[function] = None
