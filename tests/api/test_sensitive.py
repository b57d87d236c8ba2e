"""Which names stand for private data, and which only speak of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.api import Sensitivity, sensitivity, words


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", Sensitivity.PASSWORD),
        ("db_password", Sensitivity.PASSWORD),
        ("userPassword", Sensitivity.PASSWORD),
        ("DB_PASS", Sensitivity.PASSWORD),
        ("new_password2", Sensitivity.PASSWORD),
        ("password_confirm", Sensitivity.PASSWORD),
        ("client_secret", Sensitivity.SECRET),
        ("apiKey", Sensitivity.SECRET),
        ("X-Api-Key", Sensitivity.SECRET),
        ("aws_secret_access_key", Sensitivity.SECRET),
        ("access_token", Sensitivity.TOKEN),
        ("jwt", Sensitivity.TOKEN),
        ("credit_card_number", Sensitivity.PERSONAL),
        ("ssn", Sensitivity.PERSONAL),
        ("date_of_birth", Sensitivity.PERSONAL),
    ],
)
def test_private_data_is_known_by_its_name(name: str, kind: Sensitivity) -> None:
    assert sensitivity(name) is kind


@pytest.mark.parametrize(
    "name",
    [
        "password_hash", "password_field", "PASSWORD_RESET_URL", "hashed_password", "token_count", "next_token", "num_tokens",
        "secret_name", "access_token_url", "api_key_id", "bypass", "compass", "tokenizer", "key", "primary_key", "get_password",
        "has_password", "ssn_length", "session", "author", "secretary", "", "id_token_claims_keys", "CLIENT_NOT_SO_SECRET",
        "orm_token", "path_or_token", "collection_by_token", "permit_create_token", "ssh_challenge_token", "verification_token", "starting_token",
    ],
)  # fmt: skip
def test_what_is_about_private_data_is_not_private(name: str) -> None:
    assert sensitivity(name) is None


@given(st.text())
def test_any_text_may_be_asked(name: str) -> None:
    assert sensitivity(name) in {None, *Sensitivity}
    assert all(word == word.lower() for word in words(name))
