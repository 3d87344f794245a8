"""Hold the request bodies that the OpenAPI document shows; the tests send them.

The person in them does not exist. The signed event is of a ledger of its own, with a key that is
enrolled nowhere: what to put in its place comes from `POST /v1/statements` and the author's key.
"""

from typing import Any, Final

_CONTENT: Final = (
    '{"resourceType":"Patient","id":"01980000-0000-7000-8000-0000000000e1","identifie'
    'r":[{"system":"https://clinledger.example/fhir/vn/sid/patient-code","value":"BN-'
    '0001"}],"name":[{"text":"Nguyễn Thị Ví '
    'Dụ"}],"gender":"female","birthDate":"1980"}'
)
_STATEMENT: Final = (
    '{"alg":"ES256","content":{"digest":"7f14d902eb10e7463a9246220d4f6222c21ccd1c7539'
    'e0444e95130fdbe70d33","media_type":"application/fhir+json","size":249},"event_id'
    '":"01980000-0000-7000-8000-0000000000e2","format":"clinledger/statement/v1","key'
    '_id":"ee2417a22d7efcc0d6627a78aed807fb7a76b2f7201e48adf44d615ed76fcf38","ledger"'
    ':"bvdk.example/ledger","occurred_at":"2026-01-31T07:30:00.000Z","seen":{"root":"'
    '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","size":12},"si'
    'gned_at":"2026-01-31T07:31:00.000Z","signer":"01980000-0000-7000-8000-0000000000'
    'e3","stream":"01980000-0000-7000-8000-0000000000e1","stream_kind":"patient","typ'
    'e":"patient-registered.v1"}'
)
_SIGNATURE: Final = (
    '{"format":"jws","value":"eyJhbGciOiJFUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il0'
    "sInR5cCI6ImNsaW5sZWRnZXItc3RhdGVtZW50In0..42-1z0LOxEFv4KRSZEIAQYdowNqzNlg-jH1T0g"
    'YckOHA7qDUQ6lVS0lcPBi500DGnyWArERoflM8qAnrtlRQzw"}'
)

DRAFT_EXAMPLE: Final[dict[str, Any]] = {
    "type": "patient-registered.v1",
    "stream": "01980000-0000-7000-8000-0000000000e1",
    "stream_kind": "patient",
    "event_id": "01980000-0000-7000-8000-0000000000e2",
    "occurred_at": "2026-01-31T07:30:00.000Z",
    "content": _CONTENT,
}
EVENT_EXAMPLE: Final[dict[str, Any]] = {
    "statement": _STATEMENT,
    "signature": _SIGNATURE,
    "content": _CONTENT,
    "content_encoding": "utf-8",
    "salt": "Y0ea1poJCyWCd+yPum+ZQZov+ySJgVEGV8lEzNEUjpc=",
}
BATCH_EXAMPLE: Final[dict[str, Any]] = {"events": [EVENT_EXAMPLE]}
SEARCH_EXAMPLE: Final[dict[str, Any]] = {"name": "vi nguyen", "birth_date": "1980", "limit": 20}
