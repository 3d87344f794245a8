"""What the child processes of a server share: their commands, and how they are told to stop."""

import asyncio
import os
import signal
import sys
from typing import Any

import structlog

from api.checkpoint_keys import key_names
from api.keystore import KeyStore
from api.settings import Settings
from api.supervisor import Child
from ledger.priority import BACKGROUND


def stop_event() -> asyncio.Event:
    """Return an event of this loop, set by SIGTERM, SIGINT or the death of the parent.

    The parent holds the other end of standard input; it ends with the parent, by whatever death.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    descriptor = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(descriptor, 1024):
            loop.remove_reader(descriptor)
            stop.set()

    loop.add_reader(descriptor, readable)
    return stop


def background_children(settings: Settings) -> list[Child]:
    """Return the projector and, where a checkpoint key is, the signer.

    The signer verifies the whole ledger when it starts, and no one waits for it: it gives way, so
    that appends do not wait either. Views are waited for, so the projector does not.
    """
    children = [Child([sys.executable, "-m", "api.projecting"])]
    if key_names(KeyStore(settings.keys)):
        children.append(
            Child([sys.executable, "-m", "api.checkpoint.process"], niceness=BACKGROUND)
        )
    else:
        log: Any = structlog.get_logger()
        log.warning("no checkpoints are signed here: there is no checkpoint key")
    return children
