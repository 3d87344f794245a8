"""Commands about keys: key new, enrol, revoke, list; token."""

import base64
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.access import keyring_of, open_database, settings
from api.cli.client import author_of, holder_of, key_of, read_directory, run, writing
from api.cli.console import say, say_json
from api.cli.staff import ByOption, JsonOption, StaffArgument
from api.directory_documents import proved_key
from api.keystore import KeyStore
from ledger.clock import SystemClock
from ledger.errors import EnvironmentRefusedError
from ledger.roles import Role
from signing.tokens import issue_token

key_app = typer.Typer(help="Make, enrol, revoke and list keys.", no_args_is_help=True)
NameOption = Annotated[
    str | None, typer.Option("--key", help="Name of the key file; default: the staff id.")
]


@key_app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the key file, usually a staff id.")],
    alg: Annotated[str, typer.Option(help="ES256, ES384, PS256, or EdDSA for devices.")] = "ES256",
) -> None:
    """Make a soft key under CLINLEDGER_HOME; an existing one is never replaced."""
    store = KeyStore(settings().keys)
    if store.load(name) is not None:
        raise EnvironmentRefusedError(f"there is a key already: {store.path(name)}")
    key = store.load_or_create(name, alg)
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
    database = open_database(chosen)
    keyring = keyring_of(database, chosen)
    directory = read_directory(database, keyring)
    enrolled = key_of(chosen, staff, name=key_name)
    signer, key = author_of(directory, chosen, by=by, role="registrar")

    async def main() -> None:
        async with writing(chosen, signer, key) as (client, author):
            nonce = await client.possession_nonce(staff)
            document = proved_key(enrolled, origin=keyring.origin, staff=staff, nonce=nonce)
            if certificate is not None:
                document["certificate"] = base64.b64encode(certificate.read_bytes()).decode()
            await author.append("key-enrolled.v1", document, stream=staff, stream_kind="staff")

    run(main)
    say(f"{enrolled.key_id} is a key of {staff}")


@key_app.command()
def revoke(
    staff: StaffArgument,
    key_id: Annotated[str, typer.Argument(help="Which key, as `key list` shows it.")],
    reason: Annotated[
        str, typer.Option(help="superseded, lost, compromised, defective or left.")
    ] = "superseded",
    by: ByOption = None,
) -> None:
    """Revoke a key for ever: nothing it signs is accepted after this."""
    chosen = settings()
    database = open_database(chosen)
    directory = read_directory(database, keyring_of(database, chosen))
    signer, key = author_of(directory, chosen, by=by, role="registrar")

    async def main() -> None:
        async with writing(chosen, signer, key) as (_, author):
            document = {"key_id": key_id, "reason": reason}
            await author.append("key-revoked.v1", document, stream=staff, stream_kind="staff")

    run(main)
    say(f"{key_id} is revoked")


@key_app.command("list")
def list_keys(staff: StaffArgument, as_json: JsonOption = False) -> None:
    """List the keys of a person or device, and where in the ledger each is valid."""
    chosen = settings()
    database = open_database(chosen)
    found = read_directory(database, keyring_of(database, chosen)).keys_of(staff)
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
    database = open_database(chosen)
    keyring = keyring_of(database, chosen)
    if staff is None:
        directory = read_directory(database, keyring)
        holder, key = holder_of(directory, chosen, _role(role))
    else:
        holder, key = staff, key_of(chosen, staff)
    now_seconds = SystemClock().now_ms() // 1000
    say(issue_token(key, staff=holder, audience=keyring.origin, now_seconds=now_seconds))


def _role(text: str) -> Role:
    try:
        return msgspec.convert(text, Role)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error), param_hint="--role") from None
