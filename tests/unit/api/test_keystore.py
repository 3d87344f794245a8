import stat
from pathlib import Path

import pytest

from api.keystore import KeyStore
from ledger.errors import EnvironmentRefusedError

STAFF = "01980000-0000-7000-8000-000000000001"


def test_a_key_is_made_once_and_found_again(tmp_path: Path) -> None:
    made = KeyStore(tmp_path / "keys").load_or_create(STAFF, "ES256")
    again = KeyStore(tmp_path / "keys").load_or_create(STAFF, "ES384")

    assert again.key_id == made.key_id
    assert again.alg == "ES256"


def test_key_files_are_for_their_owner_only_and_no_draft_is_left(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    store.load_or_create(STAFF, "EdDSA")

    assert [file.name for file in (tmp_path / "keys").iterdir()] == [f"{STAFF}.pem"]
    assert stat.S_IMODE(store.path(STAFF).stat().st_mode) == 0o600
    assert store.names() == (STAFF,)


def test_an_absent_key_is_none(tmp_path: Path) -> None:
    assert KeyStore(tmp_path).load(STAFF) is None


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.load_or_create(STAFF, "ES256")
    store.path(STAFF).chmod(0o640)

    with pytest.raises(EnvironmentRefusedError, match="chmod 600"):
        store.load(STAFF)


def test_a_file_that_is_no_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.path(STAFF).write_text("secret words")
    store.path(STAFF).chmod(0o600)

    with pytest.raises(EnvironmentRefusedError) as caught:
        store.load_or_create(STAFF, "ES256")
    assert "secret words" not in str(caught.value)


def test_a_key_that_cannot_be_read_is_an_environment_error(tmp_path: Path) -> None:
    KeyStore(tmp_path).path(STAFF).mkdir(mode=0o700)

    with pytest.raises(EnvironmentRefusedError, match="cannot read"):
        KeyStore(tmp_path).load(STAFF)


def test_a_folder_in_which_nothing_can_be_made_is_an_environment_error() -> None:
    with pytest.raises(EnvironmentRefusedError, match="cannot write"):
        KeyStore(Path("/proc/no/keys")).load_or_create(STAFF, "ES256")


def test_a_folder_that_cannot_be_made_is_an_environment_error(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file in the way")

    with pytest.raises(EnvironmentRefusedError):
        KeyStore(tmp_path / "keys").load_or_create(STAFF, "ES256")


def test_the_first_of_two_writers_wins(tmp_path: Path) -> None:
    class Racing(KeyStore):
        """Sees no key the first time, as if another process wrote one in between."""

        looked = False

        def load(self, name: str):  # noqa: ANN202 - as the overridden one
            if not self.looked:
                self.looked = True
                return None
            return super().load(name)

    first = KeyStore(tmp_path).load_or_create(STAFF, "ES256")

    assert Racing(tmp_path).load_or_create(STAFF, "ES256").key_id == first.key_id
    assert len(list(tmp_path.iterdir())) == 1
