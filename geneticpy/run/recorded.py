"""What a journal holds, read without changing it and while another process writes it."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from geneticpy.errors import JournalError
from geneticpy.jsonable import loads
from geneticpy.run.journal_file import (
    APPLICATION,
    BLOCK,
    FORMAT,
    INFINITE,
    MAGIC,
    RUN,
    checksum,
    connect,
    explained,
    is_empty,
)

READABLE = "must be readable"
UNDAMAGED = "must be undamaged"
JSON = ("settings", "space", "loss", "versions", "budget")
NUMBERS = {text: number for number, text in INFINITE.items()} | {None: math.nan}


class Row(NamedTuple):
    """One evaluation of a journal.

    Attributes
    ----------
    id, generation : int
    loss : float
        In the user's sign; NaN if it failed.
    seconds : float
    params : plain data
        What JSON kept of the parameters.
    error : str or None
        Why it failed.
    worker : str
        Host, process and thread in which it was made.
    details : plain data
        What else came of it: None, but for the searches of `geneticpy.learn`.
    """

    id: int
    generation: int
    loss: float
    seconds: float
    params: Any
    error: str | None
    worker: str
    details: Any = None


class Block(NamedTuple):
    """Evaluations that were written at once.

    Attributes
    ----------
    rows : list of n Row
    genes : bytes
        Of (n, d) doubles.
    asks : list of (int, int)
        How many candidates were asked for, and how many evaluations had been told before; those
        since the block before. Always in the steady state, otherwise for less than a batch.
    """

    rows: list[Row]
    genes: bytes
    asks: list[tuple[int, int]]


@dataclass(frozen=True)
class RecordedRun(Iterable[Block]):
    """One run of a journal; iterating gives its blocks.

    Attributes
    ----------
    kind : {"fresh", "warm", "continued"}
        Whether it began with nothing, with the points of the runs before it, or in their place.
    created : str
        UTC, in ISO 8601.
    settings : dict
        Arguments of `optimize` that the run depends on, and the state of the seed.
    space : plain data
        See `geneticpy.space.described.describe`.
    fingerprint : str
        Of the space.
    loss : plain data
        What ``fn.recipe()`` gave, or the name of the function.
    versions : dict
    budget : dict
        `generation_count` and `max_evaluations`, larger than in `settings` if it was extended.
    writer : str
        Host and process of the latest writer.
    ended : str or None
        Why it ended; None while it goes on, or if it was killed.
    evaluations : int
    """

    path: str
    number: int
    blocks: tuple[int, ...]
    evaluations: int
    kind: str
    created: str
    settings: dict[str, Any]
    space: Any
    fingerprint: str
    loss: Any
    versions: dict[str, Any]
    budget: dict[str, Any]
    writer: str
    ended: str | None

    def __iter__(self) -> Iterator[Block]:
        with _opened(self.path) as connection:
            for number in self.blocks:
                found = connection.execute(
                    "SELECT rows, genes, asks FROM blocks WHERE block = ?", [number]
                ).fetchone()
                yield _block(*found)

    @property
    def rows(self) -> Iterator[Row]:
        """Evaluations in the order in which they were recorded."""
        for block in self:
            yield from block.rows


@dataclass(frozen=True)
class Recorded:
    """A journal.

    Attributes
    ----------
    path : str
    runs : list of RecordedRun
        The last one is the current one.
    """

    path: str
    runs: list[RecordedRun]


def read(path: str | os.PathLike[str]) -> Recorded:
    """Read a journal.

    Evaluations are read when they are asked for, of those that were there at this moment.

    Raises
    ------
    JournalError
        For a file that is missing, no journal, damaged or of a later format.
    """
    name = os.fspath(path)
    with explained(name, READABLE):
        _check_is_database(name)
    with _opened(name) as connection:
        connection.execute("BEGIN")  # one state of the file for all that follows
        if is_empty(connection):
            raise JournalError(f"journal {name!r}: must hold a run, got an empty database.")
        _check_format(name, connection)
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise JournalError(f"journal {name!r}: {UNDAMAGED}, got {found!r}.")
        return Recorded(name, _runs(name, connection, _checked_blocks(name, connection)))


def exists(path: str) -> bool:
    """Whether there is a journal to continue, rather than nothing or an empty file.

    Raises
    ------
    JournalError
        For a file that is no journal.
    """
    with explained(path, READABLE):
        if not os.path.exists(path) or (os.path.isfile(path) and not os.path.getsize(path)):
            return False
        _check_is_database(path)
    with _opened(path) as connection:
        return not is_empty(connection)


def _check_is_database(path: str) -> None:
    with open(path, "rb") as file:
        start = file.read(len(MAGIC))
    if start != MAGIC:
        raise JournalError(f"journal {path!r}: must be a journal of geneticpy, got {start!r}....")


@contextlib.contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    with explained(path, READABLE), contextlib.closing(_connect(path)) as connection:
        yield connection


def _connect(path: str) -> sqlite3.Connection:
    """Open for reading; a change that a kill has cut in two is undone first, as SQLite does."""
    connection = connect(path, "ro")
    try:
        is_empty(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if "readonly" not in str(error):
            raise
        return connect(path, "rw")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_format(path: str, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION:
        raise JournalError(
            f"journal {path!r}: must be a journal of geneticpy, got another database "
            f"(application_id {application})."
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT:
        raise JournalError(
            f"journal {path!r}: must have format {FORMAT}, got {version}, of another geneticpy."
        )


def _checked_blocks(path: str, connection: sqlite3.Connection) -> dict[int, list[tuple[int, int]]]:
    """Numbers and sizes of the blocks of each run."""
    blocks: dict[int, list[tuple[int, int]]] = {}
    for values in _checked_rows(path, connection, "blocks", BLOCK):
        number, run, evaluations, *_ = values
        blocks.setdefault(run, []).append((number, evaluations))
    return blocks


def _runs(
    path: str, connection: sqlite3.Connection, blocks: dict[int, list[tuple[int, int]]]
) -> list[RecordedRun]:
    runs: list[RecordedRun] = []
    for values in _checked_rows(path, connection, "runs", RUN):
        columns = dict(zip(RUN, values, strict=True))
        mine = blocks.get(columns.pop("run"), [])
        columns |= {name: loads(columns[name]) for name in JSON}
        numbers = tuple(number for number, _ in mine)
        made = sum(evaluations for _, evaluations in mine)
        runs.append(RecordedRun(path, len(runs) + 1, numbers, made, **columns))
    if not runs:
        raise JournalError(f"journal {path!r}: must hold a run, got none.")
    return runs


def _checked_rows(
    path: str, connection: sqlite3.Connection, table: str, columns: tuple[str, ...]
) -> Iterator[list[Any]]:
    """Rows of a table that are numbered from 1 and have their checksums."""
    query = f"SELECT {', '.join(columns)}, crc FROM {table} ORDER BY {columns[0]}"
    for number, (*values, crc) in enumerate(connection.execute(query), start=1):
        if values[0] != number or crc != checksum(*values):
            raise JournalError(
                f"journal {path!r}: {UNDAMAGED}, got other values than were written in row "
                f"{number} of {table}."
            )
        yield values


def _block(rows: str, genes: bytes, asks: str) -> Block:
    found = [
        Row(id, generation, _float(loss), _float(seconds), *others)
        for id, generation, loss, seconds, *others in loads(rows)
    ]
    return Block(found, genes, [(n, told) for n, told in loads(asks)])


def _float(value: Any) -> float:
    """Make a float of what JSON keeps of one."""
    return NUMBERS[value] if value is None or isinstance(value, str) else float(value)
