"""What files offer to others under their names."""

from __future__ import annotations

from charter.analysis.constants import extract
from charter.model.names import Names
from charter.syntax.source import Source


def test_a_name_that_is_made_of_itself_is_followed_to_an_end() -> None:
    text = 'def path(parts):\n    joined = "/".join(joined)\n    return joined\n\nLIMIT = 3\n'
    source = Source("shop/paths.py", text, "shop.paths")
    extracted = extract(source, Names(source))
    assert extracted is not None
    assert extracted[0] == {"LIMIT": ("3", "")}
