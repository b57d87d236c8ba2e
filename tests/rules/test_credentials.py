"""Which texts are credentials: formats and checksums, randomness, and what only looks like it."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter_rules import credentials

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def github_token(body: str) -> str:
    """A token with the checksum that GitHub gives it."""
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = ALPHABET[rest] + digits
    return f"ghp_{body}{digits.rjust(6, '0')}"


@given(st.text(alphabet=ALPHABET, min_size=30, max_size=30))
def test_a_github_token_is_known_by_its_checksum(body: str) -> None:
    token = github_token(body)
    assert credentials.known_format(token) == "GitHub token"
    other = "0" if token[-1] != "0" else "1"
    assert credentials.known_format(token[:-1] + other) is None


@pytest.mark.parametrize(
    "text", ["Wq8Zr2LkXv91TbNw0YhEu77", "9f86d081884c7d659a2feaa0c55ad015", "aG91c2UtMTIzLWtleS1mb3ItYWxs"]
)
def test_random_text_looks_random(text: str) -> None:
    assert credentials.looks_random(text)


@pytest.mark.parametrize(
    "text",
    [
        "access_token_from_header", "https://shop.net/token?x=1", "123e4567-e89b-12d3-a456-426614174000", "bdc1DischargePower",
        "your-api-key-goes-here-01", "application/json; charset=utf-8", "xxxxxxxxxxxxxxxx1", "{{ config.secret_key_1 }}",
    ],
)  # fmt: skip
def test_names_templates_and_examples_do_not(text: str) -> None:
    assert not credentials.looks_random(text)


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgres://shop:h7Kq9zLw2m@db.shop.net/a", "h7Kq9zLw2m"),
        ("postgres://shop:h7Kq9zLw2m@localhost/a", None),
        ("https://user:password@shop.net", None),
        ("amqp://shop:{password}@shop.net", None),
        ("see postgres://shop:h7Kq9zLw2m@db.shop.net", None),
    ],
)
def test_passwords_in_urls(url: str, password: str | None) -> None:
    assert credentials.url_password(url) == password


@given(st.text(max_size=200))
def test_any_text_may_be_judged(text: str) -> None:
    assert credentials.entropy(text) >= 0
    assert not (credentials.is_placeholder(text) and credentials.looks_random(text))
    assert not credentials.known_format(text) or len(text) >= 16
