"""Commands of registrars: staff enrol, grant, withdraw, list."""

from typing import Annotated

import typer

from api.cli.access import keyring_of, open_database, settings
from api.cli.client import author_of, read_directory, run, writing
from api.cli.console import say, say_json
from api.directory_documents import device_resource, practitioner_resource
from ledger.ids import new_id

staff_app = typer.Typer(
    help="Enrol people and devices, and say what they may do.", no_args_is_help=True
)
ByOption = Annotated[
    str | None,
    typer.Option(help="Staff id of the registrar who signs; default: one whose key is here."),
]
StaffArgument = Annotated[str, typer.Argument(help="The staff id.", metavar="STAFF")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@staff_app.command()
def enrol(
    name: Annotated[str, typer.Option(help="Full name of the person, or model of the device.")],
    licence: Annotated[str | None, typer.Option(help="Number of the practising licence.")] = None,
    code: Annotated[str | None, typer.Option(help="The facility's own staff code.")] = None,
    device: Annotated[
        str | None, typer.Option(help="It is a device with this serial number.")
    ] = None,
    role: Annotated[list[str] | None, typer.Option(help="A role to grant; repeatable.")] = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enrol a person or a device; print the new staff id.

    A person needs a licence number or a staff code. The key follows: `clinledger key new`, then
    `clinledger key enrol`.
    """
    if device is None and not licence and not code:
        raise typer.BadParameter("give --licence or --code", param_hint="--licence")
    staff = new_id()
    tag, resource = (
        "practitioner-enrolled.v1",
        practitioner_resource(staff, name=name, licence=licence, code=code),
    )
    if device is not None:
        tag, resource = "device-enrolled.v1", device_resource(staff, name=name, serial=device)
    events: list[tuple[str, dict[str, object]]] = [(tag, resource)]
    events.extend(("role-granted.v1", {"role": granted}) for granted in role or ())
    _append(staff, events, by)
    if as_json:
        say_json({"staff": staff})
    else:
        say(staff)


@staff_app.command()
def grant(
    staff: StaffArgument,
    role: Annotated[str, typer.Argument(help="The role, e.g. doctor.")],
    by: ByOption = None,
) -> None:
    """Grant a role to a person or device."""
    _append(staff, [("role-granted.v1", {"role": role})], by)
    say(f"{staff} is {role}")


@staff_app.command()
def withdraw(
    staff: StaffArgument,
    role: Annotated[str, typer.Argument(help="The role, e.g. doctor.")],
    reason: Annotated[
        str, typer.Option(help="duties-changed, left or granted-in-error.")
    ] = "duties-changed",
    by: ByOption = None,
) -> None:
    """Withdraw a role; the last administrator and the last registrar stay."""
    _append(staff, [("role-withdrawn.v1", {"role": role, "reason": reason})], by)
    say(f"{staff} is {role} no longer")


@staff_app.command("list")
def list_staff(as_json: JsonOption = False) -> None:
    """List staff ids with their kind, roles and number of keys."""
    chosen = settings()
    database = open_database(chosen)
    directory = read_directory(database, keyring_of(database, chosen))
    rows = [
        {"staff": m.stream, "kind": m.kind, "roles": sorted(m.roles), "keys": len(m.key_ids)}
        for m in directory.staff.values()
    ]
    if as_json:
        say_json({"staff": rows})
        return
    for member in directory.staff.values():
        say(f"{member.stream}  {member.kind:<12}  {' '.join(sorted(member.roles))}")


def _append(staff: str, events: list[tuple[str, dict[str, object]]], by: str | None) -> None:
    chosen = settings()
    database = open_database(chosen)
    directory = read_directory(database, keyring_of(database, chosen))
    signer, key = author_of(directory, chosen, by=by, role="registrar")

    async def main() -> None:
        async with writing(chosen, signer, key) as (_, author):
            for tag, content in events:
                await author.append(tag, content, stream=staff, stream_kind="staff")

    run(main)
