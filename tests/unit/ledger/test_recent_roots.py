"""The roots that the sequencer remembers."""

from ledger.recent_roots import RecentRoots


def test_nothing_is_forgotten_before_it_is_told_to() -> None:
    """Else an author whose `seen` was known a moment ago would count as one who saw a fork."""
    roots = RecentRoots(capacity=3)
    roots.update({5: b"five", 6: b"six", 7: b"seven"})
    assert roots.missing([2, 5, 3, 2, 9], up_to=8) == [2, 3]
    roots.update({2: b"two", 3: b"three"})
    assert [roots.get(size) for size in (2, 3, 5)] == [b"two", b"three", b"five"]


def test_trimming_drops_what_came_first() -> None:
    roots = RecentRoots(capacity=3)
    roots.trim()
    roots.update({5: b"five", 6: b"six", 7: b"seven", 2: b"two"})
    roots.trim()
    assert list(roots) == [6, 7, 2]
