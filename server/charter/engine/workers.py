"""Worker processes that do tasks and may die at any moment. It knows neither projects nor analyses."""

from __future__ import annotations

import signal
import sys
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from charter.engine.frames import with_room

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from multiprocessing.connection import Connection, PipeConnection
    from multiprocessing.process import BaseProcess

    Pipe = Connection[object, Any] | PipeConnection[object, Any]

Task = TypeVar("Task")


class _Worker(Struct, Generic[Task]):
    process: BaseProcess
    orders: Pipe
    task: Task

    def give(self, task: Task) -> None:
        """Hand over a task; one that died meanwhile is told by the end of its answers."""
        self.task = task
        with suppress(OSError):
            self.orders.send((task,))

    def dismiss(self) -> None:
        """Let it end, and wait until it has: the end of its orders would not tell it, since later workers have them open."""
        with suppress(OSError):
            self.orders.send(())
        self.process.join()
        self.orders.close()


def answers(
    tasks: Sequence[Task],
    work: Callable[[Task], bytes],
    jobs: int,
    prepare: Callable[..., None] | None = None,
    given: tuple[object, ...] = (),
) -> Iterator[tuple[Task, bytes | None]]:
    """Do tasks in worker processes, by fork where the system is sure to have it.

    Each worker answers through a pipe of its own, which ends with it. `concurrent.futures` has one pipe for all: a worker
    that is killed in the middle of an answer leaves everybody waiting for the rest of it.

    Args:
        tasks: what is to be done; it can be pickled.
        work: does a task; a function of a module.
        jobs: how many processes may work at once.
        prepare: what a worker calls first.
        given: what it is given for that.

    Yields:
        Each task with its answer as soon as it is there; None if the worker that had it died.
    """
    import multiprocessing
    from multiprocessing.connection import wait

    forks = sys.platform == "linux"
    context = multiprocessing.get_context("fork") if forks else multiprocessing.get_context("spawn")

    def hired(task: Task) -> tuple[Pipe, _Worker[Task]]:
        heard, told = context.Pipe(duplex=False)
        taken, orders = context.Pipe(duplex=False)
        process = context.Process(
            target=_serve, args=(taken, told, orders, work, prepare, given), daemon=True
        )
        with _unbroken():
            process.start()
        told.close()  # the worker alone has it now: its end is the end of the answers
        taken.close()
        worker = _Worker(process, orders, task)
        worker.give(task)
        return heard, worker

    waiting = deque(tasks)
    at_work: dict[Pipe, _Worker[Task]] = {}
    try:
        while waiting or at_work:
            while waiting and len(at_work) < jobs:
                heard, worker = hired(waiting.popleft())
                at_work[heard] = worker
            ready = wait(list(at_work))
            for heard, worker in [one for one in at_work.items() if one[0] in ready]:
                task = worker.task
                answer: bytes | None = None
                with suppress(OSError, EOFError):
                    answer = heard.recv_bytes()
                if answer is not None and waiting:
                    worker.give(waiting.popleft())
                else:
                    del at_work[heard]
                    worker.dismiss()
                    heard.close()
                yield task, answer
    finally:
        for worker in at_work.values():  # after an interrupt nobody wants the rest
            worker.process.terminate()
        for worker in at_work.values():
            worker.dismiss()


@with_room
def _serve(
    taken: Pipe,
    told: Pipe,
    orders: Pipe,
    work: Callable[[Task], bytes],
    prepare: Callable[..., None] | None,
    given: tuple[object, ...],
) -> None:
    """What a worker does until no more orders can come."""
    orders.close()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _let_through()
    if prepare is not None:
        prepare(*given)
    with suppress(EOFError, BrokenPipeError):
        while order := taken.recv():
            told.send_bytes(work(*order))


@contextmanager
def _unbroken() -> Generator[None]:
    """Keep Ctrl-C, which reaches all processes of a terminal, until a new one knows that it shall end without a traceback."""
    if sys.platform == "win32":
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        _let_through()


def _let_through() -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
