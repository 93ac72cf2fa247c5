"""Writes a run down while it goes on."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from geneticpy.errors import JournalError
from geneticpy.jsonable import dumps, text_of
from geneticpy.run.history import History
from geneticpy.run.journal_file import (
    INFINITE,
    RUN,
    SCHEMA,
    checksum,
    connect,
    explained,
    is_empty,
)

LONGEST_PAUSE = 0.5  # seconds between two writes of cheap evaluations
WORTH = 50.0  # durations of a write that pass before the next one, up to that
LARGEST_BLOCK = 1000  # evaluations
PAGE = 2**15  # bytes; 40 % faster than SQLite's 4096 where cheap evaluations are written together
WRITABLE = "must be writable"
COLUMNS = ("ids", "generation", "genes", "loss", "seconds")
BY_ID = ("errors", "workers", "details")


class Batch(Protocol):
    """What is being evaluated."""

    @property
    def ids(self) -> np.ndarray:
        """(n,) numbers of the evaluations."""

    @property
    def genes(self) -> np.ndarray:
        """(n, d) genes."""


class Ends(Protocol):
    """What came of it so far, by position; see `evaluation.loss.Outcomes`."""

    loss: np.ndarray
    seconds: np.ndarray
    workers: dict[int, str]

    @property
    def ended(self) -> np.ndarray:
        """Positions of the evaluations that have ended."""

    def reasons(self) -> dict[int, str]:
        """Why evaluations failed, by position."""


@dataclass
class Rows:
    """Evaluations to write: arrays of n, and what only some have, by id."""

    ids: np.ndarray
    generation: np.ndarray
    genes: np.ndarray
    loss: np.ndarray
    seconds: np.ndarray
    errors: dict[int, str]
    workers: dict[int, str]
    details: dict[int, Any]

    def take(self, rows: Any) -> Rows:
        """Those at the given positions."""
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

    def join(self, others: Rows) -> Rows:
        """Those and others."""
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in COLUMNS
        }
        joined |= {name: getattr(self, name) | getattr(others, name) for name in BY_ID}
        return Rows(**joined)


@dataclass(frozen=True)
class Saved:
    """How far the file has come.

    Attributes
    ----------
    blocks : int
        In the file.
    history : int
        Rows of the history that are in the file, or are not to be.
    ahead : (n,) array of int
        Ids beyond these that are in the file.
    asks : int
        How many are in the file.
    """

    blocks: int = 0
    history: int = 0
    ahead: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    asks: int = 0


class Journal:
    """The file of a run, open for writing by this process alone.

    Evaluations are written when they end; if they are so short that this would take a fiftieth of
    the time or more, some are written together, at least every half second.

    Parameters
    ----------
    path : str
        If there is no file, or an empty one, it becomes a journal with the first run. The file
        beside it, with ``-lock`` at the end of its name, keeps other writers out.
    writer : str
        Host and process.

    Raises
    ------
    JournalError
        If another run is writing it.
    """

    def __init__(self, path: str, writer: str):
        self.path, self._writer = path, writer
        self._files = contextlib.ExitStack()
        self._run: dict[str, Any] = {}
        self._saved = Saved()
        self._asks: list[tuple[int, int]] = []
        self._workers: dict[int, str] = {}
        self._details: dict[int, Any] = {}
        self._batch: tuple[Batch, Ends, int] | None = None
        self._due = 0.0
        self._works = False  # before it begins, and after an error
        with explained(path, "must be in a folder that is writable"):
            self._lock()

    def _lock(self) -> None:
        lock = self._files.enter_context(contextlib.closing(connect(f"{self.path}-lock", "rwc")))
        lock.execute("PRAGMA busy_timeout = 0")
        try:
            lock.execute("BEGIN EXCLUSIVE")  # the system ends it with the process
        except sqlite3.OperationalError as error:
            self.close()
            if "locked" not in str(error):
                raise
            raise JournalError(
                f"journal {self.path!r}: must be written by one run at a time, got another one "
                f"that is at work."
            ) from None

    def close(self) -> None:
        """Let go of the file."""
        self._works = False
        with explained(self.path, WRITABLE):
            self._files.close()

    def begin(self, history: History, params: Callable[[np.ndarray], list[Any]], run: Any) -> None:
        """Write the evaluations that come from now on.

        Parameters
        ----------
        history : History
            Those that it has already are not written.
        params : callable
            ``params(genes)`` gives plain data for JSON.
        run : dict of str to str, or int
            Columns of a new run, or the number of the one in the file that goes on.
        """
        self._history, self._params = history, params
        with explained(self.path, WRITABLE), self._breaking():
            self._open()
            with self._transaction() as execute:
                if is_empty(self._connection):
                    for statement in SCHEMA:
                        execute(statement)
                blocks = execute("SELECT count(*) FROM blocks").fetchone()[0]
                if isinstance(run, dict):
                    number = execute("SELECT count(*) FROM runs").fetchone()[0] + 1
                    self._run = {"run": number, **run}
                else:
                    query = f"SELECT {', '.join(RUN)} FROM runs WHERE run = ?"
                    found = execute(query, [run]).fetchone()
                    self._run = dict(zip(RUN, found, strict=True))
                self._put_run(execute, writer=self._writer, ended=None)
        self._saved = Saved(blocks, len(history), asks=len(self._asks))
        self._works = True

    def _open(self) -> None:
        if self._run:
            return
        opened = contextlib.closing(connect(self.path, "rwc"))
        self._connection = self._files.enter_context(opened)
        self._connection.execute(f"PRAGMA page_size = {PAGE}")  # of a new file
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def _put_run(self, execute: Callable[..., Any], **changed: Any) -> None:
        self._run |= changed
        values = [self._run[name] for name in RUN]
        marks = ", ".join("?" * (len(values) + 1))
        execute(f"INSERT OR REPLACE INTO runs VALUES ({marks})", [*values, checksum(*values)])

    def extend(self, budget: str) -> None:
        """Note that the run may make more evaluations."""
        with explained(self.path, WRITABLE), self._breaking(), self._transaction() as execute:
            self._put_run(execute, budget=budget)

    def skip(self, ids: np.ndarray) -> None:
        """Do not write evaluations that will come, since the file has them."""
        self._saved = replace(self._saved, ahead=np.sort(ids))

    def asked(self, n: int, told: int) -> None:
        """Remember that `n` candidates were asked for after so many evaluations were told."""
        self._asks.append((n, told))

    def detail(self, id: int, details: Any) -> None:
        """Write plain data with an evaluation that the history will have next."""
        self._details[id] = details

    def watch(self, batch: Batch, ends: Ends, generation: int) -> None:
        """Look after evaluations that are beginning."""
        self._batch = batch, ends, generation

    def heard(self, now: float) -> None:
        """Write what has ended if it is time to; called now and then during a batch."""
        if now >= self._due:
            self._write()

    def recorded(self) -> None:
        """Take note that what has ended of the batch is in the history."""
        if self._batch is not None:
            batch, ends, _ = self._batch
            self._workers |= {int(batch.ids[at]): name for at, name in ends.workers.items()}
            self._batch = None
        self.heard(perf_counter())

    def end(self, message: str) -> None:
        """Write what is left, and why the run ends."""
        self._write()
        if not self._works:
            return
        with explained(self.path, WRITABLE), self._breaking(), self._transaction() as execute:
            self._put_run(execute, ended=text_of(message))
        with contextlib.suppress(sqlite3.OperationalError):  # somebody is reading
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")  # one file is left

    def _write(self) -> None:
        """Write everything that has ended since the last time."""
        if not self._works:
            return
        before = perf_counter()
        rows, saved = self._unwritten()
        if len(rows.ids):
            with explained(self.path, WRITABLE), self._breaking(), self._transaction() as execute:
                for block in self._blocks(rows):
                    execute("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)", block)
            now = perf_counter()
            self._due = now + min(WORTH * (now - before), LONGEST_PAUSE)
        self._saved = saved  # Ctrl-C before this lets the same blocks be written again
        self._workers, self._details = {}, {}

    def _unwritten(self) -> tuple[Rows, Saved]:
        """Gather what is not in the file, and how far the file will come with it."""
        saved = self._saved
        past = self._of_history(saved.history)
        new = ~np.isin(past.ids, saved.ahead)
        ahead = saved.ahead[~np.isin(saved.ahead, past.ids)]
        rows = past.take(new)
        if self._batch is not None:
            now = self._of_batch(*self._batch)
            written = np.append(ahead, past.ids)  # Ctrl-C may come before `recorded`
            rows = rows.join(now.take(~np.isin(now.ids, written)))
            ahead = np.union1d(ahead, now.ids)
        blocks, asks = saved.blocks, saved.asks
        if len(rows.ids):
            blocks += math.ceil(len(rows.ids) / LARGEST_BLOCK)
            asks = len(self._asks)
        return rows, Saved(blocks, saved.history + len(past.ids), ahead, asks)

    def _of_history(self, start: int) -> Rows:
        history = self._history
        return Rows(
            history.id[start:],
            history.generation[start:],
            history.genes[start:],
            history.loss[start:],
            history.seconds[start:],
            history.errors_from(start),
            self._workers,
            self._details,
        )

    def _of_batch(self, batch: Batch, ends: Ends, generation: int) -> Rows:
        at = ends.ended
        ids = batch.ids
        return Rows(
            ids[at],
            np.full(len(at), generation),
            batch.genes[at],
            ends.loss[at],
            ends.seconds[at],
            {int(ids[i]): reason for i, reason in ends.reasons().items()},
            {int(ids[i]): worker for i, worker in ends.workers.items()},
            {},
        )

    def _blocks(self, rows: Rows) -> Iterator[list[Any]]:
        """Columns of the blocks to write."""
        asks = self._asks[self._saved.asks :]
        for number, start in enumerate(range(0, len(rows.ids), LARGEST_BLOCK), start=1):
            part = rows.take(slice(start, start + LARGEST_BLOCK))
            genes = np.ascontiguousarray(part.genes, "<f8").tobytes()
            values = [self._run["run"], len(part.ids), self._text(part), genes, dumps(asks)]
            block = [self._saved.blocks + number, *values]
            yield [*block, checksum(*block)]
            asks = []

    def _text(self, rows: Rows) -> str:
        """JSON of evaluations; the order of its columns is that of `recorded.Row`."""
        ids = rows.ids.tolist()
        columns = (
            ids,
            rows.generation.tolist(),
            _numbers(rows.loss),
            _numbers(rows.seconds),
            self._params(rows.genes),
            _texts(ids, rows.errors, None),
            _texts(ids, rows.workers, self._writer),
            [rows.details.get(id) for id in ids],
        )
        return dumps(list(zip(*columns, strict=True)))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Callable[..., Any]]:
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            yield execute
            execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _breaking(self) -> Iterator[None]:
        """Write nothing more after an error of the file."""
        try:
            yield
        except (sqlite3.Error, OSError):
            self._works = False
            raise


def _texts(ids: list[int], known: dict[int, str], other: str | None) -> list[str | None]:
    """Texts for JSON by id, and what stands for those that are missing."""
    if not known:
        return [other] * len(ids)
    return [text_of(known[id]) if id in known else other for id in ids]


def _numbers(values: np.ndarray) -> list[Any]:
    """Floats for JSON: None for NaN, text for infinities."""
    numbers = values.tolist()
    if np.isfinite(values).all():
        return numbers
    return [
        None if number != number else number if math.isfinite(number) else INFINITE[number]
        for number in numbers
    ]
