"""Grow a ledger by `clinledger import`, the way in for other systems' histories."""

import json
import subprocess
import sys
import time
from typing import Final

from tests.benchmarks.figures import Figures, say
from tests.benchmarks.site import REPOSITORY, Ground, Site
from tests.benchmarks.workload import CORES

_TELL_SECONDS: Final = 20


def load(site: Site, figures: Figures, *, size: int) -> None:
    """Grow the main ledger to so many events; tell how many a second were signed and imported.

    Signing, examining, sequencing and PostgreSQL share the machine: the rate is of all of them
    together, and of what signing alone would take nothing is taken off. Of a ledger that an earlier
    run has loaded, its rate is told.
    """
    name = f"signed and imported, up to {size:,} events"
    missing = size - site.main.head().size
    if missing <= 0:
        if name in site.kept.rates:
            figures.add(name, site.kept.rates[name])
        return
    say(f"signing and importing {missing:,} events, for a ledger of {size:,}")
    started = time.perf_counter()
    report = _import(site, missing)
    assert report["refused"] == 0, report
    rate = report["created"] / (time.perf_counter() - started)
    figures.add(name, rate)
    site.kept.add_rate(name, rate)


def _import(site: Site, events: int) -> dict[str, int]:
    given, told = 0, time.monotonic()
    with _importing(site.main) as process:
        assert process.stdin is not None
        for data, count in site.patients.lines(events):
            process.stdin.write(data)
            given += count
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                say(f"  {given:,} of {events:,} signed")
        output, _ = process.communicate()
    assert process.returncode == 0, "the import failed"
    return json.loads(output)


def _importing(ground: Ground) -> "subprocess.Popen[bytes]":
    options = ("-", "--processes", str(CORES), "--json")
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "api.cli.main", "import", *options],
        env=ground.environment,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
