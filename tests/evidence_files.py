"""A hospital's ledger with signed checkpoints, and the evidence files it hands out."""

from pathlib import Path

import msgspec

from ledger.evidence.builder import build_evidence
from ledger.evidence.format import Evidence, Subject, encode_evidence
from ledger.evidence.verify_evidence import NoteKey, Policy, check_evidence
from ledger.heads import HeadTree, StreamHead
from ledger.reader import LedgerReader
from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.cosignatures import Cosigner, generate_mldsa_pem, load_cosigner
from signing.keys import SoftKey
from signing.notes import Ed25519Signer, add_signatures
from tests.hospital import Hospital
from tests.ledger_builder import Built

WITNESSES = ("so-y-te", "benh-vien-ban")
COSIGNED_SECONDS = 1_790_000_400


class Prover:
    """Hands out evidence of a hospital built with `build_hospital`; owns one connection."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital
        self.builder = hospital.builder
        self.connection = self.builder.database.connect("owner")
        self.reader = LedgerReader(self.connection, self.builder.database, self.builder.keyring)
        self.signer = Ed25519Signer(self.builder.origin, hospital.checkpoint)
        pems = (SoftKey.generate("EdDSA").to_pem(None), generate_mldsa_pem())
        self.witnesses: list[Cosigner] = [
            load_cosigner(name, pem) for name, pem in zip(WITNESSES, pems, strict=True)
        ]

    @property
    def vkey(self) -> str:
        """The checkpoint key, as auditors are given it."""
        return str(self.signer.verifier.vkey)

    @property
    def genesis(self) -> str:
        """Leaf hash of the founding event."""
        return self.builder.events[0].leaf_hash.hex()

    @property
    def policy(self) -> str:
        """A policy that both witnesses meet."""
        names = " ".join(WITNESSES)
        lines = [f"witness {w.verifier.vkey.name} {w.verifier.vkey}" for w in self.witnesses]
        return "\n".join([*lines, f"group all all {names}", "quorum all", ""])

    @property
    def trusted(self) -> tuple[NoteKey, bytes]:
        """What an auditor of this ledger believes: checkpoint key and founding event."""
        return NoteKey(self.vkey), bytes.fromhex(self.genesis)

    def note(self, size: int | None = None, *, cosigned: int = 0) -> bytes:
        """Sign a checkpoint of a size, default the present one."""
        size = len(self.builder.events) if size is None else size
        head = Checkpoint(origin=self.builder.origin, size=size, root=self.builder.roots[size])
        note = sign_checkpoint(head, self.signer)
        text = note.decode().split("\n\n")[0] + "\n"
        lines = [w.cosign(text, COSIGNED_SECONDS) for w in self.witnesses[:cosigned]]
        return add_signatures(note, lines)

    def record(self, *, with_content: bool = True) -> Evidence:
        """Prove the first record."""
        return self.build(
            Subject(id=self.hospital.ward.record, kind="record"), with_content=with_content
        )

    def event(self, event_id: str, *, with_content: bool = True) -> Evidence:
        """Prove one event."""
        return self.build(Subject(id=event_id, kind="event"), with_content=with_content)

    def build(
        self, subject: Subject, note: bytes | None = None, *, with_content: bool = True
    ) -> Evidence:
        """Prove a subject as of a checkpoint."""
        return build_evidence(self.reader, subject, note or self.note(), with_content=with_content)

    def verdict(self, evidence: Evidence, policy: Policy | None = None) -> dict[str, object]:
        """Check a file as an auditor of this ledger does; RefusedError when it is refused."""
        return check_evidence(encode_evidence(evidence), *self.trusted, policy or Policy())

    def publish_heads(self, *, left_out: str = "") -> Built:
        """Publish the heads of the tree as it is, by a key of the ledger's own; commit.

        Of the stream that is left out, the newest event is concealed.
        """
        builder = self.builder
        ledger = builder.author("EdDSA")
        self.hospital.enrol(ledger, "ledger", device=True)
        newest = {b.stream: StreamHead(b.version, b.leaf_hash) for b in builder.events}
        if left_out:
            last = [b for b in builder.events if b.stream == left_out][-2]
            newest[left_out] = StreamHead(last.version, last.leaf_hash)
        tree, size = HeadTree(newest), len(builder.events)
        content = {"size": size, "streams": tree.streams, "root": tree.root().hex()}
        facility = self.hospital.facility
        built = builder.add("heads-published.v1", ledger, stream=facility, content=content)
        builder.commit()
        return built

    def write(self, evidence: Evidence, path: Path) -> Path:
        """Write a file."""
        path.write_bytes(encode_evidence(evidence))
        return path

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def changed(evidence: Evidence, index: int, **changes: object) -> Evidence:
    """Return the file with members of one of its events changed."""
    events = list(evidence.events)
    events[index] = msgspec.structs.replace(events[index], **changes)
    return msgspec.structs.replace(evidence, events=tuple(events))
