"""Judge the handing over of the checkpoint key: by the old key, or by two people."""

from ledger.checkpoint_keys import verifier_of
from ledger.profiles.facts import RotationFacts
from ledger.rules.context import RuleContext, refuse
from ledger.rules.second import check_second
from signing.errors import SigningError
from signing.handovers import Handover, read_handover
from signing.keys import key_id_of
from signing.statement import Statement


def check_rotation(context: RuleContext, statement: Statement, facts: RotationFacts) -> None:
    """Demand a key that was never used, handed over by the old key or by a second registrar.

    Raises:
        CommandRefusedError: `checkpoint-key-used`, `checkpoint-key`, `handover-signature`,
            `second-missing`, `second-not-valid` or `second-signature`; they concern the content.
    """
    _check_new(context, facts)
    handover = read_handover(facts.handover, facts.checkpoint_key)
    handed_over = _is_handed_over(context, handover)
    if facts.second is not None:
        text = handover.text.encode()
        check_second(context, statement, facts.second, text=text, purpose="handover")
    elif not handed_over:
        raise refuse("second-missing", "", "without the old key a second registrar must sign")


def _check_new(context: RuleContext, facts: RotationFacts) -> None:
    new = verifier_of(facts.checkpoint_key).vkey
    known = [verifier_of(key.vkey).vkey for key in context.directory.checkpoint_keys]
    # The short ids of notes must tell the keys apart, too.
    if any(new.key_hash == vkey.key_hash for vkey in known):
        raise refuse("checkpoint-key-used", "", "a checkpoint key never returns")
    if key_id_of(facts.checkpoint_spki) in context.directory.keys:
        raise refuse("checkpoint-key", "", "a key of staff signs no checkpoints")


def _is_handed_over(context: RuleContext, handover: Handover) -> bool:
    """Tell whether the key in force signed; refuse a line by any other key."""
    try:
        handed_over = handover.is_signed_by(verifier_of(context.directory.checkpoint_key))
    except SigningError:
        raise refuse("handover-signature", "", "not by the key in force") from None
    if handover.other is not None and not handed_over:
        raise refuse("handover-signature", "", "signed by a key that is not in force")
    return handed_over
