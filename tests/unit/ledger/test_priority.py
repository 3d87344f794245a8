"""Processes that nobody waits for give way."""

import os
from multiprocessing.connection import Connection
from pathlib import Path

from ledger.further_processes import process_context
from ledger.priority import BACKGROUND, work_in_background


def _look(pipe: Connection) -> None:
    work_in_background()
    autogroup = Path("/proc/self/autogroup")
    told = autogroup.read_text() if autogroup.exists() else ""
    pipe.send((os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0) == os.getpid(), told))


def test_a_helping_process_gives_way_in_a_session_of_its_own() -> None:
    context = process_context()
    ours, theirs = context.Pipe()
    process = context.Process(target=_look, args=(theirs,))
    process.start()
    niceness, alone, told = ours.recv()
    process.join()
    ours.close()
    theirs.close()
    assert niceness == BACKGROUND
    assert alone
    assert not told or told.split()[-1] == str(BACKGROUND)
    assert os.getpriority(os.PRIO_PROCESS, 0) < BACKGROUND
