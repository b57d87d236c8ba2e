"""The models of libraries: what is read, and how a mistake is told."""

from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

from charter.model.library import LibraryError, header, load

MODELS = sorted(
    (file for file in (files("charter_rules") / "models").iterdir() if file.name.endswith(".toml")),
    key=lambda file: file.name,
)


@pytest.mark.parametrize("model", MODELS, ids=lambda file: file.name)
def test_every_shipped_model_loads(model: Traversable) -> None:
    text = model.read_text(encoding="utf-8")
    library = load(text, model.name)
    assert header(text) == (library.packages, library.requires)


def test_braces_stand_for_each_of_their_names() -> None:
    library = load('[[sink]]\nnames = ["a.{b,c}.{d,e}"]\nkind = "sql"\n', "x.toml")
    assert [sink.name for sink in library.sinks] == ["a.b.d", "a.b.e", "a.c.d", "a.c.e"]


def test_an_alias_that_ends_in_a_star_takes_the_last_part_of_its_name() -> None:
    library = load('[aliases]\n"quart.{Quart,request}" = "flask.*"\n', "x.toml")
    assert library.aliases == {"quart.Quart": "flask.Quart", "quart.request": "flask.request"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[[sink]]\nnames = ["a.b"]\nkind = "sequel"\n', 3, "unknown kind 'sequel'"),
        ('[[sink]]\nnames = ["a.b"]\nkind = "sql"\n[[sink]]\nname = "a.b"\n', 5, "unknown key `name`"),
        ('[[sink]]\nkind = "sql"\n', 1, "`names` is missing"),
        ('[[source]]\nnames = ["a b"]\nkind = "http"\n', 2, "is not a qualified name"),
        ('[[sink]]\nnames = ["a.b"]\nargs = ["0/sql"]\nkind = "sql"\n', 3, "names no argument"),
        ('[[sanitizer]]\nnames = ["a.b"]\n', 1, "`for` is missing"),
        ('[library]\nname = "x"\n\n[[sinks]]\n', 4, "unknown table `sinks`"),
        ('[[guard]]\nnames = ["a.b"]\nfor = "*"\noutcome = "maybe"\n', 4, "choose one of"),
        ('[[source]]\nnames = ["a.b"]\nkind = "http"\npart = "query"\n', 4, "choose one of"),
        ('[types]\n"a b" = "c"\n', 2, "is not a qualified name"),
        ("[[sink]\n", 1, "is not valid TOML"),
        ("[library]\nname = [\n", 3, "is not valid TOML"),
        ('[[sink]]\nnames = ["a.b"]\n', 1, "`kind` is missing; there are sql, "),
        ('[[handler]]\nkind = "mystery"\n', 2, "unknown kind 'mystery'"),
        ("[[handler]]\nroute = 3\n", 2, "`route` must be a string"),
        ("[[handler]]\ncalls = 3\n", 2, "`calls` is a list"),
        ('[[handler]]\ncalls = [{ call = "a.b", function = "0", route = 1 }]\n', 1, "must be a string"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(LibraryError) as caught:
        load(text, "x.toml")
    message = str(caught.value)
    assert words in message
    assert message.startswith(f"x.toml:{line}:")
