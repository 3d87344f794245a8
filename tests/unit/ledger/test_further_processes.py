"""Further processes are quick to start, and hold nothing of the process that asked for them."""

import os
import sys
from multiprocessing.connection import Connection

from ledger.further_processes import process_context


def _look(pipe: Connection) -> None:
    pipe.send(("ledger.verify.helpers" in sys.modules, os.getppid()))


def test_all_are_forked_by_one_server_that_is_not_this_process() -> None:
    context = process_context()
    found: list[tuple[bool, int]] = []
    for _ in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(target=_look, args=(theirs,))
        process.start()
        found.append(ours.recv())
        process.join()
        ours.close()
        theirs.close()
    one, other = found
    assert one == other
    assert one[0], "the server had not imported what takes the time"
    assert one[1] != os.getpid()
