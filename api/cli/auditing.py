"""What an auditor brings to `verify`, and takes away: notes of what was verified."""

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from api.note_keys import NoteKeys, verifier_of
from ledger.durable import replace_file
from ledger.errors import EnvironmentRefusedError
from ledger.verify import Report
from ledger.verify.sample import SEED_BYTES, parse_count
from ledger.verify.since import Basis, accept_note
from signing.notes import Ed25519Signer
from signing.verified import VerifiedUpTo, sign_verified
from signing.vkeys import parse_vkey

SinceOption = Annotated[
    Path | None,
    typer.Option(
        help="An auditor's note of an earlier verification: only what came after it is checked by "
        "every rule, and a random sample of what it covers."
    ),
]
TrustOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VKEY",
        help="Verifier key of the auditor whose note it is; repeatable. Default: the note keys in "
        "the home.",
    ),
]
SampleOption = Annotated[
    str | None,
    typer.Option(
        help="How many old events to derive again: a number, a percentage such as 5%, or all; "
        "default 1,000 or 1 %, whichever is more."
    ),
]
SeedOption = Annotated[
    str | None, typer.Option(metavar="HEX", help="Draw the sample of that report again.")
]
NoteOption = Annotated[
    Path | None,
    typer.Option(
        "--note", help="When nothing is found, sign a note of it into this file, for --since."
    ),
]
NoteKeyOption = Annotated[
    str | None,
    typer.Option(
        help="Name of the note key in the home to sign with (`key new NAME --note ...`); default: "
        "the only one."
    ),
]
_SEED: Final = re.compile(f"[0-9a-f]{{{2 * SEED_BYTES}}}", re.ASCII)


class NoteOptions(NamedTuple):
    """What was said of a note to rest on.

    Attributes:
        path: of the note; None for none.
        trust: verifier keys of auditors.
        sample: as many as `parse_count` reads; None for the default.
        seed: 64 hexadecimal digits, to draw the sample of an earlier run again; None for a new one.
    """

    path: Path | None
    trust: Sequence[str]
    sample: str | None
    seed: str | None


def rest_on(options: NoteOptions, keys: NoteKeys) -> Basis | None:
    """Accept an auditor's note, if one was given, and decide what to sample.

    Args:
        options: what was said.
        keys: those in the home; believed when none is named.

    Raises:
        EnvironmentRefusedError: the note is not by a trusted auditor.
        MalformedKeyError: a verifier key is none.
    """
    path, trust, sample, seed = options
    if path is None:
        if trust or sample or seed:
            raise typer.BadParameter("goes with --since", param_hint="--trust, --sample, --seed")
        return None
    auditors = [verifier_of(parse_vkey(text)) for text in trust] or keys.verifiers()
    if not auditors:
        raise EnvironmentRefusedError("no auditor's key is known here: name one with --trust VKEY")
    if seed is not None and not _SEED.fullmatch(seed):
        raise typer.BadParameter("64 hexadecimal digits, in lower case", param_hint="--seed")
    note, by, spki = accept_note(path, auditors)
    try:
        count = parse_count(sample or "", note.size)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--sample") from None
    drawn = secrets.token_bytes(SEED_BYTES) if seed is None else bytes.fromhex(seed)
    return Basis(note=note, by=by, spki=spki, count=count, seed=drawn, seed_given=seed is not None)


def write_note(path: Path, report: Report, signer: Ed25519Signer, *, at_ms: int) -> None:
    """Sign what a report found whole, and put it in a file as a whole, in place of an earlier one.

    Raises:
        EnvironmentRefusedError: the file cannot be written.
        UnknownKeyError: the key is the ledger's.
    """
    data = sign_verified(vouched(report, at_ms=at_ms), signer)
    try:
        replace_file(path, data)
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot write {path}: {error.strerror}") from None


def vouched(report: Report, *, at_ms: int) -> VerifiedUpTo:
    """Return what an auditor can vouch for after a report without findings.

    What an earlier note did not say of the entries below it cannot be said of all of them.
    """
    whole, since = report.opened == "all", report.since
    return VerifiedUpTo(
        origin=report.origin or "",
        size=report.size,
        root=bytes.fromhex(report.root),
        start=0 if since is None else since.size,
        signatures=whole and (since is None or since.signatures),
        rules=whole and report.rules and (since is None or since.rules),
        contents=whole and (since is None or since.contents),
        at_ms=at_ms,
    )
