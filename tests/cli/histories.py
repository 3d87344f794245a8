"""Sign whole histories of patients as another system would hand them over: nothing is stored."""

import json
import os
from typing import Any

import msgspec

from api.event_json import submission_json
from api.keystore import KeyStore
from ledger.database import Database
from ledger.draft import Draft, sign_event
from ledger.ids import new_id
from ledger.store import EntryStore
from signing.statement import Seen
from tests import contents
from tests.cli.facility import Facility
from tests.cli.shell import ORIGIN

LONG_AGO_MS = 1_650_000_000_000  # April 2022: occurred and signed then


class Historian:
    """Signs as the staff of a facility, on top of its present head."""

    def __init__(self, facility: Facility) -> None:
        self._facility = facility
        self._keys = KeyStore(facility.home / "keys")
        database = Database(facility.variables["CLINLEDGER_DATABASE_URL"])
        with database.connect("reader") as connection:
            head = EntryStore(connection, database).head()
        self._seen = Seen(root=head.root.hex(), size=head.size)

    def history(self, *, notes: int = 4, ward: contents.Ward | None = None) -> list[dict[str, Any]]:
        """Return a new patient's registration, a record's opening, and notes in it."""
        facility = self._facility
        ward = ward or contents.Ward(record=new_id(), patient=new_id())
        registered = self._draft(ward.patient, "patient-registered.v1")
        opened = self._draft(ward.record, "record-opened.v1")
        return [
            self._sign(registered, facility.nurse, contents.patient(ward.patient)),
            self._sign(opened, facility.doctor, ward.encounter(start_ms=LONG_AGO_MS)),
            *(self.note(ward, text=f"Ngày {number}") for number in range(notes)),
        ]

    def note(
        self, ward: contents.Ward | None = None, *, event_id: str = "", text: str = "Sốt."
    ) -> dict[str, Any]:
        """Return a doctor's note, in the facility's own record unless told otherwise."""
        facility = self._facility
        ward = ward or contents.Ward(record=facility.record, patient=facility.patient)
        draft = self._draft(ward.record, "note-written.v1", event_id=event_id)
        content = ward.note(draft.event_id, facility.doctor, LONG_AGO_MS, text=text)
        return self._sign(draft, facility.doctor, content)

    def _draft(self, stream: str, tag: str, *, event_id: str = "") -> Draft:
        return Draft(
            stream=stream,
            stream_kind="patient" if tag.startswith("patient-") else "record",
            event_id=event_id or new_id(),
            type=tag,
            occurred_at_ms=LONG_AGO_MS,
            media_type="application/fhir+json",
            content=b"",
        )

    def _sign(self, draft: Draft, staff: str, content: dict[str, Any]) -> dict[str, Any]:
        key = self._keys.load(staff)
        assert key is not None
        signed = sign_event(
            msgspec.structs.replace(draft, content=contents.encode(content)),
            key,
            origin=ORIGIN,
            signer_staff=staff,
            seen=self._seen,
            salt=os.urandom(32),
            signed_at_ms=LONG_AGO_MS,
        )
        return submission_json(signed)


def lines_of(bodies: list[dict[str, Any]]) -> bytes:
    """Return the file that `import` reads."""
    return b"".join(json.dumps(body, ensure_ascii=False).encode() + b"\n" for body in bodies)
