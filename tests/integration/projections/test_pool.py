"""Work shared among processes: all of it is done, and a process that ends is told."""

import os

import pytest

from ledger.errors import UnavailableError
from projections.pool import map_in_processes, share_with_processes


def test_every_task_is_done_once_here_or_elsewhere() -> None:
    tasks = list(range(200))
    here: list[int] = []

    def do_here(task: int) -> tuple[int, int]:
        here.append(task)
        return _done(task)

    results = list(share_with_processes(_done, do_here, tasks, others=1, what="testing"))
    assert sorted(task for task, _ in results) == tasks
    assert sorted(task for task, pid in results if pid == os.getpid()) == sorted(here)
    assert {pid for _, pid in results} > {os.getpid()}


def test_results_come_in_the_order_of_the_tasks() -> None:
    results = list(map_in_processes(_done, range(20), processes=2, what="testing"))
    assert [task for task, _ in results] == list(range(20))
    assert os.getpid() not in {pid for _, pid in results}


def test_a_process_that_ends_from_outside_is_told() -> None:
    with pytest.raises(UnavailableError, match="a testing process was ended from outside"):
        list(share_with_processes(_end, _done, [1, 2, 3], others=1, what="testing"))


def _done(task: int) -> tuple[int, int]:
    return task, os.getpid()


def _end(task: int) -> tuple[int, int]:
    os._exit(task)
