"""What the child processes of a server share: their commands, and how they are told to stop."""

import asyncio
import os
import signal
import sys

import structlog

from api.checkpoint_keys import key_names
from api.keystore import KeyStore
from api.settings import Settings


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


def projector_command() -> list[str]:
    """Return the command of the projector."""
    return [sys.executable, "-m", "api.projecting"]


def checkpoint_commands(settings: Settings) -> list[list[str]]:
    """Return the command of the checkpoint process; none where no checkpoint key is."""
    if key_names(KeyStore(settings.keys)):
        return [[sys.executable, "-m", "api.checkpoint.process"]]
    structlog.get_logger().warning("no checkpoints are signed here: there is no checkpoint key")
    return []
