"""The memory that may be used is the machine's, or that of the tightest group of the process."""

import os
from pathlib import Path

import pytest

from ledger.machine_memory import memory_bytes

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
NO_LIMIT_OF_VERSION_1 = 0x7FFFFFFFFFFFF000


def measured(folder: Path, groups: str, limits: dict[str, str]) -> int:
    (folder / "cgroup").write_text(groups)
    for path, limit in limits.items():
        file = folder / "mounted" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")
    return memory_bytes(groups=folder / "cgroup", mounted=folder / "mounted")


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/\n", {}, MACHINE),
        ("0::/\n", {"memory.max": "max"}, MACHINE),
        ("0::/\n", {"memory.max": "4096"}, 4096),
        ("0::/a.slice/b.service\n", {"a.slice/b.service/memory.max": "4096"}, 4096),
        (
            "0::/a.slice/b.service\n",
            {"a.slice/b.service/memory.max": "8192", "a.slice/memory.max": "4096"},
            4096,
        ),
        ("9:cpu:/x\n4:memory:/x\n0::/\n", {"memory/x/memory.limit_in_bytes": "4096"}, 4096),
        (
            "4:memory:/unseen\n",
            {"memory/memory.limit_in_bytes": str(NO_LIMIT_OF_VERSION_1)},
            MACHINE,
        ),
        ("4:memory:/unseen\n", {"memory/memory.limit_in_bytes": "4096"}, 4096),
    ],
)
def test_the_tightest_limit_counts(
    tmp_path: Path, groups: str, limits: dict[str, str], expected: int
) -> None:
    assert measured(tmp_path, groups, limits) == expected


def test_without_groups_it_is_the_machine_s(tmp_path: Path) -> None:
    assert memory_bytes(groups=tmp_path / "none", mounted=tmp_path) == MACHINE
    assert 0 < memory_bytes() <= MACHINE
