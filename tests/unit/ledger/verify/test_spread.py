"""Of many checkpoints only some are drawn."""

from itertools import pairwise

import pytest

from ledger.verify.checkpoints import spread


@pytest.mark.parametrize("count", [0, 1, 200, 201, 399, 1000, 12_345])
def test_of_many_sizes_some_are_kept_evenly(count: int) -> None:
    kept = spread(iter(range(count)))
    assert min(count, 100) <= len(kept) <= 200
    assert kept[:1] == tuple(range(count))[:1]
    assert len({after - before for before, after in pairwise(kept)}) <= 1
