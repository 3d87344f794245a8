"""Many signatures are checked as each is alone, wherever a bad one lies among good ones."""

import pytest

from ledger.verify.signatures import Fault, Signature, fault_of, faults_of
from tests.signed import public_key, signed_event, soft_key, statement_bytes

_UNKNOWN = Fault("key-not-valid", "the key was not enrolled at this position")


def _good(alg: str) -> Signature:
    event = signed_event(alg)
    return Signature(event.container, event.statement, public_key(alg).spki, alg)


def _bad() -> dict[str, Signature]:
    good = _good("ES256")
    return {
        "signature-invalid": good._replace(statement=good.statement[:-1] + b" }"),
        "signature-algorithm": good._replace(spki=soft_key("EdDSA").spki, alg="EdDSA"),
        "signature-key": good._replace(statement=statement_bytes()),
        "container-malformed": good._replace(container=b"{}"),
        "the enrolled key is not a usable key": good._replace(spki=b"no key"),
    }


@pytest.mark.parametrize("detail", _bad())
def test_a_bad_signature_is_found_alone_and_among_good_ones(detail: str) -> None:
    bad = _bad()[detail]
    fault = fault_of(bad)
    assert fault is not None
    assert fault.detail == detail
    good = [_good("ES256"), _good("EdDSA")]
    assert faults_of([*good, bad, *good]) == [None, None, fault, None, None]


def test_what_is_not_to_be_checked_keeps_its_place() -> None:
    good = _good("ES256")
    assert faults_of([None, good, _UNKNOWN, good, None]) == [None, None, _UNKNOWN, None, None]
