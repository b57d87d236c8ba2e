#!/usr/bin/env python3
"""What the performance rules say that things cost, measured: each slow way beside the way that its rule proposes.

    python tests/benchmarks/costs.py

The numbers in the rules' pages are rounded from this table. Each is the best of three runs, by the CPU. What asks for
pandas is measured where it is installed.
"""

from __future__ import annotations

import copy
import itertools
import platform
import re
import timeit
from collections import deque
from dataclasses import dataclass
from importlib import import_module
from time import process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Pair:
    """A rule's claim.

    Attributes:
        rule: the rule.
        what: the work that both ways do.
        slow: what the rule reports.
        fast: what it proposes.
        times: how often to repeat each, for things too fast to be timed alone.
    """

    rule: str
    what: str
    slow: Callable[[], object]
    fast: Callable[[], object]
    times: int = 1


class Text:
    """Something whose text grows."""

    text = ""


def _pop_list() -> None:
    waiting = list(range(100_000))
    while waiting:
        waiting.pop(0)


def _pop_deque() -> None:
    waiting = deque(range(100_000))
    while waiting:
        waiting.popleft()


def _insert_in_front() -> list[int]:
    found: list[int] = []
    for number in range(100_000):
        found.insert(0, number)
    return found


def _append_and_reverse() -> list[int]:
    found: list[int] = []
    for number in range(100_000):
        found.append(number)  # noqa: PERF402 (this is what is measured)
    found.reverse()
    return found


def _put_in_front() -> str:
    text = ""
    for _ in range(20_000):
        text = "x" * 100 + text
    return text


def _copy_each() -> None:
    found: list[dict[str, int]] = []
    for number in range(500):
        found.append({"number": number})
        copy.deepcopy(found)


def _copy_once() -> None:
    copy.deepcopy([{"number": number} for number in range(500)])


def _add_to_attribute() -> str:
    page = Text()
    for _ in range(20_000):
        page.text += "x" * 100
    return page.text


def _join() -> str:
    return "".join(["x" * 100 for _ in range(20_000)])


def _add_lists() -> list[int]:
    found: list[int] = []
    for number in range(10_000):
        found = found + [number]  # noqa: RUF005 (this is what is measured)
    return found


def _extend_list() -> list[int]:
    found: list[int] = []
    for number in range(10_000):
        found += [number]
    return found


def _compile_each() -> None:
    for line in LINES:
        re.compile(r"\d+-\d+").search(line)


def _compile_once() -> None:
    pattern = re.compile(r"\d+-\d+")
    for line in LINES:
        pattern.search(line)


def _join_by_pairs() -> int:
    return sum(left == right for left in KEYS[:2_000] for right in KEYS[:2_000])


def _join_by_table() -> int:
    table = dict.fromkeys(KEYS[:2_000], 1)
    return sum(table.get(left, 0) for left in KEYS[:2_000])


def _shares_of_total() -> list[float]:
    total = sum(NUMBERS[:2_000])
    return [number / total for number in NUMBERS[:2_000]]


NUMBERS = [(n * 7_919) % 1_000_003 for n in range(1_000_000)]
KEYS = [f"key {n}" for n in range(100_000)]
PRICES = dict.fromkeys(KEYS, 1)
NAMES = KEYS[:10_000]
NAME_SET = set(NAMES)
EMPTY: list[int] = []
ROWS = [list(range(100)) for _ in range(1_000)]
LINES = [f"line {n}" for n in range(10_000)]

PAIRS = [
    Pair("list-as-queue", "empty 100,000 items from the front", _pop_list, _pop_deque),
    Pair("insert-at-front", "100,000 items", _insert_in_front, _append_and_reverse),
    Pair("text-built-backwards", "20,000 pieces of 100 characters", _put_in_front, _join),
    Pair("deepcopy-of-growing", "500 small dictionaries", _copy_each, _copy_once),
    Pair("string-concatenation-in-loop", "20,000 pieces of 100 characters", _add_to_attribute, _join),
    Pair("quadratic-concatenation", "10,000 items by `+`, by `+=`", _add_lists, _extend_list),
    Pair(
        "quadratic-concatenation", "1,000 lists of 100, `sum` or `chain`",
        lambda: sum(ROWS, start=EMPTY), lambda: list(itertools.chain.from_iterable(ROWS)),
    ),
    Pair(
        "sorted-for-extreme", "the smallest of a million",
        lambda: sorted(NUMBERS)[0],  # noqa: FURB192 (this is what is measured)
        lambda: min(NUMBERS),
    ),
    Pair(
        "membership-in-copy", "one of 100,000 keys",
        lambda: "key 99999" in list(PRICES.keys()), lambda: "key 99999" in PRICES, 100,
    ),
    Pair(
        "list-membership-in-loop", "1,000 names among 10,000",
        lambda: [name for name in NAMES[-1_000:] if name in NAMES],
        lambda: [name for name in NAMES[-1_000:] if name in NAME_SET],
    ),
    Pair("regex-compiled-in-loop", "a pattern for 10,000 lines", _compile_each, _compile_once),
    Pair("nested-loop-join", "2,000 with 2,000", _join_by_pairs, _join_by_table),
    Pair(
        "repeated-work", "the share of each of 2,000 in their sum",
        lambda: [n / sum(NUMBERS[:2_000]) for n in NUMBERS[:2_000]],
        _shares_of_total,
    ),
    Pair(
        "needless-list", "whether any of a million is 0",
        lambda: any([n == 0 for n in NUMBERS]), lambda: any(n == 0 for n in NUMBERS),  # noqa: C419
    ),
]  # fmt: skip


def _product(row: Mapping[str, float]) -> float:
    return row["price"] * row["count"]


def _frames() -> list[Pair]:
    """What is done with frames of pandas; nothing where it is not installed."""
    try:
        numpy, pandas = import_module("numpy"), import_module("pandas")
    except ImportError:
        return []
    frame = pandas.DataFrame({"price": numpy.arange(100_000) / 7, "count": numpy.arange(100_000) % 9})
    return [
        Pair(
            "dataframe-row-loop", "a sum over 100,000 rows, by `iterrows` or columns",
            lambda: sum(row["price"] * row["count"] for _, row in frame.iterrows()),
            lambda: (frame["price"] * frame["count"]).sum(),  # noqa: PLW0108 (this is what is measured)
        ),
        Pair(
            "dataframe-row-loop", "a sum over 100,000 rows, by `iterrows` or `itertuples`",
            lambda: sum(row["price"] * row["count"] for _, row in frame.iterrows()),
            lambda: sum(row[1] * row[2] for row in frame.itertuples()),
        ),
        Pair(
            "row-function-on-frame", "a product for each of 100,000 rows",
            lambda: frame.apply(_product, axis=1),
            lambda: frame["price"] * frame["count"],
        ),
    ]  # fmt: skip


def shown(seconds: float) -> str:
    """A time in the unit that suits it."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def main() -> None:
    """Measure each pair and print a table."""
    print(f"Python {platform.python_version()}\n")
    print("| rule | work | reported | proposed | ratio |")
    print("| --- | --- | ---: | ---: | ---: |")
    for pair in (*PAIRS, *_frames()):
        slow, fast = (
            min(timeit.repeat(way, number=pair.times, repeat=3, timer=process_time)) / pair.times
            for way in (pair.slow, pair.fast)
        )
        print(
            f"| {pair.rule} | {pair.what} | {shown(slow)} | {shown(fast)} | {slow / fast:,.0f} |", flush=True
        )


if __name__ == "__main__":
    main()
