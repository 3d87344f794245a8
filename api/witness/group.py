"""Ask all witnesses of a policy at once, each within a bound, and never wait for the slow ones."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Self

import httpx2
import msgspec

from api.witness.client import (
    Cosignature,
    Endpoint,
    WitnessClient,
    WitnessError,
    WitnessHead,
)
from signing.checkpoints import parse_checkpoint
from signing.notes import add_signatures, parse_note
from signing.policies import Policy

TIMEOUT_SECONDS: Final = 5.0

Prove = Callable[[int], Awaitable[Sequence[bytes]]]
"""Returns the consistency proof from an old size (above 0) to the checkpoint's."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking every witness about one checkpoint.

    Attributes:
        note: the checkpoint with the cosignatures that came.
        cosigned: by name of the witness.
        faults: why the others did not, by name of the witness.
    """

    note: bytes
    cosigned: Mapping[str, Cosignature]
    faults: Mapping[str, WitnessError]

    @property
    def alarms(self) -> Mapping[str, WitnessError]:
        """Return the witnesses that saw another history: nothing may be signed after these."""
        return {name: one for name, one in self.faults.items() if one.fault in {"ahead", "forked"}}


class WitnessGroup:
    """The witnesses of a policy that have a URL. It remembers the size each cosigned last."""

    def __init__(
        self,
        policy: Policy,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        """Take the policy, a bound for each request in seconds, and an HTTP client or none."""
        self._http = http or httpx2.AsyncClient(timeout=timeout_seconds)
        self._clients = tuple(
            WitnessClient(
                Endpoint(name=one.name, verifier=one.verifier, url=one.url),
                self._http,
                timeout_seconds=timeout_seconds,
            )
            for one in policy.witnesses
            if one.url is not None
        )
        self._sizes: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def heads(self, origin: str) -> Mapping[str, WitnessHead | WitnessError | None]:
        """Ask every witness what it cosigned last of a log; None: nothing, or it does not say.

        This needs no signature of ours: it is the first question after a start.
        """

        async def ask(client: WitnessClient) -> WitnessHead | WitnessError | None:
            try:
                head = await client.head(origin)
            except WitnessError as error:
                return error
            if head is not None:
                self._sizes[client.name] = head.checkpoint.size
            return head

        found = await asyncio.gather(*(ask(client) for client in self._clients))
        return dict(zip((client.name for client in self._clients), found, strict=True))

    async def confirm(self, signed: bytes) -> Round:
        """Ask every witness whether a checkpoint that was signed before is its newest, too.

        Nothing new is signed by that. `behind` is harmless; `ahead` and `forked` are alarms.
        """
        size = parse_checkpoint(parse_note(signed).text).size

        async def ask(client: WitnessClient) -> Cosignature:
            return await client.add_checkpoint(signed, old_size=size, proof=())

        return await self._round(signed, ask)

    async def cosign(self, signed: bytes, prove: Prove) -> Round:
        """Ask every witness to cosign a signed checkpoint; all at once, each within its bound.

        A witness that has cosigned another size than was believed is asked a second time.

        Args:
            signed: the checkpoint, signed by its log.
            prove: gives the proof from a witness's size.
        """
        size = parse_checkpoint(parse_note(signed).text).size

        async def attempt(client: WitnessClient, old_size: int) -> Cosignature:
            proof = await prove(old_size) if 0 < old_size < size else ()
            return await client.add_checkpoint(signed, old_size=old_size, proof=proof)

        async def ask(client: WitnessClient) -> Cosignature:
            believed = min(self._sizes.get(client.name, 0), size)
            try:
                return await attempt(client, believed)
            except WitnessError as error:
                if error.fault != "behind" or error.size is None:
                    raise
                return await attempt(client, error.size)

        return await self._round(signed, ask)

    async def _round(
        self, signed: bytes, ask: Callable[[WitnessClient], Awaitable[Cosignature]]
    ) -> Round:
        size = parse_checkpoint(parse_note(signed).text).size
        cosigned: dict[str, Cosignature] = {}
        faults: dict[str, WitnessError] = {}

        async def one(client: WitnessClient) -> None:
            try:
                cosigned[client.name] = await ask(client)
                self._sizes[client.name] = size
            except WitnessError as error:
                faults[client.name] = error
                if error.size is not None:
                    self._sizes[client.name] = error.size

        await asyncio.gather(*(one(client) for client in self._clients))
        names = [client.name for client in self._clients if client.name in cosigned]
        note = add_signatures(signed, [cosigned[name].line for name in names])
        return Round(note=note, cosigned=cosigned, faults=faults)
