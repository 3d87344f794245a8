"""Files are there whole or not at all; what is there is replaced only where that is asked for."""

from pathlib import Path

import pytest

from ledger.durable import create_file, replace_file, sync


def test_a_created_file_is_private_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert create_file(path, b"first")
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_is_never_created_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"theirs")
    assert not create_file(path, b"ours")
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replaced_file_is_private_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for data in (b"a longer one", b"", b"short"):
        replace_file(path, data)
        assert path.read_bytes() == data
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_aside_does_not_stand_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "state"
    replace_file(path, b"x")
    for leftover in tmp_path.glob(".*"):
        pytest.fail(f"left behind: {leftover}")
    half = tmp_path / ".state.1.new"
    half.write_bytes(b"half")
    replace_file(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_where_it_cannot_be_written_the_earlier_one_stays(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "inside").write_bytes(b"x")
    with pytest.raises(OSError, match="directory"):
        replace_file(folder, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    with pytest.raises(FileNotFoundError):
        create_file(tmp_path / "no such folder" / "key", b"x")


def test_files_and_folders_can_be_brought_to_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    sync(path)
    sync(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "nothing")
