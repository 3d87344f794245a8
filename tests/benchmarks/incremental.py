"""Measure verifying only what is new since an earlier verification, and the memory that it takes.

`python -m tests.benchmarks.incremental` does the work, in a process that holds nothing else.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from ledger.reader import LedgerReader
from ledger.verify import VerifyOptions, verify_ledger
from ledger.verify.sample import parse_count
from ledger.verify.since import Basis
from signing.verified import VerifiedUpTo
from tests.benchmarks.figures import Figures
from tests.benchmarks.site import REPOSITORY, Ground
from tests.benchmarks.workload import CORES, ORIGIN

_NEW: Final = 100_000
_LOOK_SECONDS: Final = 0.1
_PEAK: Final = "VmHWM:"


def measure_incremental(ground: Ground, figures: Figures) -> None:
    """Verify 100,000 new events, or the newer half, resting on a note about those before.

    The tree over all events is recomputed, and a sample of the old ones is derived again.
    """
    command = [sys.executable, "-m", "tests.benchmarks.incremental", ground.url, str(ground.home)]
    peak = 0
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:  # noqa: S603
        while process.poll() is None:
            peak = max(peak, _peak_bytes(process.pid))
            time.sleep(_LOOK_SECONDS)
        output, _ = process.communicate()
    assert process.returncode == 0, "incremental verification failed"
    done = json.loads(output)
    seconds = done["seconds"] * _NEW / done["new"]
    figures.add("incremental verify, s for 100,000 new events", seconds)
    figures.add("incremental verify, MB of its largest process", peak / 1e6)


def _peak_bytes(pid: int) -> int:
    """Return the most memory that a process or one that it has started has held so far, bytes."""
    peak = 0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(OSError):  # it ends while we look
                lines = Path(f"/proc/{one.pid}/status").read_text("ascii").splitlines()
                found = [line.split()[1] for line in lines if line.startswith(_PEAK)]
                peak = max(peak, *(1024 * int(kilobytes) for kilobytes in found), 0)
    return peak


def _verify(ground: Ground) -> dict[str, float]:
    basis = _basis(ground)
    options = VerifyOptions(since=basis, processes=CORES)
    started = time.perf_counter()
    report = verify_ledger(ground.database, keyring=ground.new_keyring(), options=options)
    seconds = time.perf_counter() - started
    assert report.ok, report.findings[:3]
    return {"seconds": seconds, "new": report.size - basis.note.size}


def _basis(ground: Ground) -> Basis:
    with ground.database.connect("reader") as connection:
        reader = LedgerReader(connection, ground.database, ground.keyring)
        head = reader.head()
        size = head.size - min(_NEW, head.size // 2)
        root = reader.root_at(size)
    return Basis(
        note=VerifiedUpTo(
            origin=ORIGIN,
            size=size,
            root=root,
            start=0,
            signatures=True,
            rules=True,
            contents=True,
            at_ms=int(time.time() * 1000),
        ),
        by="the benchmarks",
        spki=b"",
        count=parse_count("", size),
        seed=os.urandom(32),
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_verify(Ground(sys.argv[1], Path(sys.argv[2])))))
