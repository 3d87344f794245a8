"""Profile the documents of the directory: founding, policy, keys and roles.

They are stored unsealed, because every proof needs them: no free text, no personal data.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from ledger.fhir.validation import decode_document
from ledger.profiles.agreement import reject
from ledger.profiles.facts import (
    EnrolledKey,
    FoundingFacts,
    HeadsFacts,
    KeyEnrolledFacts,
    KeyRevokedFacts,
    PolicyFacts,
    RoleFacts,
)
from ledger.profiles.keys import ProvedKey, decode_base64, read_key, read_verifier_key
from ledger.profiles.succession import Succeeds, read_succession
from ledger.roles import Role
from signing.algorithms import Algorithm
from signing.statement import HashText, OriginText, Statement, TimeText, UuidText

MIN_REGISTRARS: Final = 2
MAX_REGISTRARS: Final = 16
MAX_DEADLINE_HOURS: Final = 720
MAX_SAFE_INTEGER: Final = 2**53 - 1

KeyText = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
ProofText = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
CertificateText = Annotated[str, msgspec.Meta(min_length=1, max_length=32768)]


class FoundingRegistrar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the first registrars.

    Attributes:
        staff: id of the staff stream that the person will have.
        alg: of the key.
        spki: SubjectPublicKeyInfo, DER in base64.
        possession: proof for this origin and staff.
    """

    staff: UuidText
    alg: Algorithm
    spki: KeyText
    possession: ProofText


class LedgerFounded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `ledger-founded.v1`.

    Attributes:
        origin: of the ledger, as in the statement.
        checkpoint_key: C2SP signed-note verifier key `<origin>+<id>+<base64>`, Ed25519.
        registrars: at least two, the first of whom signs the event.
        succeeds: the ledger that this one succeeds, if any.
    """

    origin: OriginText
    checkpoint_key: KeyText
    registrars: Annotated[
        tuple[FoundingRegistrar, ...],
        msgspec.Meta(min_length=MIN_REGISTRARS, max_length=MAX_REGISTRARS),
    ]
    succeeds: Succeeds | UnsetType = UNSET


class PolicySet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `policy-set.v1`: the facility's regulation as far as the ledger reports on it.

    Attributes:
        version: one more than of the policy in force; 1 for the first.
        entry_deadline_hours: within which an entry should follow what it describes.
        outage_deadline_hours: the same while systems were down.
    """

    version: Annotated[int, msgspec.Meta(ge=1)]
    entry_deadline_hours: Annotated[int, msgspec.Meta(ge=1, le=MAX_DEADLINE_HOURS)]
    outage_deadline_hours: Annotated[int, msgspec.Meta(ge=1, le=MAX_DEADLINE_HOURS)]


class HeadsPublished(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `heads-published.v1` (docs/format.md §14).

    Attributes:
        size: of the ledger that the heads are of; the statement's `seen` names it too.
        streams: how many streams have events there.
        root: of the tree over their heads, hex.
    """

    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_SAFE_INTEGER)]
    streams: Annotated[int, msgspec.Meta(ge=1, le=MAX_SAFE_INTEGER)]
    root: HashText


class KeyEnrolled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `key-enrolled.v1`.

    Attributes:
        alg: the only algorithm that the key will sign with.
        spki: SubjectPublicKeyInfo, DER in base64.
        possession: proof for this ledger and staff stream, with a nonce never used before.
        certificate: X.509 certificate of the same key, DER in base64.
    """

    alg: Algorithm
    spki: KeyText
    possession: ProofText
    certificate: CertificateText | UnsetType = UNSET


class KeyRevoked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `key-revoked.v1`.

    Attributes:
        key_id: of the key.
        reason: why.
        since: from when on its holder no longer vouches for it, when known; a claim that changes
            no position's validity.
    """

    key_id: HashText
    reason: Literal["superseded", "lost", "compromised", "defective", "left"]
    since: TimeText | UnsetType = UNSET


class RoleGranted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `role-granted.v1`."""

    role: Role


class RoleWithdrawn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `role-withdrawn.v1`.

    Attributes:
        role: which.
        reason: why.
    """

    role: Role
    reason: Literal["duties-changed", "left", "granted-in-error"]


def read_founding(statement: Statement, content: bytes) -> FoundingFacts:
    """Read `ledger-founded.v1`.

    Raises:
        ContentRejectedError: `founding-origin`, `founding-signer`, `founding-registrars` (not
            distinct in staff, key and nonce), or a code of a key, of a proof, or of
            `read_succession`.
    """
    document = decode_document(content, LedgerFounded)
    if document.origin != statement.ledger:
        raise reject("founding-origin", "/origin", "must be the statement's ledger")
    checkpoint = read_verifier_key(document.checkpoint_key, document.origin, "/checkpoint_key")
    keys = [
        read_key(
            ProvedKey(alg=item.alg, spki=item.spki, possession=item.possession),
            origin=document.origin,
            staff=item.staff,
            pointer=f"/registrars/{index}",
        )
        for index, item in enumerate(document.registrars)
    ]
    for values in ([k.staff for k in keys], [k.key_id for k in keys], [k.nonce for k in keys]):
        if len(set(values)) != len(values):
            raise reject("founding-registrars", "/registrars", "must be distinct")
    _check_founder(statement, keys, checkpoint)
    succeeds = None
    if document.succeeds is not UNSET:
        succeeds = read_succession(
            document.succeeds,
            new_key=document.checkpoint_key,
            registrars=keys,
            origin=document.origin,
        )
    return FoundingFacts(
        checkpoint_key=document.checkpoint_key,
        checkpoint_spki=checkpoint,
        registrars=tuple(keys),
        succeeds=succeeds,
    )


def _check_founder(statement: Statement, keys: list[EnrolledKey], checkpoint: bytes) -> None:
    first = keys[0]
    signed_by = (statement.signer, statement.key_id, statement.alg)
    if signed_by != (first.staff, first.key_id, first.alg):
        raise reject("founding-signer", "/registrars/0", "must be the signer and its key")
    for index, key in enumerate(keys):
        if key.staff == statement.stream:
            raise reject("founding-registrars", f"/registrars/{index}/staff", "is the facility")
        if key.spki == checkpoint:
            raise reject("checkpoint-key", f"/registrars/{index}/spki", "signs no events")


def read_policy(_statement: Statement, content: bytes) -> PolicyFacts:
    """Read `policy-set.v1`."""
    return PolicyFacts(version=decode_document(content, PolicySet).version)


def read_heads(statement: Statement, content: bytes) -> HeadsFacts:
    """Read `heads-published.v1`; whether the root is right, `verify` says.

    Raises:
        ContentRejectedError: `heads-size`: not of the tree that the author had seen.
    """
    document = decode_document(content, HeadsPublished)
    if isinstance(statement.seen, UnsetType) or statement.seen.size != document.size:
        raise reject("heads-size", "/size", "must be the size of the tree that was seen")
    return HeadsFacts(size=document.size, streams=document.streams, root=document.root)


def read_key_enrolled(statement: Statement, content: bytes) -> KeyEnrolledFacts:
    """Read `key-enrolled.v1`; the possession proof is checked here, its nonce by the rules."""
    document = decode_document(content, KeyEnrolled)
    certificate = None
    if document.certificate is not UNSET:
        certificate = decode_base64(document.certificate, "/certificate")
    proved = ProvedKey(
        alg=document.alg,
        spki=document.spki,
        possession=document.possession,
        certificate=certificate,
    )
    key = read_key(proved, origin=statement.ledger, staff=statement.stream, pointer="")
    return KeyEnrolledFacts(key=key)


def read_key_revoked(_statement: Statement, content: bytes) -> KeyRevokedFacts:
    """Read `key-revoked.v1`."""
    return KeyRevokedFacts(key_id=decode_document(content, KeyRevoked).key_id)


def read_role_granted(_statement: Statement, content: bytes) -> RoleFacts:
    """Read `role-granted.v1`."""
    return RoleFacts(role=decode_document(content, RoleGranted).role)


def read_role_withdrawn(_statement: Statement, content: bytes) -> RoleFacts:
    """Read `role-withdrawn.v1`."""
    return RoleFacts(role=decode_document(content, RoleWithdrawn).role)
