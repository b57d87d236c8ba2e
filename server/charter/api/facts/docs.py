"""Facts about the documentation of a project's public interface. What is public is `analysis.docs`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from charter.api.facts import Fact
from charter.api.text import Location

if TYPE_CHECKING:
    from collections.abc import Callable


class PublicSymbol(Fact, frozen=True):
    """One name of the public interface whose documentation is not there.

    Attributes:
        location: the name in its definition.
        name: the name.
        sort: `class`, `function`, `method` or `property`.
        state: `missing` or `placeholder`; also the fact's `kind`. Both count every public name as an opportunity.
        habit: which share of the package's definitions is documented, 0 to 1; 1 for a package of less than thirty.
        weight: how much there is to say: lines of the body, and two for each parameter.
        skeleton: gives a docstring to begin with, in the package's own convention, its lines unindented; "" if none.
            Few symbols are asked.
        offset: where the skeleton goes, an offset into the file; -1 if nowhere.
        indent: the indentation of the body.
    """

    name: str
    sort: str
    state: Literal["missing", "placeholder"]
    habit: float
    weight: int
    skeleton: Callable[[], str] = str
    offset: int = -1
    indent: str = ""

    @property
    def kind(self) -> str:
        """How its documentation is not there."""
        return self.state


class DocstringProblem(Fact, frozen=True):
    """A docstring that contradicts the code it documents.

    Attributes:
        location: the word in the docstring, or the docstring.
        name: the function's or class's name.
        problem: `unknown-parameter`, `missing-parameter`, `order`, `returns` (of a function that returns nothing) or
            `undocumented-raise`; also the fact's `kind`.
        subject: the parameter or exception it is about; "" for none.
        nearest: for an unknown parameter, the one that is probably meant; "" if none is near.
        actual: for a wrong order, the parameters as the code has them; for an exception, those that are documented.
    """

    name: str
    problem: str
    subject: str = ""
    nearest: str = ""
    actual: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The sort of contradiction."""
        return self.problem


class ConventionBreak(Fact, frozen=True):
    """A place that does otherwise than nearly all of the project.

    Attributes:
        topic: what the convention is about, for instance `exception-name`; also the fact's `kind`.
        message: what is wrong here and what the rest does, with the evidence.
        example: a place that follows the convention.
        replacement: text that would follow it, for `location`; "" if that takes more thought.
    """

    topic: str
    message: str
    example: Location | None = None
    replacement: str = ""

    @property
    def kind(self) -> str:
        """The topic."""
        return self.topic
