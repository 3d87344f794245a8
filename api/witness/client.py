"""Ask one witness over HTTP, and believe nothing of its answer that is not signed."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Final, Literal

import httpx2
import msgspec

from api.witness.request import format_add_checkpoint
from ledger.errors import LedgerError
from signing.checkpoints import Checkpoint, parse_checkpoint, parse_size
from signing.errors import SigningError
from signing.notes import NoteVerifier, SignatureLine, parse_note, parse_signatures, verify_note

MAX_ANSWER_BYTES: Final = 1 << 20

_OK: Final = 200
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422
_NOT_NOW: Final = frozenset({408, 429})
_SERVER_FAULT: Final = 500

Fault = Literal["unreachable", "ahead", "behind", "forked", "refused", "bad-answer"]
"""Why a witness did not cosign.

- `unreachable`: no answer in time, or it cannot now; ask again later
- `ahead`: it cosigned a larger tree than ours: ours was set back, or another signs in our name
- `behind`: it cosigned a smaller tree, and no proof from there was given
- `forked`: it says that our tree does not continue the one that it cosigned
- `refused`: it does not know this log or its key, or does not understand the request
- `bad-answer`: what came is no signature of this witness
"""


class WitnessError(LedgerError):
    """A witness did not do what was asked.

    Attributes:
        fault: why.
        size: of the tree that it cosigned last, when it said so.
    """

    def __init__(self, fault: Fault, detail: str, *, size: int | None = None) -> None:
        self.fault: Final = fault
        self.detail: Final = detail
        self.size: Final = size
        super().__init__(f"{fault}: {detail}")


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask a witness.

    Attributes:
        name: in the policy.
        verifier: its key.
        url: submission and monitoring prefix.
    """

    name: str
    verifier: NoteVerifier
    url: str


class Cosignature(msgspec.Struct, frozen=True, kw_only=True):
    """A witness has cosigned.

    Attributes:
        witness: its name in the policy.
        line: to be put under the checkpoint.
        time_seconds: when, POSIX, by the witness's clock.
    """

    witness: str
    line: SignatureLine
    time_seconds: int


class WitnessHead(msgspec.Struct, frozen=True, kw_only=True):
    """The newest checkpoint of a log that a witness has cosigned, by its own signature.

    Attributes:
        witness: its name in the policy.
        checkpoint: what it cosigned.
        time_seconds: when, POSIX, by the witness's clock.
        note: the note as it came.
    """

    witness: str
    checkpoint: Checkpoint
    time_seconds: int
    note: bytes


class WitnessClient:
    """Asks one witness. Safe to share between tasks."""

    def __init__(
        self, endpoint: Endpoint, http: httpx2.AsyncClient, *, timeout_seconds: float
    ) -> None:
        """Take the witness, an HTTP client (closed by its owner), and a bound for each request."""
        self._endpoint = endpoint
        self._http = http
        self._timeout = timeout_seconds
        self._prefix = endpoint.url.rstrip("/")

    @property
    def name(self) -> str:
        """Return the witness's name in the policy."""
        return self._endpoint.name

    async def head(self, origin: str) -> WitnessHead | None:
        """Return what the witness cosigned last of a log, or None when it says: nothing.

        Witnesses with another monitoring prefix say so too: `add_checkpoint` with the last signed
        checkpoint is the question that every witness must answer.

        Raises:
            WitnessError: `unreachable`, `refused` or `bad-answer`.
        """
        path = f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"
        status, answer = await self._ask("GET", path, None)
        if status == _NOT_FOUND:
            return None
        if status != _OK:
            raise _failure(status)
        try:
            note = parse_note(answer)
            checkpoint = parse_checkpoint(note.text)
            (verified,) = verify_note(note, [self._endpoint.verifier])
        except SigningError as error:
            raise WitnessError("bad-answer", error.code) from None
        if checkpoint.origin != origin or not verified.time_seconds:
            raise WitnessError("bad-answer", "of another log, or without a time")
        return WitnessHead(
            witness=self.name,
            checkpoint=checkpoint,
            time_seconds=verified.time_seconds,
            note=answer,
        )

    async def add_checkpoint(
        self, signed: bytes, *, old_size: int, proof: Sequence[bytes]
    ) -> Cosignature:
        """Ask for a cosignature of a signed checkpoint.

        Args:
            signed: the checkpoint, signed by its log.
            old_size: of the tree that the witness is believed to have cosigned last.
            proof: consistency from there, empty from 0 and between equal sizes.

        Raises:
            WitnessError: any fault; `ahead` and `behind` tell the size.
        """
        note = parse_note(signed)
        size = parse_checkpoint(note.text).size
        body = format_add_checkpoint(old_size=old_size, proof=proof, signed=signed)
        status, answer = await self._ask("POST", "/add-checkpoint", body)
        if status == _CONFLICT:
            raise _conflict(answer, old_size=old_size, size=size)
        if status != _OK:
            raise _failure(status)
        return self._read_cosignature(note.text, answer)

    def _read_cosignature(self, text: str, answer: bytes) -> Cosignature:
        verifier = self._endpoint.verifier
        try:
            lines = parse_signatures(answer.decode())
            own = [line for line in lines if _identity(line) == _key(verifier)]
            if len(own) != 1:
                raise WitnessError("bad-answer", "not one signature of its key")
            time_seconds = verifier.check(text, own[0].signature)
        except UnicodeDecodeError:
            raise WitnessError("bad-answer", "not UTF-8") from None
        except SigningError as error:
            raise WitnessError("bad-answer", error.code) from None
        if not time_seconds:
            raise WitnessError("bad-answer", "without a time")
        return Cosignature(witness=self.name, line=own[0], time_seconds=time_seconds)

    async def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Return status and body; whatever the other side does, within the time and the size."""
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream(
                    method,
                    self._prefix + path,
                    content=body,
                    headers={"Content-Type": "text/plain; charset=utf-8"} if body else None,
                    follow_redirects=False,
                ) as answer,
            ):
                received = bytearray()
                async for chunk in answer.aiter_bytes():
                    received += chunk
                    if len(received) > MAX_ANSWER_BYTES:
                        raise WitnessError("bad-answer", "larger than 1 MiB")
                return answer.status_code, bytes(received)
        except TimeoutError:
            raise WitnessError("unreachable", "no answer in time") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise WitnessError("unreachable", type(error).__name__) from None


def _identity(line: SignatureLine) -> tuple[str, bytes]:
    return line.name, line.key_hash


def _key(verifier: NoteVerifier) -> tuple[str, bytes]:
    return verifier.vkey.name, verifier.vkey.key_hash


def _conflict(answer: bytes, *, old_size: int, size: int) -> WitnessError:
    try:
        told = parse_size(answer.decode("ascii").removesuffix("\n"))
    except ValueError:
        return WitnessError("bad-answer", "a conflict without a size")
    if told > size:
        return WitnessError("ahead", f"it has cosigned {told} entries", size=told)
    if told != old_size:
        return WitnessError("behind", f"it has cosigned {told} entries", size=told)
    if told == size:  # older texts of the specification answer so to another root of this size
        return WitnessError("forked", "it has cosigned another root of this size", size=told)
    return WitnessError("bad-answer", "a conflict with the size that was sent")


def _failure(status: int) -> WitnessError:
    detail = f"HTTP {status}"
    if status == _UNPROCESSABLE:
        return WitnessError("forked", "the checkpoint does not continue what it has cosigned")
    if status in _NOT_NOW or status >= _SERVER_FAULT:
        return WitnessError("unreachable", detail)
    return WitnessError("refused", detail)
