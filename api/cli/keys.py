"""Commands about keys: key new, enrol, revoke, list; token."""

import base64
import re
from pathlib import Path
from typing import Annotated, get_args

import msgspec
import typer

from api.cli.access import settings
from api.cli.client import author_of, holder_of, key_of, named_key, open_directory, run, writing
from api.cli.console import say, say_json
from api.cli.staff import ByOption, JsonOption, StaffArgument
from api.directory_documents import proved_key
from api.keystore import KeyStore
from api.note_keys import NoteKeys
from ledger.clock import SystemClock
from ledger.errors import EnvironmentRefusedError, NotFoundError
from ledger.roles import Role
from ledger.state import DirectoryState
from signing.errors import MalformedKeyError
from signing.tokens import issue_token

_KEY_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
key_app = typer.Typer(help="Make, enrol, revoke and list keys.", no_args_is_help=True)
NameOption = Annotated[
    str | None, typer.Option("--key", help="Name of the key file; default: the staff id.")
]


@key_app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the key file, usually a staff id.")],
    alg: Annotated[str, typer.Option(help="ES256, ES384, PS256, or EdDSA for devices.")] = "ES256",
    note: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Make an auditor's key instead, which signs notes (`verify --note`) under this "
            "name, such as auditor.example/2026; its public half is printed, and kept beside it.",
        ),
    ] = None,
) -> None:
    """Make a soft key under CLINLEDGER_HOME; an existing one is never replaced."""
    if not re.fullmatch(_KEY_NAME, name):
        raise typer.BadParameter("letters, digits, . _ and - only", param_hint="NAME")
    if note is not None:
        say(str(NoteKeys(settings().keys).create(name, note)))
        return
    store = KeyStore(settings().keys)
    if store.load(name) is not None:
        raise EnvironmentRefusedError(f"there is a key already: {store.path(name)}")
    try:
        key = store.load_or_create(name, alg)
    except MalformedKeyError:
        raise typer.BadParameter("ES256, ES384, PS256 or EdDSA", param_hint="--alg") from None
    say(f"{key.key_id}  {store.path(name)}")


@key_app.command()
def enrol(
    staff: StaffArgument,
    key_name: NameOption = None,
    certificate: Annotated[
        Path | None, typer.Option(help="X.509 certificate of the same key, DER.")
    ] = None,
    by: ByOption = None,
) -> None:
    """Enrol a key for a person or device: its holder proves possession, a registrar signs."""
    chosen = settings()
    enrolled = named_key(chosen, key_name or staff)
    directory = open_directory()
    signer, key = author_of(directory, chosen, by=by, role="registrar")

    async def main() -> None:
        async with writing(chosen, signer, key) as (client, author):
            nonce = await client.possession_nonce(staff)
            document = proved_key(enrolled, origin=directory.origin, staff=staff, nonce=nonce)
            if certificate is not None:
                document["certificate"] = base64.b64encode(certificate.read_bytes()).decode()
            await author.append("key-enrolled.v1", document, stream=staff, stream_kind="staff")

    run(main)
    say(f"{enrolled.key_id} is a key of {staff}")


@key_app.command()
def revoke(
    staff: StaffArgument,
    key_id: Annotated[
        str | None,
        typer.Argument(help="Which key, as `key list` shows it; default: the only valid one."),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="superseded, lost, compromised, defective or left.")
    ] = "superseded",
    by: ByOption = None,
) -> None:
    """Revoke a key for ever: nothing it signs is accepted after this."""
    chosen = settings()
    directory = open_directory()
    revoked = key_id or _only_key(directory, staff)
    signer, key = author_of(directory, chosen, by=by, role="registrar")

    async def main() -> None:
        async with writing(chosen, signer, key) as (_, author):
            document = {"key_id": revoked, "reason": reason}
            await author.append("key-revoked.v1", document, stream=staff, stream_kind="staff")

    run(main)
    say(f"{revoked} is revoked")


@key_app.command("list")
def list_keys(staff: StaffArgument, as_json: JsonOption = False) -> None:
    """List the keys of a person or device, and where in the ledger each is valid."""
    directory = open_directory()
    _check_known(directory, staff)
    found = directory.keys_of(staff)
    if as_json:
        rows = [
            {
                "key_id": key.key_id,
                "alg": key.alg,
                "enrolled_at_position": key.enrolled_at_position,
                "revoked_at_position": key.revoked_at_position,
            }
            for key in found
        ]
        say_json({"keys": rows})
        return
    for key in found:
        end = "" if key.revoked_at_position is None else f" to {key.revoked_at_position}"
        say(f"{key.key_id}  {key.alg}  valid from position {key.enrolled_at_position}{end}")


def token(
    staff: Annotated[str | None, typer.Option(help="Who calls; their key must be here.")] = None,
    role: Annotated[
        str, typer.Option(help="Without --staff: anyone of this role whose key is here.")
    ] = "doctor",
) -> None:
    """Print a bearer token for the API, valid for five minutes."""
    chosen = settings()
    directory = open_directory()
    if staff is None:
        holder, key = holder_of(directory, chosen, _role(role))
    else:
        holder, key = staff, key_of(chosen, staff, directory=directory)
    now_seconds = SystemClock().now_ms() // 1000
    say(issue_token(key, staff=holder, audience=directory.origin, now_seconds=now_seconds))


def _check_known(directory: DirectoryState, staff: str) -> None:
    if staff not in directory.staff:
        raise NotFoundError("staff-unknown", "", "nobody has this staff id")


def _only_key(directory: DirectoryState, staff: str) -> str:
    _check_known(directory, staff)
    valid = [key for key in directory.keys_of(staff) if key.revoked_at_position is None]
    if len(valid) != 1:
        detail = f"they have {len(valid)} valid keys: say which, as `clinledger key list` shows it"
        raise typer.BadParameter(detail, param_hint="KEY_ID")
    return valid[0].key_id


def _role(text: str) -> Role:
    try:
        return msgspec.convert(text, Role)
    except msgspec.ValidationError:
        names = ", ".join(get_args(Role))
        raise typer.BadParameter(f"one of {names}", param_hint="--role") from None
