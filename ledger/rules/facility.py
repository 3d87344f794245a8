"""Judge the directory's events: founding, policy, enrolment, keys and roles."""

from typing import Final

from ledger.heads import MAX_LAG
from ledger.profiles.facts import (
    EnrolledKey,
    EnrolmentFacts,
    FoundingFacts,
    HeadsFacts,
    KeyRevokedFacts,
    PolicyFacts,
    RoleFacts,
)
from ledger.roles import Role, StaffKind, roles_of
from ledger.rules.context import RuleContext, refuse
from ledger.state import DirectoryState
from signing.statement import Statement

_GOVERNING: Final[tuple[Role, ...]] = ("administrator", "registrar")


def check_founding(context: RuleContext, facts: FoundingFacts) -> None:
    """Demand that nothing was written before, and keys that people may sign with.

    Raises:
        CommandRefusedError: `ledger-already-founded` or `key-algorithm`.
    """
    if context.directory.origin or context.position != 0:
        raise refuse("ledger-already-founded", "/type")
    for key in facts.registrars:
        check_algorithm(key, "practitioner")


def check_algorithm(key: EnrolledKey, kind: StaffKind) -> None:
    """Demand of people an algorithm of the legal list; Ed25519 is not on it (facts/vietnam.md §6).

    Raises:
        CommandRefusedError: `key-algorithm`.
    """
    if kind == "practitioner" and key.alg == "EdDSA":
        raise refuse("key-algorithm", "", "people sign with ES256, ES384, PS256 or RS256")


def check_founded(context: RuleContext, statement: Statement) -> None:
    """Demand a founded ledger, and that the statement was made for it.

    Raises:
        CommandRefusedError: `ledger-not-founded` or `ledger-mismatch`.
    """
    if not context.directory.origin:
        raise refuse("ledger-not-founded", "/type")
    if statement.ledger != context.directory.origin:
        raise refuse("ledger-mismatch", "/ledger")


def check_policy(context: RuleContext, facts: PolicyFacts) -> None:
    """Demand that policies are numbered from 1 without gaps.

    Raises:
        CommandRefusedError: `policy-version`; it concerns the content.
    """
    if facts.version != context.directory.policy_version + 1:
        raise refuse("policy-version", "", "not the version after the one in force")


def check_heads(context: RuleContext, facts: HeadsFacts) -> None:
    """Demand heads of a recent tree, larger than that of the heads before.

    Raises:
        CommandRefusedError: `heads-not-newer` or `heads-too-old`; they concern the content.
    """
    if facts.size <= context.directory.heads_size:
        raise refuse("heads-not-newer", "", "heads of this tree or a larger one were published")
    if context.position - facts.size > MAX_LAG:
        raise refuse("heads-too-old", "", "too many events since the tree that they are of")


def check_enrolment(context: RuleContext, statement: Statement, facts: EnrolmentFacts) -> None:
    """Demand that a founding registrar is enrolled as a person.

    Raises:
        CommandRefusedError: `staff-kind`.
    """
    member = context.directory.staff.get(statement.stream)
    if member is not None and member.kind != facts.kind:
        raise refuse("staff-kind", "/type", "the ledger was founded with this person")


def check_new_key(directory: DirectoryState, key: EnrolledKey) -> None:
    """Demand a key that nobody ever had, proved by a nonce that was never used.

    Raises:
        CommandRefusedError: `key-algorithm`, `key-already-enrolled`, `key-revoked`,
            `key-of-another`, `checkpoint-key` or `possession-replayed`; they concern the content.
    """
    check_algorithm(key, directory.staff[key.staff].kind)
    known = directory.keys.get(key.key_id)
    if known is not None and known.staff != key.staff:
        raise refuse("key-of-another", "", "a key belongs to one subject for ever")
    if known is not None and known.revoked_at_position is not None:
        raise refuse("key-revoked", "", "a revoked key never comes back")
    if known is not None:
        raise refuse("key-already-enrolled")
    if any(key.spki == one.spki for one in directory.checkpoint_keys):
        raise refuse("checkpoint-key", "", "a checkpoint key signs no events")
    if key.nonce in directory.nonces:
        raise refuse("possession-replayed", "", "the proof's nonce was used before")


def check_revocation(context: RuleContext, statement: Statement, facts: KeyRevokedFacts) -> None:
    """Demand a valid key of this stream's subject, and that the ledger stays governable.

    Raises:
        CommandRefusedError: `key-unknown`, `key-already-revoked`, `last-administrator` or
            `last-registrar`.
    """
    key = context.directory.keys.get(facts.key_id)
    if key is None or key.staff != statement.stream:
        raise refuse("key-unknown", "", "not a key of this member of staff")
    if key.revoked_at_position is not None:
        raise refuse("key-already-revoked")
    _check_governable(context.directory, key_id=facts.key_id)


def check_grant(context: RuleContext, statement: Statement, facts: RoleFacts) -> None:
    """Demand a role that such a member can hold and does not hold yet.

    Raises:
        CommandRefusedError: `role-kind` or `role-already-held`.
    """
    member = context.directory.staff[statement.stream]
    if facts.role not in roles_of(member.kind):
        raise refuse("role-kind", "", "not a role for a person, or not for a device")
    if facts.role in member.roles:
        raise refuse("role-already-held")


def check_withdrawal(context: RuleContext, statement: Statement, facts: RoleFacts) -> None:
    """Demand a role that is held, and that the ledger stays governable.

    Raises:
        CommandRefusedError: `role-not-held`, `last-administrator` or `last-registrar`.
    """
    if facts.role not in context.directory.staff[statement.stream].roles:
        raise refuse("role-not-held")
    _check_governable(context.directory, staff=statement.stream, role=facts.role)


def _check_governable(
    directory: DirectoryState, *, key_id: str = "", staff: str = "", role: Role | None = None
) -> None:
    """Demand that someone else can still act as administrator, and as registrar.

    Args:
        directory: as it stands.
        key_id: the key about to be revoked, or "".
        staff: who is about to lose `role`, or "".
        role: that role.
    """
    lost = "nobody else with a valid key holds the role"
    for name in _GOVERNING if role is None else set(_GOVERNING) & {role}:
        without = staff if role == name else ""
        if not _can_act(directory, name, without, key_id):
            raise refuse(
                "last-registrar" if name == "registrar" else "last-administrator", "", lost
            )


def _can_act(directory: DirectoryState, role: Role, without: str, key_id: str) -> bool:
    return any(
        key.revoked_at_position is None and key.key_id != key_id
        for member in directory.staff.values()
        if role in member.roles and member.stream != without
        for key in directory.keys_of(member.stream)
    )
