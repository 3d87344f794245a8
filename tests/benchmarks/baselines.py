"""Measure what the machine can do without us, on the same server and with rows of the same size."""

# ruff: noqa: S603 - PostgreSQL's own programs and constants

import hashlib
import multiprocessing
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, LiteralString
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import conninfo

from tests.benchmarks.figures import Figures
from tests.benchmarks.site import Site, server_arguments
from tests.benchmarks.workload import CORES

_TABLES: Final = """
CREATE TABLE plain (id bigserial PRIMARY KEY, body bytea NOT NULL);
ALTER TABLE plain ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE copied (id bigserial PRIMARY KEY, body bytea NOT NULL);
ALTER TABLE copied ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE chained (id bigint PRIMARY KEY, body bytea NOT NULL, hash bytea NOT NULL);
ALTER TABLE chained ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE chain_head (one boolean PRIMARY KEY, id bigint, hash bytea) WITH (fillfactor = 10);
INSERT INTO chain_head VALUES (true, 0, '');
CREATE FUNCTION chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  head chain_head;
BEGIN
  SELECT * INTO head FROM chain_head FOR UPDATE;
  NEW.id := head.id + 1;
  NEW.hash := sha256(head.hash || NEW.body);
  UPDATE chain_head SET id = NEW.id, hash = NEW.hash;
  RETURN NEW;
END
$$;
CREATE TRIGGER chain BEFORE INSERT ON chained FOR EACH ROW EXECUTE FUNCTION chain();
"""
_INSERT: Final = "INSERT INTO {table} (body) VALUES (decode(repeat('5a', {size}), 'hex'));\n"
_RATE: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_BATCH: Final = 100


class Baselines:
    """The baselines of one site; each measurement takes about as long as it is told."""

    def __init__(self, site: Site, *, row_bytes: int, seconds: float) -> None:
        """Prepare tables for rows of this many bytes."""
        self._site = site
        self._size = row_bytes
        self._seconds = seconds
        self._scripts = {table: self._script(table) for table in ("plain", "chained")}
        with psycopg.connect(site.baseline_url, autocommit=True) as connection:
            connection.execute(_TABLES)
        self._datastore = _datastore(site.baseline_url)
        self._recorder = PostgresApplicationRecorder(self._datastore)
        self._recorder.create_table()

    def pgbench(self, figures: Figures, *, clients: int) -> None:
        """Measure single-row inserts by so many clients."""
        figures.add(f"pgbench insert, {clients} clients", self._pgbench("plain", clients))

    def measure(self, figures: Figures) -> None:
        """Measure the other ways to write and read the same rows."""
        figures.add("trigger hash chain, 64 clients", self._pgbench("chained", 64))
        figures.add("eventsourcing recorder, 8 threads", self._stock(threads=8, batch=1))
        figures.add("eventsourcing recorder, batches of 100", self._stock(threads=1, batch=_BATCH))
        rows = 5 * _BATCH * max(1, int(self._seconds))
        copied, read = self._copy(rows)
        figures.add("COPY in, 1000 rows each", copied)
        figures.add("binary read out", read)

    def close(self) -> None:
        """Close the stock recorder's connections."""
        self._datastore.close()

    def _script(self, table: str) -> Path:
        path = self._site.home / f"{table}.sql"
        path.write_text(_INSERT.format(table=table, size=self._size))
        return path

    def _pgbench(self, table: str, clients: int) -> float:
        threads = str(min(clients, CORES))
        command = [str(self._site.programs / "pgbench"), "-n", "-M", "prepared"]
        command += ["-f", str(self._scripts[table]), "-c", str(clients), "-j", threads]
        command += ["-T", str(max(1, round(self._seconds)))]
        database = str(conninfo.conninfo_to_dict(self._site.baseline_url)["dbname"])
        command += [*server_arguments(self._site.baseline_url), database]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        found = _RATE.search(done.stdout)
        assert found is not None, done.stdout
        return float(found[1])

    def _stock(self, *, threads: int, batch: int) -> float:
        counts = [0] * threads
        until = time.monotonic() + self._seconds

        def insert(number: int) -> None:
            state = os.urandom(self._size)
            while time.monotonic() < until:
                stream = UUID(bytes=os.urandom(16))
                events = [StoredEvent(stream, version, "note", state) for version in range(batch)]
                self._recorder.insert_events(events)
                counts[number] += batch

        started = time.monotonic()
        running = [threading.Thread(target=insert, args=(n,)) for n in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return sum(counts) / (time.monotonic() - started)

    def _copy(self, rows: int) -> tuple[float, float]:
        bodies = [os.urandom(self._size) for _ in range(1000)]
        with psycopg.connect(self._site.baseline_url, autocommit=True) as connection:
            connection.execute("TRUNCATE copied")
            started = time.monotonic()
            for _ in range(max(1, rows // 1000)):
                text: LiteralString = "COPY copied (body) FROM STDIN (FORMAT BINARY)"
                with connection.cursor() as cursor, cursor.copy(text) as copy:
                    copy.set_types(["bytea"])
                    for body in bodies:
                        copy.write_row((body,))
            written = time.monotonic()
            cursor = connection.execute("SELECT id, body FROM copied ORDER BY id", binary=True)
            count = len(cursor.fetchall())
            return count / (written - started), count / (time.monotonic() - written)


def _datastore(url: str) -> PostgresDatastore:
    parts = conninfo.conninfo_to_dict(url)
    return PostgresDatastore(
        dbname=str(parts["dbname"]),
        host=str(parts["host"]),
        port=str(parts["port"]),
        user=str(parts["user"]),
        password="",
        pool_size=8,
        max_overflow=8,
    )


def measure_library(
    figures: Figures, *, seconds: float, pool: ProcessPoolExecutor, when: str = ""
) -> None:
    """Measure the signature library with nothing of ours around it; `when` ends the names."""
    figures.add(f"ES256 verify, one core{when}", _verified_per_second(seconds))
    figures.add(
        f"ES256 verify, {CORES} processes{when}",
        sum(pool.map(_verified_per_second, [seconds] * CORES)),
    )
    if when:
        return
    figures.add("SHA-256 of 4 KB, one core", _hashed_per_second(seconds / 4))
    figures.add("AES-256-GCM open of 4 KB, one core", _opened_per_second(seconds / 4))


def new_pool(processes: int) -> ProcessPoolExecutor:
    """Return spawned processes that have been started."""
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    list(pool.map(_verified_per_second, [0.01] * processes))
    return pool


def _verified_per_second(seconds: float) -> float:
    key = ec.generate_private_key(ec.SECP256R1())
    message = os.urandom(1100)  # about a statement with its protected header
    algorithm = ec.ECDSA(hashes.SHA256())
    signature = key.sign(message, algorithm)
    public = key.public_key()
    return _calls_per_second(lambda: public.verify(signature, message, algorithm), seconds)


def _hashed_per_second(seconds: float) -> float:
    data = os.urandom(4096)
    return _calls_per_second(lambda: hashlib.sha256(data).digest(), seconds)


def _opened_per_second(seconds: float) -> float:
    key, nonce, data = os.urandom(32), os.urandom(12), os.urandom(4096)
    sealed = AESGCM(key).encrypt(nonce, data, b"")
    return _calls_per_second(lambda: AESGCM(key).decrypt(nonce, sealed, b""), seconds)


def _calls_per_second(call: Callable[[], object], seconds: float) -> float:
    count = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        for _ in range(100):
            call()
        count += 100
    return count / (time.perf_counter() - started)
