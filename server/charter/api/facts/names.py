"""Facts about names: those that nothing uses, and what imported ones stand for. Analyses decide which."""

from __future__ import annotations

import ast
from typing import Literal

from charter.api.facts import Fact
from charter.api.unknown import UNKNOWN

Sort = Literal["import", "function", "class", "method", "attribute"]


class UnusedName(Fact, frozen=True):
    """A name that is bound and never used, as far as the whole project shows.

    Attributes:
        location: the name where it is bound; for an import, the whole alias.
        name: the name.
        sort: what it names; also the fact's `kind`.
        private: whether its own name says that nobody outside of the project uses it.
        target: for an import, what it refers to, qualified.
    """

    name: str
    sort: Sort
    private: bool = True
    target: str = ""

    @property
    def kind(self) -> str:
        """What the name is bound to."""
        return self.sort


class PassedValue(Fact, frozen=True):
    """What one call in the project gives to a parameter that a rule asked for through `Context.passed`.

    Attributes:
        location: the call, which may be in another file.
        name: the question: the function's qualified name, and the parameter's position and name (`shop.fetch(1:verify)`).
        literal: the argument, as a Python literal; "" if it is no constant.
        target: what it is another name for (`ssl.CERT_NONE`); "" if nothing.
        identifier: its own name, or that of the result, if that is the name of something sensitive; else "".
        condition: the tests of the `if`s around the call, one a line.
        function: the name of the function around the call; "" outside of any.
    """

    name: str
    literal: str = ""
    target: str = ""
    identifier: str = ""
    condition: str = ""
    function: str = ""

    @property
    def value(self) -> object:
        """The constant that is given, or `UNKNOWN`."""
        return ast.literal_eval(self.literal) if self.literal else UNKNOWN


class ImportedConstant(Fact, frozen=True):
    """A constant of another file of the project that a rule asked for through `Context.value` or `Context.name`.

    Attributes:
        location: the beginning of the file that asks.
        name: the constant's qualified name as that file says it; of what a function returns, the function's and `()`.
        literal: its value, as a Python literal; "" if it is not known.
        target: what it is another name for (`ssl.CERT_NONE`); "" if nothing.
    """

    name: str
    literal: str = ""
    target: str = ""


class StarImport(Fact, frozen=True):
    """An import of everything that a module holds.

    Attributes:
        location: the whole statement.
        module: the module as it is written, leading dots included.
        names: what is really meant, sorted; None if that is not certain.
    """

    module: str
    names: tuple[str, ...] | None = None


class UnusedPublicName(Fact, frozen=True):
    """A public function, class or method that nothing in the project uses; another project may.

    Attributes:
        location: the name where it is defined.
        name: the name.
        sort: `function`, `class` or `method`.
        sure: how sure it is that nobody uses it, in per cent.
    """

    name: str
    sort: str
    sure: int
