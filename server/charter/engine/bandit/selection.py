"""Bandit's test functions, as a configuration selects them, with what each asks for. It looks at no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar, cast

from charter.engine.bandit.configuration import Configuration, ConfigurationError
from charter.engine.bandit.core import Core, load
from charter.engine.bandit.needs import (
    CANDIDATE,
    FUNCTION_TESTS,
    HANDLER_TESTS,
    STRING_TESTS,
    Need,
    is_compared,
    need_of_call,
)

_OWN: Final = ("bandit.plugins.", "bandit.core.")
_NOTHING: Final = Need()
_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class BoundTest:
    """One of bandit's tests, bound to its configuration.

    Bandit keeps a test's configuration on the function itself, where two projects in one process would share it.

    Attributes:
        id: its id; `B001` for all the lists of names.
        need: what a call must have to be reported; None if that is not known.
        known: whether what it asks for is known.
    """

    def __init__(self, function: Callable[..., Any], *, compared: bool) -> None:
        self.__name__: str = function.__name__
        self._function = function
        self._test_id: str = getattr(function, "_test_id", "")
        self.id = self._test_id
        if hasattr(function, "_config"):
            self._config: object = getattr(function, "_config", None)
        self.known = compared and function.__module__.startswith(_OWN)
        self.need = need_of_call(self.id, self.config) if self.known else None

    @property
    def config(self) -> object:
        """Its configuration; None if it takes none."""
        return getattr(self, "_config", None)

    def __call__(self, *arguments: object) -> object:
        """Call the test as bandit does, with a context and the configuration if it takes one."""
        return self._function(*arguments)


class Selection:
    """The tests that a configuration selects.

    Args:
        configuration: the project's.
        filtering: whether needs are known at all; without, every test is called on every node of its type.

    Raises:
        ConfigurationError: if bandit refuses the selection.
    """

    def __init__(self, configuration: Configuration, *, filtering: bool = True) -> None:
        core = load()
        selected = _selected(core, configuration)
        compared = filtering and is_compared()
        bound: dict[int, BoundTest] = {}
        self.by_kind: dict[str, list[BoundTest]] = {}
        for kind, functions in selected.items():
            for function in functions:
                test = bound.setdefault(id(function), BoundTest(function, compared=compared))
                self.by_kind.setdefault(kind, []).append(test)
        self.are_known = all(test.known for test in bound.values())
        """Whether no test may want more of a node and its file than bandit's own tests look at."""

    @cached_property
    def foreign_kinds(self) -> Mapping[str, list[BoundTest]]:
        """Tests of kinds of nodes that bandit's own tests do not look at, by the kind's name."""
        own = {"Call", "Str", "FunctionDef", "ExceptHandler", "Assert", "Import", "ImportFrom", "File"}
        return {kind: tests for kind, tests in self.by_kind.items() if kind not in own}

    @cached_property
    def everywhere(self) -> tuple[BoundTest, ...]:
        """Tests to call on every call."""
        return tuple(test for test in self.by_kind.get("Call", ()) if test.need is None)

    @cached_property
    def by_name(self) -> Mapping[str, tuple[BoundTest, ...]]:
        """The tests of calls that a function with some last part of its name can concern; there is an answer for each."""
        return _Answers(self._for_name)

    @cached_property
    def by_keyword(self) -> Mapping[str | None, tuple[BoundTest, ...]]:
        """The tests of calls that a keyword argument of some name, or `**`, can concern; there is an answer for each."""
        return _Answers(self._for_keyword)

    def _for_name(self, name: str) -> tuple[BoundTest, ...]:
        table = self._calls
        return table.tests_of(
            {*table.names.get(name, ()), *(number for part, number in table.parts if part in name)}
        )

    def _for_keyword(self, keyword: str | None) -> tuple[BoundTest, ...]:
        table = self._calls
        if keyword is None:
            return ()
        passwords = table.passwords if CANDIDATE.search(keyword) is not None else ()
        return table.tests_of({*table.keywords.get(keyword, ()), *passwords})

    @cached_property
    def _calls(self) -> _Calls:
        return _Calls(self.by_kind.get("Call", ()))

    def strings(self) -> tuple[Mapping[str, BoundTest], tuple[BoundTest, ...]]:
        """The tests of strings whose needs are known, by id, and the others."""
        return _parted(self.by_kind.get("Str", ()), STRING_TESTS)

    def functions(self) -> tuple[Mapping[str, BoundTest], tuple[BoundTest, ...]]:
        """The tests of functions, likewise."""
        return _parted(self.by_kind.get("FunctionDef", ()), FUNCTION_TESTS)

    def handlers(self) -> tuple[Mapping[str, BoundTest], tuple[BoundTest, ...]]:
        """The tests of exception handlers, likewise."""
        return _parted(self.by_kind.get("ExceptHandler", ()), HANDLER_TESTS)

    @cached_property
    def by_import(self) -> Mapping[str, bool]:
        """Whether a test can concern what is imported, by its whole name; there is an answer for each."""
        prefixes = self._import_prefixes()
        return _Answers(lambda name: prefixes is None or name.startswith(prefixes))

    def _import_prefixes(self) -> tuple[str, ...] | None:
        """Beginnings of the modules that the lists name; None if other tests look at imports too."""
        prefixes: list[str] = []
        for kind in ("Import", "ImportFrom"):
            for test in self.by_kind.get(kind, ()):
                if not test.known or not isinstance(test.config, dict):
                    return None
                lists = cast("Mapping[str, Iterable[Mapping[str, Any]]]", test.config)
                entries = lists.get(kind, ())
                prefixes.extend(name for entry in entries for name in entry["qualnames"])
        return tuple(dict.fromkeys(prefixes))


class _Answers(dict[_Key, _Answer]):
    """Answers by what was asked, each found when it is first asked for.

    Args:
        find: finds the answer.
    """

    def __init__(self, find: Callable[[_Key], _Answer]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, key: _Key) -> _Answer:
        """Find an answer."""
        found = self[key] = self._find(key)
        return found


class _Calls:
    """The tests of calls, by what they need.

    Args:
        tests: the tests, in bandit's order.

    Attributes:
        names: numbers of tests by the last part of a function's name.
        parts: what must be in such a name, with the test's number.
        keywords: numbers of tests by the name of a keyword argument.
        passwords: numbers of the tests of arguments that may be passwords.
    """

    def __init__(self, tests: Sequence[BoundTest]) -> None:
        self._tests = tests
        self.names: dict[str, list[int]] = {}
        self.parts: list[tuple[str, int]] = []
        self.keywords: dict[str, list[int]] = {}
        self.passwords: list[int] = []
        for number, test in enumerate(tests):
            need = test.need or _NOTHING
            for name in need.names:
                self.names.setdefault(name, []).append(number)
            if need.part:
                self.parts.append((need.part, number))
            for keyword in need.keywords:
                self.keywords.setdefault(keyword, []).append(number)
            if need.passwords:
                self.passwords.append(number)

    def tests_of(self, numbers: Iterable[int]) -> tuple[BoundTest, ...]:
        """Some tests, in bandit's order."""
        return tuple(self._tests[number] for number in sorted(numbers))


def _parted(
    tests: Iterable[BoundTest], known: frozenset[str]
) -> tuple[dict[str, BoundTest], tuple[BoundTest, ...]]:
    mine = {test.id: test for test in tests if test.known and test.id in known}
    return mine, tuple(test for test in tests if test.id not in mine)


def _selected(core: Core, configuration: Configuration) -> dict[str, list[Callable[..., Any]]]:
    """The test functions by the kind of node they look at, as bandit's own selection gives them."""
    config = core.config(configuration.file or None)
    if configuration.profile:
        profiles: dict[str, dict[str, Any]] = config.get_option("profiles") or {}
        if configuration.profile not in profiles:
            raise ConfigurationError(f"bandit has no profile `{configuration.profile}`")
        profile = dict(profiles[configuration.profile])
    else:
        profile = {"include": config.get_option("tests") or (), "exclude": config.get_option("skips") or ()}
    profile["include"] = {*profile["include"], *configuration.tests}
    profile["exclude"] = {*profile["exclude"], *configuration.skips}
    try:
        core.extensions.validate_profile(profile)
    except ValueError as error:
        raise ConfigurationError(f"bandit's settings contradict themselves: {error}") from None
    return core.test_set(config, profile).tests
