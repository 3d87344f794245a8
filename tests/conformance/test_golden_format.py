"""Our code makes and reads the bytes of the golden vectors, which a second implementation made."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from msgspec import UNSET

from ledger.content import check_content, content_digest
from ledger.draft import Draft, build_statement
from ledger.entry import Entry, decode_entry, encode_entry, link_hash
from ledger.merkle import (
    CompactRange,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from ledger.rows import Receipt
from ledger.sealing import (
    Frame,
    associated_data,
    decode_frame,
    encode_frame,
    open_body,
    plain_body,
    seal,
)
from ledger.verify.sample import draw
from signing.container import parse_container, sign_container, signing_input, verify_container
from signing.errors import SigningError
from signing.handovers import read_handover, sign_handover
from signing.keys import SoftKey, load_verifying_key
from signing.notes import Ed25519Signer
from signing.possession import build_possession, verify_possession
from signing.second import sign_second, verify_second
from signing.statement import (
    encode_statement,
    parse_statement,
    parse_time_ms,
    statement_digest,
)
from signing.tokens import peek_key_id, verify_token
from signing.verified import VerifiedUpTo, sign_verified, verify_verified
from tests.counting_source import CountingSource
from tests.vectors import generate

GOLDEN: dict[str, Any] = json.loads(generate.GOLDEN.read_text(encoding="utf-8"))
EVENTS: list[dict[str, Any]] = GOLDEN["events"]
each_event = pytest.mark.parametrize("event", EVENTS, ids=[event["name"] for event in EVENTS])


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def soft_key(alg: str) -> SoftKey:
    return _private_key(GOLDEN["keys"][alg]["private_pkcs8"])


def _private_key(pkcs8: str) -> SoftKey:
    private = load_der_private_key(b64(pkcs8), None)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return SoftKey.from_pem(pem, None)


def frame_of(event: dict[str, Any]) -> Frame:
    return Frame(
        statement=event["statement"].encode(),
        container=event["container"].encode(),
        salt=b64(event["salt"]),
        content=event["content"].encode(),
    )


def test_the_golden_file_is_what_its_generator_makes() -> None:
    assert generate.GOLDEN.read_text(encoding="utf-8") == generate.build()
    assert generate.REFUSED.read_text(encoding="utf-8") == generate.build_refused()


@pytest.mark.parametrize(
    ("kind", "parse"), [("statement", parse_statement), ("container", parse_container)]
)
def test_spoiled_forms_are_refused_with_the_expected_code(
    kind: str, parse: Callable[[bytes], object]
) -> None:
    refused = json.loads(generate.REFUSED.read_text(encoding="utf-8"))[kind]
    codes: dict[str, str] = {}
    for case in refused:
        with pytest.raises(SigningError) as caught:
            parse(b64(case["bytes"]))
        codes[case["mutation"]] = caught.value.code
    assert codes == {case["mutation"]: case["code"] for case in refused}
    assert len(codes) == len(refused)


@pytest.mark.parametrize("alg", GOLDEN["keys"])
def test_golden_keys_are_loaded_under_their_key_ids(alg: str) -> None:
    spki = b64(GOLDEN["keys"][alg]["spki"])
    assert load_verifying_key(spki, alg).key_id == GOLDEN["keys"][alg]["key_id"]
    assert soft_key(alg).spki == spki


@each_event
def test_golden_statements_are_parsed_and_built(event: dict[str, Any]) -> None:
    data = event["statement"].encode()
    statement = parse_statement(data)
    assert encode_statement(statement) == data
    assert statement_digest(data).hex() == event["statement_digest"]
    draft = Draft(
        stream=event["stream"],
        stream_kind=statement.stream_kind,
        event_id=event["event_id"],
        type=statement.type,
        occurred_at_ms=event["received_at_ms"] - 60_000,
        media_type=statement.content.media_type,
        content=event["content"].encode(),
        refs=() if statement.refs is UNSET else statement.refs,
    )
    built = build_statement(
        draft,
        origin=GOLDEN["origin"],
        signer_staff=statement.signer,
        key=(statement.key_id, statement.alg),
        seen=None if statement.seen is UNSET else statement.seen,
        salt=b64(event["salt"]),
        signed_at_ms=event["received_at_ms"] - 500,
    )
    assert built == data


@each_event
def test_golden_containers_are_checked_and_made(event: dict[str, Any]) -> None:
    data, container = event["statement"].encode(), event["container"].encode()
    statement = parse_statement(data)
    key = load_verifying_key(b64(GOLDEN["keys"][statement.alg]["spki"]), statement.alg)
    verify_container(container, data, key)
    if statement.alg in {"ES256", "ES384", "EdDSA"}:  # PSS is random, RS256 never made by us
        assert sign_container(soft_key(statement.alg), data) == container
    assert signing_input(statement.alg, data).endswith(b"." + data)
    assert parse_container(container).alg == statement.alg


@each_event
def test_golden_contents_have_their_digests(event: dict[str, Any]) -> None:
    salt, content = b64(event["salt"]), event["content"].encode()
    assert content_digest(salt, content).hex() == event["content_digest"]
    claim = parse_statement(event["statement"].encode()).content
    check_content(claim, salt=salt, content=content)


@each_event
def test_golden_entries_links_and_leaves_are_made_and_read(event: dict[str, Any]) -> None:
    salt, previous = bytes.fromhex(event["link_salt"]), bytes.fromhex(event["previous"])
    link = link_hash(salt, event["version"], previous)
    assert link.hex() == event["link"]
    entry = Entry(
        received_at_ms=event["received_at_ms"],
        link=link,
        statement_digest=bytes.fromhex(event["statement_digest"]),
        container_digest=bytes.fromhex(event["container_digest"]),
    )
    assert encode_entry(entry) == b64(event["entry"])
    assert decode_entry(b64(event["entry"])) == entry
    assert leaf_hash(b64(event["entry"])).hex() == event["leaf_hash"]


def test_golden_streams_are_chained_through_their_leaves() -> None:
    newest: dict[str, str] = {}
    for event in EVENTS:
        assert event["previous"] == newest.get(event["stream"], "00" * 32)
        newest[event["stream"]] = event["leaf_hash"]


def test_golden_heads_are_the_roots_of_the_golden_leaves() -> None:
    tree = CompactRange()
    for event in EVENTS:
        seen = parse_statement(event["statement"].encode()).seen
        if event["position"] == 0:
            assert seen is UNSET
        else:
            assert seen is not UNSET
            assert (seen.size, seen.root) == (tree.size, tree.root().hex())
        tree.append(bytes.fromhex(event["leaf_hash"]))
        assert tree.root().hex() == event["root_after"]


@each_event
def test_golden_frames_are_sealed_and_opened(event: dict[str, Any]) -> None:
    frame, body = frame_of(event), b64(event["body"])
    assert encode_frame(frame) == b64(event["frame"])
    assert decode_frame(b64(event["frame"])) == frame
    aad = associated_data(GOLDEN["origin"], event["stream"], event["event_id"])
    if "stream_key" not in event:
        assert plain_body(b64(event["frame"])) == body
        assert open_body(body, key=None, aad=aad) == frame
        return
    assert aad == b64(event["aad"])
    key, nonce = b64(event["stream_key"]), b64(event["nonce"])
    assert seal(b64(event["frame"]), key=key, nonce=nonce, aad=aad) == body
    assert open_body(body, key=key, aad=aad) == frame


def test_the_golden_receipt_is_made() -> None:
    event, receipt = EVENTS[4], GOLDEN["receipt"]
    made = Receipt(
        event_id=event["event_id"],
        stream=event["stream"],
        position=event["position"],
        version=event["version"],
        received_at_ms=parse_time_ms(receipt["received_at"]),
        entry=b64(event["entry"]),
        previous=bytes.fromhex(event["previous"]),
        link_salt=bytes.fromhex(event["link_salt"]),
        leaf_hash=bytes.fromhex(event["leaf_hash"]),
        head_size=receipt["head"]["size"],
        head_peaks=(bytes.fromhex(event["root_after"]),),
    )
    assert made.as_json() == receipt


def test_the_golden_possession_proof_is_made_and_checked() -> None:
    golden = GOLDEN["possession"]
    key = load_verifying_key(b64(GOLDEN["keys"]["ES256"]["spki"]), "ES256")
    proof = golden["proof"].encode()
    nonce = verify_possession(proof, key, origin=GOLDEN["origin"], staff=golden["staff"])
    assert nonce == golden["nonce"]
    made = build_possession(
        soft_key("ES256"), origin=GOLDEN["origin"], staff=golden["staff"], nonce=nonce
    )
    assert made == proof


def test_the_golden_handover_of_the_checkpoint_key_is_made_and_checked() -> None:
    golden, origin = GOLDEN["handover"], GOLDEN["origin"]
    old = Ed25519Signer(origin, soft_key("EdDSA"))
    new = Ed25519Signer(origin, _private_key(golden["private_pkcs8"]))
    assert (str(old.verifier.vkey), str(new.verifier.vkey)) == (golden["old_vkey"], golden["vkey"])
    note = golden["note"].encode()
    assert sign_handover(new, old) == note
    handover = read_handover(note, golden["vkey"])
    assert handover.text == golden["text"]
    assert handover.is_signed_by(old.verifier)


def test_the_golden_second_signature_is_checked() -> None:
    golden = GOLDEN["handover"]
    key = load_verifying_key(b64(GOLDEN["keys"]["ES256"]["spki"]), "ES256")
    assert key.key_id == golden["second_key_id"]
    text = golden["text"].encode()
    verify_second(golden["second"].encode(), text, key, purpose="handover")
    made = sign_second(soft_key("ES256"), purpose="handover", text=text)
    verify_second(made, text, key, purpose="handover")


def test_the_golden_token_is_checked() -> None:
    golden = GOLDEN["token"]
    key = load_verifying_key(b64(GOLDEN["keys"]["ES256"]["spki"]), "ES256")
    assert peek_key_id(golden["token"]) == key.key_id
    claims = verify_token(
        golden["token"], key, audience=GOLDEN["origin"], now_seconds=golden["issued_at"]
    )
    assert (claims.staff, claims.expires_at) == (golden["staff"], golden["expires_at"])


def test_the_golden_note_of_a_verification_is_made_and_checked() -> None:
    golden = GOLDEN["verified"]
    signer = Ed25519Signer("so-y-te.example/auditor", soft_key("EdDSA"))
    assert str(signer.verifier.vkey) == golden["vkey"]
    said, by = verify_verified(golden["note"].encode(), [signer.verifier])
    assert by is signer.verifier
    assert said == VerifiedUpTo(
        origin=GOLDEN["origin"],
        size=len(EVENTS),
        root=bytes.fromhex(EVENTS[-1]["root_after"]),
        start=0,
        signatures=True,
        rules=True,
        contents=False,
        at_ms=parse_time_ms("2026-11-22T06:40:00.000Z"),
    )
    assert sign_verified(said, signer).decode() == golden["note"]


def test_the_golden_sample_is_drawn() -> None:
    golden = GOLDEN["verified"]
    sampled = golden["sampled"]
    drawn = draw(bytes.fromhex(golden["seed"]), sampled["count"], sampled["size"])
    assert sorted(drawn) == sampled["positions"]


def test_the_golden_tree_has_its_roots_and_proofs() -> None:
    golden = GOLDEN["tree"]
    leaves = [leaf_hash(index.to_bytes(8)) for index in range(1000)]
    source = CountingSource(leaves)
    roots = {size: root_at(source, size) for size in range(1001)}
    for size, root in golden["roots"].items():
        assert roots[int(size)].hex() == root
    for case in golden["inclusion"]:
        index: int = case["index"]
        size: int = case["size"]
        steps = [bytes.fromhex(step) for step in case["proof"]]
        assert inclusion_proof(source, index, size) == steps
        verify_inclusion(index, size, leaf=leaves[index], proof=steps, root=roots[size])
    for case in golden["consistency"]:
        old, new = case["old"], case["new"]
        steps = [bytes.fromhex(step) for step in case["proof"]]
        assert consistency_proof(source, old, new) == steps
        verify_consistency(old, new, old_root=roots[old], new_root=roots[new], proof=steps)
