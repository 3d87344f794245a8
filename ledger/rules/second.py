"""Judge a second person's signature over what an event decides."""

from ledger.profiles.facts import SecondFacts
from ledger.rules.context import RuleContext, refuse
from signing.errors import SigningError
from signing.keys import load_verifying_key
from signing.second import Purpose, verify_second
from signing.statement import Statement


def check_second(
    context: RuleContext,
    statement: Statement,
    second: SecondFacts,
    *,
    text: bytes,
    purpose: Purpose,
) -> None:
    """Demand another person than the signer, a registrar, with a key that is valid here.

    Raises:
        CommandRefusedError: `second-not-valid` or `second-signature`; they concern the content.
    """
    key = context.directory.keys.get(second.key_id)
    if key is None or key.staff != second.signer or not key.is_valid_at(context.position):
        raise refuse("second-not-valid", "", "not a valid key of the second signer")
    if second.signer == statement.signer:
        raise refuse("second-not-valid", "", "the second signer is the first")
    if "registrar" not in context.directory.roles_of(second.signer):
        raise refuse("second-not-valid", "", "the second signer is no registrar")
    try:
        verifier = load_verifying_key(key.spki, key.alg)
        verify_second(second.container, text, verifier, purpose=purpose)
    except SigningError as error:
        raise refuse("second-signature", "", error.code) from None
