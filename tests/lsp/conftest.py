from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lsp.client import MODERN, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Starts servers in the test's folder and ends them."""
    clients: list[Client] = []

    def begin(capabilities: dict[str, object] = MODERN, **options: object) -> Client:
        clients.append(Client(tmp_path, capabilities, **options))
        return clients[-1]

    yield begin
    for client in clients:
        client.end()
