"""What goes in and out of frameworks, databases, clients and other libraries, on small programs from their documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from following import expected, places, solved

SAMPLES = {
    f"{file.stem}: {title}": code
    for file in sorted((Path(__file__).parent / "samples").glob("*.md"))
    for title, code in re.findall(
        r"^## (.+?)\n+```python\n(.*?)^```", file.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
}


@pytest.mark.parametrize("name", SAMPLES)
def test_data_is_followed_through_a_library(name: str) -> None:
    project = {"app.py": SAMPLES[name]}
    assert places(solved(project)) == expected(project)
