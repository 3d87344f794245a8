"""Commands of registrars: staff enrol, grant, withdraw, list."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
import typer

from api.cli.access import open_reader, settings
from api.cli.client import author_of, open_directory, run, writing
from api.cli.console import say, say_json
from api.cli.inputs import check_id, check_optional_id
from api.directory_documents import device_resource, practitioner_resource
from ledger.folds.staff import StaffMember, evolve_staff, members_of
from ledger.ids import new_id
from ledger.reader import LedgerReader

staff_app = typer.Typer(
    help="Enrol people and devices, and say what they may do.", no_args_is_help=True
)
ByOption = Annotated[
    str | None,
    typer.Option(
        help="Staff id of the registrar who signs; default: one whose key is here.",
        callback=check_optional_id,
    ),
]
StaffArgument = Annotated[
    str, typer.Argument(help="The staff id.", metavar="STAFF", callback=check_id)
]


class StaffRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `staff list`: roles held now, number of valid keys."""

    staff: str
    kind: str
    name: str
    roles: tuple[str, ...]
    keys: int


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
    """List staff: id, kind, the roles held now, name; in JSON also the number of valid keys."""
    with open_reader() as reader:
        rows = [_row(member) for member in _members(reader)]
    if as_json:
        say_json({"staff": rows})
        return
    for row in rows:
        say(f"{row.staff}  {row.kind:<12}  {' '.join(row.roles) or '-':<22}  {row.name}")


def _members(reader: LedgerReader) -> Iterable[StaffMember]:
    members: dict[str, StaffMember] = {}
    for event in reader.streams(reader.store.directory_streams()):
        for staff in members_of(event):
            evolve_staff(members.setdefault(staff, StaffMember(staff=staff)), event)
    return members.values()


def _row(member: StaffMember) -> StaffRow:
    return StaffRow(
        staff=member.staff,
        kind=member.kind or "practitioner",
        name=member.name,
        roles=tuple(sorted(r.role for r in member.roles if r.withdrawn_at_position is None)),
        keys=sum(key.revoked_at_position is None for key in member.keys.values()),
    )


def _append(staff: str, events: list[tuple[str, dict[str, object]]], by: str | None) -> None:
    chosen = settings()
    signer, key = author_of(open_directory(), chosen, by=by, role="registrar")

    async def main() -> None:
        async with writing(chosen, signer, key) as (_, author):
            for tag, content in events:
                await author.append(tag, content, stream=staff, stream_kind="staff")

    run(main)
