"""Speak HTTP to the application of a live hospital, as a member of its staff or as nobody."""

# ruff: noqa: ANN401 - JSON is of any type

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, cast

import httpx2
import msgspec

from api.app import create_app
from api.event_json import submission_json
from api.services import Services, build_services
from ledger.clock import Clock
from ledger.keyring import Keyring, load_facility_key
from ledger.submitted import SubmittedEvent
from projections.runner import Projector
from projections.tracking import install_views
from signing.keys import SoftKey
from signing.tokens import issue_token
from tests.builders_rules import ORIGIN, REGISTRAR
from tests.live import LiveHospital


class Served:
    """A hospital whose ledger is served; requests run in the sequencer's event loop."""

    def __init__(self, hospital: LiveHospital, *, clock: Clock | None = None) -> None:
        self.hospital = hospital
        self.live = hospital.live
        self.clock = clock or self.live.clock
        with self.live.database.connect("owner") as connection:
            install_views(connection, self.live.database)
        self.services: Services = self.live.run(self._build())
        self.app = create_app(self.services)
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app), base_url="http://ledger"
        )

    async def _build(self) -> Services:
        wrapper = load_facility_key(self.live.home / "keys" / "facility.key")
        return build_services(
            self.live.sequencer,
            database=self.live.database,
            new_keyring=lambda: Keyring(wrapper, ORIGIN),
            clock=self.clock,
        )

    def close(self) -> None:
        """Close what was opened, but not the ledger."""
        self.live.run(self._client.aclose())
        self.live.run(self._close())

    async def _close(self) -> None:
        self.services.close()

    def project(self) -> None:
        """Bring the views up to the head."""
        projector = Projector(self.live.database, self.live.keyring)
        projector.catch_up()
        projector.close()

    @property
    def size(self) -> int:
        """How many entries the ledger has."""
        return self.live.sequencer.head.size

    def token(self, staff: str, **changes: Any) -> str:
        """Return a bearer token of a member of staff."""
        claims: dict[str, Any] = {
            "staff": staff,
            "audience": ORIGIN,
            "now_seconds": int(time.time()),
            **changes,
        }
        return issue_token(self.hospital.key_of(staff), **claims)

    def request(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        *,
        staff: str | None = None,
        body: Any = None,
        content: Any = None,
        headers: Any = None,
    ) -> httpx2.Response:
        """Send one request: as this member of staff, with a JSON body or raw content."""
        sent = httpx2.Headers(headers)
        if staff is not None:
            sent.setdefault("authorization", f"Bearer {self.token(staff)}")
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
        if content is not None:
            sent.setdefault("content-type", "application/json")
        request = self._client.request(method, path, content=content, headers=sent)
        return self.live.run(request)

    async def send(self, path: str, body: Any, staff: str | None = None) -> httpx2.Response:
        """Post from within the event loop, as the doctor unless said otherwise."""
        headers = {
            "authorization": f"Bearer {self.token(staff or self.hospital.doctor)}",
            "content-type": "application/json",
        }
        return await self._client.post(path, content=json.dumps(body), headers=headers)

    def together(self, posts: Sequence[tuple[str, Any]]) -> list[httpx2.Response]:
        """Post several bodies at once, as the doctor."""

        async def gather() -> list[httpx2.Response]:
            return await asyncio.gather(*(self.send(path, body) for path, body in posts))

        return self.live.run(gather())

    def get(self, path: str, staff: str | None = None) -> httpx2.Response:
        """Send a GET, as the doctor unless said otherwise."""
        return self.request("GET", path, staff=staff or self.hospital.doctor)

    def post(self, path: str, body: Any, staff: str | None = None) -> httpx2.Response:
        """Send a POST, as the doctor unless said otherwise."""
        return self.request("POST", path, staff=staff or self.hospital.doctor, body=body)

    def nonce(self, staff: str) -> str:
        """Return a nonce of the server for a member's possession proof."""
        answer = self.post(f"/v1/staff/{staff}/possession-nonces", {}, REGISTRAR)
        assert answer.status_code == 201
        return str(answer.json()["nonce"])

    def new_key(self) -> SoftKey:
        """Return a key that is enrolled nowhere."""
        return SoftKey.generate("ES256")

    def append(self, event: SubmittedEvent, staff: str | None = None) -> httpx2.Response:
        """Post one event, as the doctor unless said otherwise."""
        return self.post("/v1/events", submission_json(event), staff)


def codes(response: httpx2.Response) -> list[tuple[str, str]]:
    """Return pointer and code of each fault of a problem."""
    return [(fault["pointer"], fault["code"]) for fault in response.json()["errors"]]


def whole(response: httpx2.Response, kind: Any) -> Any:
    """Decode an answer as its documented type, and check that nothing of it is undocumented."""
    value = msgspec.json.decode(response.content, type=kind)
    assert _names(json.loads(msgspec.json.encode(value))) >= _names(response.json())
    return value


def _names(value: Any, at: str = "") -> set[str]:
    if at.endswith("/resource"):  # a FHIR resource is documented elsewhere
        return set()
    found: set[str] = set()
    if isinstance(value, dict):
        for name, part in cast("dict[str, Any]", value).items():
            found |= {f"{at}/{name}"} | _names(part, f"{at}/{name}")
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            found |= _names(part, f"{at}/*")
    return found
