"""What the child processes of a server share: how they are told to stop."""

import asyncio
import os
import signal
import sys


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
