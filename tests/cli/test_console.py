"""What people see at a terminal, and nobody else does."""

import contextlib
import os
import pty

from api.cli.console import progress_bar


def test_a_terminal_shows_progress_and_cleans_up_behind_it() -> None:
    """On stderr, so that results on stdout stay clean."""
    controller, terminal = pty.openpty()
    with (
        os.fdopen(terminal, "w", encoding="utf-8") as stderr,
        contextlib.redirect_stderr(stderr),
        progress_bar("rebuilding") as advance,
    ):
        advance(3, 10)
        advance(10, 10)
    shown = _read_to_end(controller)
    assert "rebuilding" in shown
    assert "10/10" in shown


def _read_to_end(controller: int) -> str:
    """Return what was shown, however many pieces it came in; then close."""
    shown = b""
    with contextlib.suppress(OSError):  # Linux says EIO once the terminal is closed and read out
        while piece := os.read(controller, 65_536):
            shown += piece
    os.close(controller)
    return shown.decode()


def test_without_a_terminal_or_when_quiet_nothing_is_shown() -> None:
    """Logs and pipes hold no control characters."""
    controller, terminal = pty.openpty()
    os.set_blocking(controller, False)
    with (
        os.fdopen(terminal, "w", encoding="utf-8") as stderr,
        contextlib.redirect_stderr(stderr),
    ):
        with progress_bar("verifying", quiet=True) as advance:
            advance(1, 2)
        stderr.flush()
        with contextlib.suppress(BlockingIOError):
            assert os.read(controller, 65_536) == b""
    os.close(controller)
