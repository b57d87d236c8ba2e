"""Loads bandit, once and only when it is needed. The only module of Charter that imports it."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any


class Core:
    """The parts of bandit that are needed, loaded once."""

    def __init__(self) -> None:
        # A module of bandit replaces `warnings.formatwarning` for the whole process.
        saved = warnings.formatwarning
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # stevedore warns of what bandit asks of it
                core = importlib.import_module("bandit.core")
        finally:
            warnings.formatwarning = saved
        # Bandit logs without a handler, which Python would print; what matters comes back as a result.
        logger = logging.getLogger("bandit")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        self.version: str = importlib.import_module("bandit").__version__
        self.config: Callable[[str | None], Any] = core.config.BanditConfig
        self.extensions: Any = importlib.import_module("bandit.core.extension_loader").MANAGER
        self.nosec_of: Callable[[str], set[str] | None] = core.manager._parse_nosec_comment  # noqa: SLF001 (to read comments as bandit does)
        self.test_set: Callable[..., Any] = core.test_set.BanditTestSet
        self.tester: Callable[..., Any] = core.tester.BanditTester
        self.utils: Any = core.utils


@cache
def load() -> Core:
    """Bandit's parts; loading them takes a fifth of a second, once."""
    return Core()
