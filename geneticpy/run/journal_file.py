"""The file of a journal: an SQLite database, described in docs/journal.md."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import urllib.parse
import zlib
from collections.abc import Iterator
from typing import Any

from geneticpy.errors import JournalError

MAGIC = b"SQLite format 3\0"
APPLICATION = 0x47507931  # "GPy1", where SQLite keeps whose file it is
FORMAT = 1
PATIENCE = 30.0  # seconds for which another program may lock the file

# `crc` is that of the other columns: SQLite does not notice a flipped bit.
SCHEMA = (
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
    """CREATE TABLE runs (
        run INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,         -- fresh, warm or continued
        created TEXT NOT NULL,      -- UTC, ISO 8601
        settings TEXT NOT NULL,     -- JSON: arguments of optimize, and the seed
        space TEXT NOT NULL,        -- JSON
        fingerprint TEXT NOT NULL,  -- of the space
        loss TEXT NOT NULL,         -- JSON
        versions TEXT NOT NULL,     -- JSON
        budget TEXT NOT NULL,       -- JSON: grows when the run is extended
        writer TEXT NOT NULL,       -- host and process of the latest
        ended TEXT,                 -- why; NULL while the run goes on, or was killed
        crc INTEGER NOT NULL)""",
    """CREATE TABLE blocks (         -- evaluations, as many as were written at once
        block INTEGER PRIMARY KEY,
        run INTEGER NOT NULL,
        evaluations INTEGER NOT NULL,
        rows TEXT NOT NULL,         -- JSON: see the view
        genes BLOB NOT NULL,        -- d little-endian doubles for each
        asks TEXT NOT NULL,         -- JSON: [asked for, told before], if not a whole batch
        crc INTEGER NOT NULL)""",
    """CREATE VIEW evaluations AS SELECT
        run,
        json_extract(value, '$[0]') AS id,
        json_extract(value, '$[1]') AS generation,
        json_extract(value, '$[2]') AS loss,
        json_extract(value, '$[3]') AS seconds,
        json_extract(value, '$[4]') AS params,
        json_extract(value, '$[5]') AS error,
        json_extract(value, '$[6]') AS worker,
        json_extract(value, '$[7]') AS details
        FROM blocks, json_each(rows)""",
)


RUN = (
    "run",
    "kind",
    "created",
    "settings",
    "space",
    "fingerprint",
    "loss",
    "versions",
    "budget",
    "writer",
    "ended",
)
BLOCK = ("block", "run", "evaluations", "rows", "genes", "asks")
INFINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}  # JSON has no such numbers


def connect(path: str, mode: str) -> sqlite3.Connection:
    """Open a database; `mode` is ro, rw or rwc. Any thread may use it, one at a time."""
    name = urllib.parse.quote(os.path.abspath(path))
    return sqlite3.connect(
        f"file:{name}?mode={mode}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether a database holds nothing at all."""
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def checksum(*values: Any) -> int:
    """CRC-32 of the values of a row."""
    crc = 0
    for value in values:
        crc = zlib.crc32(value if isinstance(value, bytes) else str(value).encode(), crc)
    return crc


@contextlib.contextmanager
def explained(path: str, rule: str) -> Iterator[None]:
    """Make errors of SQLite and of the system a JournalError that names the file and the rule."""
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeError) as error:  # Unicode: a damaged text
        raise JournalError(f"journal {path!r}: {rule}, got {error!r}.") from error
