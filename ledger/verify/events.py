"""Judge events by the ledger's own rules, each as the ledger stood before it.

The directory and the streams' states are derived again from the very events that are judged;
nothing is taken from a table that could have been changed.
"""

from collections.abc import Callable

from ledger.decide import RuleContext, decide, streams_needed
from ledger.errors import CommandRefusedError, RejectedError
from ledger.evolve import evolve
from ledger.facts import AnyFacts, EnrolledKey, FoundingFacts, HeadsFacts, SetAsideFacts
from ledger.heads import MAX_LAG
from ledger.set_aside import SetAside
from ledger.state import DirectoryState, KeyState, StreamState
from ledger.verify.in_the_open import decide_in_the_open
from ledger.verify.reading import DIRECTORY_KINDS, ReadEvent, code_of
from ledger.verify.report import Findings
from ledger.verify.set_aside import SetAsideChecker
from ledger.verify.tree import LedgerTree
from signing.statement import Statement

HeadsAt = Callable[[int], tuple[int, str]]
"""Derives how many streams there were at a size of the ledger, and the root over their heads."""

Patients = Callable[[str, int], bool]
"""Tells whether a stream was a patient's before a position."""


def no_heads(size: int) -> tuple[int, str]:
    """Stand for heads that nobody will ask for."""
    raise LookupError(f"the heads of {size} entries are not at hand")


class EventJudge:
    """Judges events one after the other; what it learns from them are the next ones' grounds.

    Attributes:
        directory: as the events so far have made it.
        streams: states of the streams so far.
        set_aside: what was set aside, which events must record.
    """

    def __init__(
        self,
        findings: Findings,
        *,
        whole: bool = True,
        tree: LedgerTree | None = None,
        heads_at: HeadsAt = no_heads,
        patients: Patients | None = None,
    ) -> None:
        """Prepare.

        Args:
            findings: where to report.
            whole: whether all events of the streams will be given, sealed ones too.
            tree: the entries, the event that is judged among them; needed for the directory.
            heads_at: asked for sizes up to `MAX_LAG` entries before the event that is judged.
            patients: tells of streams that are not given whether they were a patient's before a
                position.
        """
        self.directory = DirectoryState.empty()
        self.streams: dict[str, StreamState] = {}
        self.set_aside = SetAsideChecker(findings)
        self._tree = tree
        self._patients = patients
        self._findings = findings
        self._whole = whole
        self._heads_at = heads_at

    def key_of(
        self, statement: Statement, facts: AnyFacts | None, _position: int
    ) -> KeyState | EnrolledKey | None:
        """Find the key that a statement names in the directory as it is, or in the founding."""
        key = self.directory.key_for(statement.key_id)
        if key is None and isinstance(facts, FoundingFacts) and not self.directory.origin:
            first = facts.registrars[0]
            if (first.key_id, first.staff) == (statement.key_id, statement.signer):
                return first
        return key

    def judge(self, event: ReadEvent) -> bool:
        """Check one event and take it into the state that the following ones are judged on.

        (8), (10) The rules accept the event, and the key at this position.

        Returns:
            Whether it was taken in.
        """
        facts = event.facts
        if facts is None:
            return False
        if isinstance(facts, HeadsFacts):
            self._check_heads(event, facts)
        context = self._context(event, facts)
        sound = self._check_rules(context, event, facts) and event.sound
        # A refused event of a patient or record is taken in where possible, so that those after it
        # are not all refused as well. Not so in the directory: a key that was wrongly enrolled must
        # not make what it signs look right. The founding event is all there is to begin with.
        founding = isinstance(facts, FoundingFacts) and not self.directory.origin
        if not (sound or founding) and event.statement.stream_kind in DIRECTORY_KINDS:
            return False
        self._evolve(context, event, facts, sound=sound)
        return True

    def apply(self, event: ReadEvent) -> None:
        """Take in an event that was judged before and found sound."""
        if event.facts is not None:
            context = self._context(event, event.facts)
            self._evolve(context, event, event.facts, sound=False)

    def _check_heads(self, event: ReadEvent, facts: HeadsFacts) -> None:
        if not 0 <= (event.place.position or 0) - facts.size <= MAX_LAG:
            return  # the rules refuse it, and what was then is not remembered
        if self._heads_at(facts.size) != (facts.streams, facts.root):
            self._findings.add(
                "heads-mismatch",
                event.place,
                f"the newest entries of the streams at {facts.size} entries were others",
            )

    def _context(self, event: ReadEvent, facts: AnyFacts) -> RuleContext:
        statement = event.statement
        position = event.place.position or 0
        names = (statement.stream, *streams_needed(statement, facts))
        return RuleContext(
            directory=self.directory,
            streams={name: self._stream(name, position) for name in names},
            position=position,
            set_aside=self._set_aside_at(position) if isinstance(facts, SetAsideFacts) else None,
        )

    def _set_aside_at(self, position: int) -> SetAside | None:
        return None if self._tree is None else self.set_aside.at(position, self._tree)

    def _stream(self, name: str, position: int) -> StreamState:
        found = self.streams.get(name)
        if found is None:
            found = StreamState.empty(name)
            if self._patients is not None and self._patients(name, position):
                found.kind = "patient"
        return found

    def _check_rules(self, context: RuleContext, event: ReadEvent, facts: AnyFacts) -> bool:
        statement = event.statement
        try:
            if self._whole or isinstance(facts, FoundingFacts):
                decide(context, statement, facts)
            else:
                decide_in_the_open(context, statement, facts)
        except CommandRefusedError as error:
            detail = f"{error.code} {error.pointer}".strip()
            self._findings.add(code_of(error), event.place, detail)
            return False
        return True

    def _evolve(
        self, context: RuleContext, event: ReadEvent, facts: AnyFacts, *, sound: bool
    ) -> None:
        try:
            evolve(context, event.statement, facts, statement_digest=event.digest)
        except (RejectedError, LookupError):
            if sound:
                raise
        stream = event.statement.stream
        self.streams[stream] = context.streams[stream]
