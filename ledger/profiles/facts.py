"""Define what the rules need of an event's content: small, frozen, free of clinical text."""

import msgspec

from ledger.roles import Role, StaffKind
from ledger.set_aside import SetAside


class Facts(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What the rules need of one event; each type of content has its own class.

    Tagged by its class's name, for the way from an API worker to the sequencer; never stored.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class EnrolledKey(Facts, frozen=True, kw_only=True):
    """A key whose possession was proved.

    Attributes:
        key_id: SHA-256 of `spki`, hex.
        alg: JWS algorithm name.
        spki: SubjectPublicKeyInfo, DER.
        staff: stream id of its subject.
        nonce: of the possession proof.
        certificate: DER, or None when none was shown.
    """

    key_id: str
    alg: str
    spki: bytes
    staff: str
    nonce: str
    certificate: bytes | None = None


class SuccessionFacts(Facts, frozen=True, kw_only=True):
    """Of the member `succeeds` of `ledger-founded.v1`; everything it says was checked.

    Attributes:
        origin: of the old ledger.
        genesis: leaf hash of its first entry, hex.
        checkpoint_key: verifier key text that signed its checkpoints.
        size: of its last good checkpoint.
        root: of that, hex.
        cosigned_size: of its last cosigned one; 0 for none.
        reason: in the words of whoever decided.
    """

    origin: str
    genesis: str
    checkpoint_key: str
    size: int
    root: str
    cosigned_size: int
    reason: str


class FoundingFacts(Facts, frozen=True, kw_only=True):
    """Of `ledger-founded.v1`: the first keys, the first of which signs the event itself."""

    checkpoint_key: str
    checkpoint_spki: bytes
    registrars: tuple[EnrolledKey, ...]
    succeeds: SuccessionFacts | None = None


class PolicyFacts(Facts, frozen=True, kw_only=True):
    """Of `policy-set.v1`."""

    version: int


class HeadsFacts(Facts, frozen=True, kw_only=True):
    """Of `heads-published.v1`.

    Attributes:
        size: of the ledger that the heads are of.
        streams: how many there are.
        root: of the tree over them, hex.
    """

    size: int
    streams: int
    root: str


class SecondFacts(Facts, frozen=True, kw_only=True):
    """A second person's signature over what an event decides; unchecked.

    Attributes:
        signer: stream id of that member of staff.
        key_id: of the key that signed.
        container: see `signing.second`.
    """

    signer: str
    key_id: str
    container: bytes


class RotationFacts(Facts, frozen=True, kw_only=True):
    """Of `checkpoint-key-rotated.v1`; the new key's own signature was checked.

    Attributes:
        checkpoint_key: the new key's verifier key text.
        checkpoint_spki: the same key as SubjectPublicKeyInfo DER.
        handover: the signed note.
        second: a second person's signature over the note's text, or None.
    """

    checkpoint_key: str
    checkpoint_spki: bytes
    handover: bytes
    second: SecondFacts | None = None


class SetAsideFacts(Facts, frozen=True, kw_only=True):
    """Of `tail-set-aside.v1`.

    Attributes:
        decided: what was kept, and what was set aside.
        reason: in the words of whoever decided.
        second: a second registrar's signature over both.
    """

    decided: SetAside
    reason: str
    second: SecondFacts


class EnrolmentFacts(Facts, frozen=True, kw_only=True):
    """Of `practitioner-enrolled.v1` and `device-enrolled.v1`."""

    kind: StaffKind
    resource_type: str
    resource_id: str


class KeyEnrolledFacts(Facts, frozen=True, kw_only=True):
    """Of `key-enrolled.v1`."""

    key: EnrolledKey


class KeyRevokedFacts(Facts, frozen=True, kw_only=True):
    """Of `key-revoked.v1`."""

    key_id: str


class RoleFacts(Facts, frozen=True, kw_only=True):
    """Of `role-granted.v1` and `role-withdrawn.v1`."""

    role: Role


class ReasonFacts(Facts, frozen=True, kw_only=True):
    """Of `order-cancelled.v1` and `entry-retracted.v1`: the reason itself stays in the content."""


class ResourceFacts(Facts, frozen=True, kw_only=True):
    """Of every event that holds a FHIR resource about a patient.

    Attributes:
        resource_type: of the resource; of a Bundle its first one.
        resource_id: FHIR id of that resource.
        patient: stream id of the subject.
        status: FHIR status, "" where the resource has none.
        category: an order's category, a note's form code, a record's type code, else "".
        responsible: staff ids that the resource names as its author, requester, recorder or
            performer; the signer is one of them unless it is an amendment.
        mentioned: staff ids that it names otherwise.
        kinds: for each id in `responsible` and `mentioned`: whether it is named as a person or
            as a device.
        members: ids of the further resources of a Bundle, in order.
        based_on: id of the order that a result says it is based on, "" elsewhere.
    """

    resource_type: str
    resource_id: str
    patient: str
    status: str = ""
    category: str = ""
    responsible: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    kinds: tuple[StaffKind, ...] = ()
    members: tuple[str, ...] = ()
    based_on: str = ""


class AmendmentFacts(Facts, frozen=True, kw_only=True):
    """Of `entry-amended.v1`.

    Attributes:
        amends_type: the event type whose profile the new version fulfils.
        resource: of the whole new version.
    """

    amends_type: str
    resource: ResourceFacts


AnyFacts = (
    FoundingFacts
    | PolicyFacts
    | HeadsFacts
    | RotationFacts
    | SetAsideFacts
    | EnrolmentFacts
    | KeyEnrolledFacts
    | KeyRevokedFacts
    | RoleFacts
    | ReasonFacts
    | ResourceFacts
    | AmendmentFacts
)
