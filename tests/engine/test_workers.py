from __future__ import annotations

import multiprocessing
import os
import signal
import time

from charter.engine.workers import answers

_LARGE = 50_000_000
"""So many bytes fit into no pipe: who sends them waits for the reader."""


def doubled(number: int) -> bytes:
    if number < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return b"%d" % (2 * number)


def large(number: int) -> bytes:
    return b"x" * _LARGE if number else b"small"


def test_every_task_is_answered_also_where_workers_die() -> None:
    found = dict(answers([1, -2, 3, -4, -5, 6, 7], doubled, 2))
    assert found == {1: b"2", -2: None, 3: b"6", -4: None, -5: None, 6: b"12", 7: b"14"}


def test_a_worker_that_is_killed_in_the_middle_of_its_answer_stops_nobody() -> None:
    given = answers([0, 1, 2, 0], large, 2)
    assert next(given)[1] == b"small"
    (victim, *_) = multiprocessing.active_children()
    time.sleep(0.5)  # until the pipe is full
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    rest = [None if answer is None else len(answer) for _, answer in given]
    assert sorted(rest, key=str) == [5, _LARGE, None]


def test_who_wants_no_more_answers_leaves_no_worker_behind() -> None:
    given = answers(list(range(1, 9)), large, 3)
    assert len(next(given)[1] or b"") == _LARGE
    workers = multiprocessing.active_children()
    assert workers
    del given
    assert not [worker for worker in workers if worker.is_alive()]
