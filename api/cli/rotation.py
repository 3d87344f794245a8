"""Give the ledger a new checkpoint key: the command checkpoint rotate."""

from typing import Annotated

import msgspec
import typer

from api.checkpoint_keys import KeyFolder
from api.cli.access import settings
from api.cli.client import author_of, holder_of, key_of, open_directory, run, writing
from api.cli.console import note, say
from api.cli.inputs import check_optional_id
from api.keystore import KeyStore
from api.rotation import (
    PendingEvent,
    Rotation,
    Second,
    append_once,
    prepare_key,
    rotation_document,
    sign_rotation,
)
from api.schemas import EventReceipt
from api.settings import Settings
from ledger.state import DirectoryState
from ledger.submitted import SubmittedEvent
from signing.keys import SoftKey
from signing.statement import parse_statement


class _KeyNamed(msgspec.Struct, frozen=True, kw_only=True):
    checkpoint_key: str


def rotate(
    reason: Annotated[str, typer.Option(help="Why; everybody can read it: name no patient.")] = "",
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare", help="Only make the next key and print it, for witnesses to know it first."
        ),
    ] = False,
    lost: Annotated[
        bool,
        typer.Option("--lost", help="The old key is lost or stolen: --second signs in its place."),
    ] = False,
    second: Annotated[
        str | None,
        typer.Option(
            metavar="STAFF",
            help="Another registrar, whose key is here, too.",
            callback=check_optional_id,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="STAFF",
            help="Who decides; default: an administrator or registrar whose key is here.",
            callback=check_optional_id,
        ),
    ] = None,
) -> None:
    """Replace the key that signs checkpoints; what it signed so far stays good.

    The new key's file is made beside the old one's. The old key hands over to it in a signed event;
    where it is lost or stolen, two people sign instead. A signer that runs here goes on with the
    new key by itself. Interrupted, the same command again finishes it.
    """
    chosen = settings()
    directory = open_directory()
    keys = KeyStore(chosen.keys)
    if prepare:
        say(str(prepare_key(keys, directory).verifier.vkey))
        note("tell it to witnesses and auditors, beside the old one; then rotate")
        return
    pending = PendingEvent(chosen.pending_rotation)
    event = pending.load()
    if event is not None:
        note("finishing the rotation that was interrupted")
        receipt = run(lambda: _append(chosen, directory, event, pending))
        _tell(event, receipt)
        return
    if not reason:
        raise typer.BadParameter("needed", param_hint="--reason")
    if lost and second is None:
        raise typer.BadParameter("needed with --lost", param_hint="--second")
    other = None
    if second is not None:
        other = Second(second, key_of(chosen, second, directory=directory))
    rotation = Rotation(reason=reason, lost=lost, second=other)
    signer, key = _author(directory, chosen, by=by, second=second)

    async def main() -> tuple[SubmittedEvent, EventReceipt]:
        async with writing(chosen, signer, key) as (client, author):
            document = rotation_document(keys, directory, rotation)
            event = await sign_rotation(
                author, document, facility=directory.facility, pending=pending
            )
            return event, await append_once(client, event, pending)

    _tell(*run(main))
    if KeyFolder(keys, directory.origin).find(directory.checkpoint_key) is not None:
        note("once a checkpoint is signed by the new key, destroy every copy of the old one's file")


def _author(
    directory: DirectoryState, chosen: Settings, *, by: str | None, second: str | None
) -> tuple[str, SoftKey]:
    if by is not None:
        return author_of(directory, chosen, by=by, role="administrator")
    return holder_of(directory, chosen, "administrator", "registrar", but=second or "")


async def _append(
    chosen: Settings, directory: DirectoryState, event: SubmittedEvent, pending: PendingEvent
) -> EventReceipt:
    signer = parse_statement(event.statement).signer
    key = key_of(chosen, signer, directory=directory)
    async with writing(chosen, signer, key) as (client, _):
        return await append_once(client, event, pending)


def _tell(event: SubmittedEvent, receipt: EventReceipt) -> None:
    say(f"checkpoints of more than {receipt.position} entries are signed by")
    say(msgspec.json.decode(event.content, type=_KeyNamed).checkpoint_key)
