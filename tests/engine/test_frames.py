from __future__ import annotations

import sys

import pytest

from charter.engine.frames import with_room


def depth(number: int) -> int:
    return 0 if number == 0 else 1 + depth(number - 1)


def test_a_function_with_room_does_what_it_did() -> None:
    @with_room
    def added(first: int, *rest: int, last: int = 0) -> int:
        return first + sum(rest) + last + depth(300)

    assert added(1, 2, 3, last=4) == 310


@pytest.mark.skipif(sys.platform != "linux", reason="counts the pages that Linux has provided")
def test_calls_in_a_function_with_room_ask_the_system_for_no_memory() -> None:
    import resource

    @with_room
    def faults(deep: int) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(200):
            depth(deep)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    for deep in range(40, 90):  # at one of these depths a piece of memory would end
        assert faults(deep) < 200
