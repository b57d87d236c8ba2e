"""A review that anybody may have written is believed in nothing that is not checked."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charter.review.document import LARGEST, DocumentError, dump, load
from review.toy import document_of, item_of

GOOD: dict[str, Any] = json.loads(dump(document_of([item_of(0), item_of(1, inline=False)])))


def _without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


def _item(**values: Any) -> dict[str, Any]:
    return {**GOOD, "items": [{**GOOD["items"][0], **values}]}


@pytest.mark.parametrize(
    "document",
    [
        _without("charter_review"),
        {**GOOD, "charter_review": 2},
        {**GOOD, "further": 1},
        {**GOOD, "head": "HEAD"},
        {**GOOD, "base": "--upload-pack=x"},
        _item(path="../../etc/passwd"),
        _item(path="/etc/passwd"),
        _item(path="a/../../b.py"),
        _item(path="a\\b.py"),
        _item(line=0),
        _item(severity="apocalyptic"),
        _item(fingerprint="--><script>"),
        _item(fingerprint="0123456789abcdef\n"),
        _item(rule="x](http://evil)"),
        _item(message="x" * 5000),
        _item(anchor={"path": "../x.py", "old_path": "x.py", "start": 1, "end": 1}),
        {**GOOD, "actions": [{"do": "delete"}]},
        [],
    ],
)
def test_what_does_not_belong_is_refused(document: Any) -> None:
    with pytest.raises(DocumentError):
        load(json.dumps(document).encode())


def test_a_document_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(DocumentError, match="at most"):
        load(b" " * (LARGEST + 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_crash(data: bytes) -> None:
    with pytest.raises(DocumentError):
        load(data)


@given(st.data())
def test_a_document_with_any_one_value_changed_is_refused_or_still_a_review(data: st.DataObject) -> None:
    document = json.loads(json.dumps(GOOD))
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(
        st.none() | st.integers() | st.text(max_size=30) | st.lists(st.text(max_size=3), max_size=2)
    )
    try:
        review = load(json.dumps(document).encode())
    except DocumentError:
        return
    assert load(dump(review)) == review
