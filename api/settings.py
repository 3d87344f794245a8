"""Read the settings: environment variables with defaults, one frozen value, read once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from typing_extensions import override

from ledger.database import Database
from ledger.embedded import EmbeddedPostgres

HOME_VARIABLE: Final = "CLINLEDGER_HOME"
DATABASE_URL_VARIABLE: Final = "CLINLEDGER_DATABASE_URL"
SCHEMA_VARIABLE: Final = "CLINLEDGER_SCHEMA"

DEFAULT_HOME: Final = ".clinledger"
DEFAULT_SCHEMA: Final = "ledger"
DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8080


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a ledger lives.

    Attributes:
        home: CLINLEDGER_HOME, absolute: key files, `server.json`, the embedded server.
        database_url: libpq URL or keyword string; None for the embedded server. It may hold a
            password, so it is never shown.
        schema: which facility.
    """

    home: Path
    database_url: str | None
    schema: str

    @override
    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r}, schema={self.schema!r})"

    @property
    def keys(self) -> Path:
        """The folder of key files."""
        return self.home / "keys"

    @property
    def facility_key(self) -> Path:
        """The file of the facility key, which wraps the stream keys."""
        return self.keys / "facility.key"

    @property
    def server_file(self) -> Path:
        """Where a running server says how to reach it."""
        return self.home / "server.json"

    @property
    def checkpoint_state(self) -> Path:
        """The signer's own last checkpoint: outside the database, and not to be set back."""
        return self.home / "checkpoint" / f"{self.schema}.state"

    @property
    def checkpoint_status(self) -> Path:
        """Where the checkpoint process says how it fares."""
        return self.home / "checkpoint" / f"{self.schema}.status"

    @property
    def pending_rotation(self) -> Path:
        """A signed rotation of the checkpoint key that is being appended."""
        return self.home / "checkpoint" / f"{self.schema}.rotation"

    @property
    def witness_policy(self) -> Path:
        """The policy that names the witnesses to ask (c2sp.org/tlog-policy), if it is there."""
        return self.home / "witnesses.policy"

    def environment(self) -> dict[str, str]:
        """Return the variables that give a child process these same settings."""
        variables = {HOME_VARIABLE: str(self.home), SCHEMA_VARIABLE: self.schema}
        if self.database_url is not None:
            variables[DATABASE_URL_VARIABLE] = self.database_url
        return variables

    def open_database(self) -> Database:
        """Return the ledger's database, starting the embedded server when no URL is given.

        Raises:
            EnvironmentRefusedError: a bad schema name, or the embedded server cannot be had.
            UnavailableError: the embedded server does not become ready.
        """
        url = self.database_url or EmbeddedPostgres(self.home).start()
        return Database(url, self.schema)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; an empty one counts as absent."""
    return Settings(
        home=Path(environ.get(HOME_VARIABLE) or DEFAULT_HOME).expanduser().absolute(),
        database_url=environ.get(DATABASE_URL_VARIABLE) or None,
        schema=environ.get(SCHEMA_VARIABLE) or DEFAULT_SCHEMA,
    )
