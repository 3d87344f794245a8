"""Profile the append path and verification, and show where the time goes."""

import asyncio
import cProfile
import pstats
import sys

import uvloop

from ledger.verify import verify_ledger
from tests.benchmarks.appends import measure_appends, prepare, sequencer_of
from tests.benchmarks.figures import Figures, say
from tests.benchmarks.site import Site

_LINES = 45


def profile_appends(site: Site, *, events: int) -> None:
    """Append so many events by 64 callers and show the dearest functions by their own time."""
    warm, queues = (prepare(site, site.main, events, callers=64) for _ in range(2))
    profile, figures = cProfile.Profile(), Figures()

    async def measure() -> None:
        async with sequencer_of(site.main) as sequencer:
            await measure_appends(sequencer, figures, "append, 64 callers, unprofiled", warm)
            profile.enable()
            await measure_appends(sequencer, figures, "append, 64 callers, profiled", queues)
            profile.disable()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure())
    _show(profile)


def profile_verification(site: Site) -> None:
    """Verify the ledger in one process and show the dearest functions."""
    say("verification")
    profile = cProfile.Profile()
    keyring = site.main.new_keyring()
    profile.enable()
    report = verify_ledger(site.main.database, keyring=keyring)
    profile.disable()
    say(f"{report.entries_checked} entries in {report.seconds} s, profiled")
    _show(profile)


def _show(profile: cProfile.Profile) -> None:
    for order in ("tottime", "cumulative"):
        pstats.Stats(profile, stream=sys.stdout).sort_stats(order).print_stats(_LINES)
