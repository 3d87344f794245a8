"""Find the vectors that others made, which a clean clone may lack."""

from pathlib import Path

import pytest

SHARED_VECTORS = Path(__file__).parents[2] / "shared" / "vectors"


def shared_vectors(folder: str) -> Path:
    """Return a folder of the shared vectors, or skip the test with the reason."""
    path = SHARED_VECTORS / folder
    if not path.is_dir():
        pytest.skip(
            f"{path} is absent: these vectors are not part of the repository; "
            "tests/vectors holds our own"
        )
    return path
