"""The project's own models: where they may stand, and how a mistake in them is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charter.engine.libraries import own_libraries
from charter.engine.settings import SettingsError, load

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '[[taint.sink]]\nnames = ["shop.run"]\nkind = "sql"\n'


def test_they_come_from_the_settings_and_from_the_files_that_these_name(tmp_path: Path) -> None:
    (tmp_path / "charter.toml").write_text(f'models = ["flows.toml"]\n{GOOD}')
    (tmp_path / "flows.toml").write_text('[[source]]\nnames = ["shop.field"]\nkind = "http"\n')
    table, file = own_libraries(load(tmp_path))
    assert [sink.name for sink in table.sinks] == ["shop.run"]
    assert [source.name for source in file.sources] == ["shop.field"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f"{GOOD}\n[[taint.sink]]\nnames = ['b']\nkind = 'sequel'\n", 7, "unknown kind 'sequel'"),
        ("[taint]\nsink = [\n  { names = ['a'], kind = 'sql' },\n  { kind = 'sql' },\n]\n", 4, "`names` is"),
        ("[taint]\nsink = [{ names = ['a b'], kind = 'sql' }]\n", 2, "not a qualified name"),
        ("taint.sink = [{ names = ['a'], kind = 'sql', arg = '0' }]\n", 1, "unknown key `arg`"),
        ("[taint.sink]\nnames = ['a']\n", 1, "write `[[taint.sink]]`"),
        ("\n[taint]\nsinks = []\n", 3, "unknown table `sinks`"),
        ("\n[taint]\nsink = ['a.b']\n", 3, "is a list of tables"),
        ("\n[taint]\ntypes = 3\n", 3, "write `[taint.types]`"),
        ("\nmodels = [\n  'there.toml',\n  'gone.toml',\n]\n", 4, "`gone.toml` cannot be read"),
    ],
)
def test_a_mistake_in_the_settings_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    (tmp_path / "there.toml").write_text("")
    (tmp_path / "charter.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        own_libraries(load(tmp_path))
    assert (caught.value.path.name, caught.value.line) == ("charter.toml", line)
    assert words in str(caught.value)


def test_lines_count_from_the_top_of_pyproject_and_of_a_model_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.x]\n\n[[tool.charter.taint.sink]]\nkind = 'no'\n")
    with pytest.raises(SettingsError, match=r"pyproject\.toml:4: unknown kind"):
        own_libraries(load(tmp_path))
    (tmp_path / "pyproject.toml").write_text(
        "[tool.charter]\nmodels = 'f.toml'\n".replace("'f.toml'", "['f.toml']")
    )
    (tmp_path / "f.toml").write_text("[library]\n\n[[sink]]\nkind = \n")
    with pytest.raises(SettingsError, match=r"f\.toml:4: is not valid TOML"):
        own_libraries(load(tmp_path))
