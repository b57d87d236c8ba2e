"""The repository that the tests of this folder commit to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from review.git_project import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in [key for key in os.environ if key.startswith(("GIT_", "GITHUB_", "CI_", "GITLAB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)
