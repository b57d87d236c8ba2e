"""Verdicts do not depend on how a program is written down."""

from __future__ import annotations

from cases import all_projects
from following import expected, places, solved
from rewrites import REWRITES


def test_fewer_than_two_in_a_hundred_verdicts_flip_when_code_is_rewritten() -> None:
    flips: list[str] = []
    verdicts = 0
    for name, project in all_projects().items():
        for rewrite, change in REWRITES.items():
            changed = change(project)
            if rewrite != "unchanged" and changed == project:
                continue
            found, wanted = places(solved(changed)), expected(changed)
            verdicts += max(len(found | wanted), 1)
            flips += [f"{name} / {rewrite}: {place}" for place in found ^ wanted]
    assert verdicts > 500
    assert len(flips) < 0.02 * verdicts, f"{len(flips)} of {verdicts}: " + "; ".join(flips)
