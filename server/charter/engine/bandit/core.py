"""Loads bandit, once and only when it is needed. The only module of Charter that imports it."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any


class Core:
    """The parts of bandit that are needed, loaded once."""

    def __init__(self) -> None:
        import logging

        # A module of bandit replaces `warnings.formatwarning` for the whole process.
        saved = warnings.formatwarning
        try:
            with warnings.catch_warnings(), _no_progress():
                warnings.simplefilter("ignore")  # stevedore warns of what bandit asks of it
                core = importlib.import_module("bandit.core")
        finally:
            warnings.formatwarning = saved
        # Bandit logs without a handler, which Python would print; what matters comes back as a result.
        logger = logging.getLogger("bandit")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        self.config: Callable[[str | None], Any] = core.config.BanditConfig
        self.extensions: Any = importlib.import_module("bandit.core.extension_loader").MANAGER
        self.nosec_of: Callable[[str], set[str] | None] = core.manager._parse_nosec_comment  # noqa: SLF001 (to read comments as bandit does)
        self.test_set: Callable[..., Any] = core.test_set.BanditTestSet
        self.tester: Callable[..., Any] = core.tester.BanditTester
        self.utils: Any = core.utils


@contextmanager
def _no_progress() -> Generator[None]:
    """Keep bandit from loading `rich` for a progress bar that nobody sees: megabytes in each process that checks."""
    if "rich" in sys.modules:
        yield
        return
    stand_in = ModuleType("rich")
    stand_in.__dict__["progress"] = ModuleType("rich.progress")
    sys.modules["rich"] = stand_in
    try:
        yield
    finally:
        del sys.modules["rich"]


@cache
def load() -> Core:
    """Bandit's parts; loading them takes a fifth of a second, once."""
    return Core()
