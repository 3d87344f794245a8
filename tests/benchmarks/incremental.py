"""Measure verifying only what is new since an earlier verification."""

import os
import time
from typing import Final

from ledger.reader import LedgerReader
from ledger.verify import VerifyOptions, verify_ledger
from ledger.verify.sample import parse_count
from ledger.verify.since import Basis
from signing.verified import VerifiedUpTo
from tests.benchmarks.figures import Figures
from tests.benchmarks.site import Ground
from tests.benchmarks.workload import CORES, ORIGIN

_NEW: Final = 100_000


def measure_incremental(ground: Ground, figures: Figures) -> None:
    """Verify 100,000 new events, or the newer half, resting on a note about those before.

    The tree over all events is recomputed, and a sample of the old ones is derived again.
    """
    with ground.database.connect("reader") as connection:
        reader = LedgerReader(connection, ground.database, ground.keyring)
        head = reader.head()
        new = min(_NEW, head.size // 2)
        size = head.size - new
        root = reader.root_at(size)
    basis = Basis(
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
    options = VerifyOptions(since=basis, processes=CORES)
    started = time.perf_counter()
    report = verify_ledger(ground.database, keyring=ground.new_keyring(), options=options)
    seconds = time.perf_counter() - started
    assert report.ok, report.findings[:3]
    figures.add("incremental verify, s for 100,000 new events", seconds * _NEW / new)
