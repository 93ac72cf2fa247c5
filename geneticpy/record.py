"""What a run keeps of itself: nothing, or a journal from which it goes on."""

from __future__ import annotations

import math
import os
import platform
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import numpy as np

from geneticpy.checks import generator, one_of
from geneticpy.errors import ArgumentError, JournalError, JournalWarning
from geneticpy.evaluation.call import here
from geneticpy.evaluation.loss import Limits, Loss, Outcomes
from geneticpy.evolution.budget import Budget
from geneticpy.evolution.optimizer import Candidates, Optimizer
from geneticpy.jsonable import as_plain, digest_of, dumps, name_of, text_of
from geneticpy.past import DivergedError, Past, Points, Replay
from geneticpy.run.history import History
from geneticpy.run.journal import Ends, Journal
from geneticpy.run.recorded import RecordedRun, exists, read
from geneticpy.run.seed import generator_of, state_of
from geneticpy.space.described import describe, difference, holds_plain
from geneticpy.version import __version__

MAY_GROW = ("generation_count", "max_evaluations")


@dataclass(frozen=True)
class Start:
    """What a run begins with.

    Attributes
    ----------
    rng : numpy.random.Generator
    entropy : list of int
        What the random numbers of the loss are derived from; empty if it takes none.
    settings : dict
        Arguments of `Optimizer`.
    """

    rng: np.random.Generator
    entropy: list[int]
    settings: dict[str, Any]


def record_of(journal: Any, resume: str) -> Record:
    """Open the journal that the user names, if any.

    Raises
    ------
    ArgumentError
        For wrong values, and for those that do not go together.
    JournalError
        If the file cannot be read, or another run is writing it.
    """
    warm = one_of("resume", resume, ("exact", "warm")) == "warm"
    if journal is None:
        if warm:
            raise ArgumentError(f"resume: must come with a journal, got {resume!r} without one.")
        return Record()
    path = os.fsdecode(journal) if isinstance(journal, str | os.PathLike) else ""
    if not path or "\0" in path:
        raise ArgumentError(f"journal: must be a path, got {journal!r}.")
    if os.path.isdir(path):
        raise JournalError(f"journal {path!r}: must be a file, got a folder.")
    return JournalRecord(path, warm=warm)


class Record:
    """A run without a journal.

    Attributes
    ----------
    known : Past or None
        Evaluations that the optimizer is told at first.
    before : dict or None
        Settings of the latest run that the journal has, with all that `start` was given.
    heard : callable or None
        See `Outcomes`.
    """

    known: Past | None = None
    before: dict[str, Any] | None = None
    heard: Callable[[float], None] | None = None

    def start(
        self, settings: dict[str, Any], others: dict[str, Any], seed: Any, draws: bool
    ) -> Start:
        """Make the source of random numbers, and settle the arguments of the optimizer.

        Parameters
        ----------
        settings : dict
            Arguments of `Optimizer`.
        others : dict
            Other arguments that the run depends on.
        seed : object
            As the user gave it.
        draws : bool
            Whether the loss takes random numbers.
        """
        rng = generator(seed)
        return Start(rng, _entropy(rng, draws), settings)

    def enter(
        self, space: Any, optimizer: Optimizer, make: Callable[..., Optimizer], fn: Any
    ) -> None:
        """Check that the space is the same, and read what is known.

        Parameters
        ----------
        space : nested data
        optimizer : Optimizer
        make : callable
            ``make(seed=rng)`` makes another one for the same space and settings.
        fn : callable
            The user's loss; ``fn.recipe()`` may give plain data that it can be made of again.
        """

    @property
    def replaying(self) -> bool:
        """Whether the next evaluations are known."""
        return False

    def heeded(self, message: str) -> str:
        """Why to stop, if a rule says so; none does before the end of what is known."""
        return "" if self.replaying else message

    def has(self, evaluations: int) -> bool:
        """Whether so many evaluations were made by an earlier call."""
        return False

    def begin(self, history: History) -> None:
        """Keep the evaluations that come after those of a history."""

    def evaluate(self, loss: Loss, points: Candidates, outcomes: Outcomes, limits: Limits) -> None:
        """Compute losses, but for those that are known."""
        loss.evaluate(points, outcomes, limits)

    def recall(self, points: Points, outcomes: Outcomes) -> np.ndarray:
        """Fill in what is known; returns the positions of the others."""
        return np.arange(len(points.ids))

    def asks(self) -> Iterator[tuple[int, list[list[int]]]]:
        """Give what is known of a steady state; see `Replay.asks`."""
        return iter(())

    def asked(self, n: int) -> None:
        """Keep that `n` candidates are asked for in a steady state."""

    def portion(self, n: int) -> int:
        """Count the candidates to ask for, where there is room for `n`."""
        return n

    def detail(self, id: int, plain: Any) -> None:
        """Keep plain data with an evaluation that the history will have next."""

    def watch(self, points: Points, ends: Ends, generation: int) -> None:
        """Look after evaluations that are beginning."""

    def recorded(self) -> None:
        """Take note that the history has what has ended of them."""

    def start_over(self, error: DivergedError) -> Optimizer:
        """Make another optimizer for the rest of a run that does not repeat itself."""
        raise error

    def end(self, message: str) -> None:
        """Keep why the run ends."""

    def close(self) -> None:
        """Let go of files."""


class JournalRecord(Record):
    """A run with a journal.

    Parameters
    ----------
    path : str
    warm : bool
        Whether to begin a new run that knows the evaluations of those before it.
    """

    def __init__(self, path: str, *, warm: bool):
        self.path = path
        self._journal = Journal(path, text_of(here()))
        try:
            self._runs = read(path).runs if exists(path) else []
        except BaseException:
            self._journal.close()
            raise
        self._run = self._runs[-1] if self._runs and not warm else None
        self._kind = "warm" if self._runs and warm else "fresh"
        self.heard = self._journal.heard
        self.before = self._runs[-1].settings if self._runs else None

    def start(
        self, settings: dict[str, Any], others: dict[str, Any], seed: Any, draws: bool
    ) -> Start:
        described = as_plain(settings | others | {"rng": draws})
        self._budget = {name: described[name] for name in MAY_GROW}
        self._constraint = settings["constraint"]
        if self._run is not None:
            self._check_settings(self._run, described, seed)
            self._settings = self._run.settings
            return _again(self._settings, settings)
        rng = generator(seed)
        root = state_of(rng)
        start = Start(rng, _entropy(rng, draws), settings)
        state = state_of(rng)
        seeds = {"given": as_plain(seed), "root": root, "state": state, "entropy": start.entropy}
        self._settings = described | {"seed": seeds}
        return start

    def _check_settings(self, run: RecordedRun, described: dict[str, Any], seed: Any) -> None:
        """Refuse to go on with other arguments than the run was begun with."""
        before = run.settings | run.budget
        shrinks = _total(described) < _total(before)
        other = [
            f"{name}={value!r} (it has {before.get(name)!r})"
            for name, value in described.items()
            if (
                shrinks and _limit(value) < _limit(before[name])
                if name in MAY_GROW
                else value != before.get(name) and (name, value) != ("batch", None)
            )
        ]
        if seed is not None:
            seeds = run.settings["seed"]
            if state_of(generator(seed)) != seeds["root"]:
                other.append(f"seed={seed!r} (it has {seeds['given']!r})")
        if other:
            raise JournalError(
                f"journal {self.path!r}: must be continued with the arguments it was begun with, "
                f"got {', '.join(other)}."
            )

    def enter(
        self, space: Any, optimizer: Optimizer, make: Callable[..., Optimizer], fn: Any
    ) -> None:
        optimizer.budget = replace(optimizer.budget, **self._budget)
        self._optimizer, self._make = optimizer, make
        self._encoding = optimizer.encoding
        self._space = describe(space)
        self._fingerprint = digest_of([self._space, self._encoding.digest()]).hex()
        recipe = getattr(fn, "recipe", None)
        self._loss = name_of(fn) if recipe is None else as_plain(recipe())
        if self._run is None:
            self.known = self._heritage(len(self._runs), self._kind)
            self._replay = Replay(Past.nothing(self._encoding.genome.d))
            return
        self._check_space(self._run)
        self.known = self._heritage(len(self._runs) - 1, self._run.kind)
        self._replay = Replay(Past.of(self._run, self._encoding.genome.d))

    def _check_space(self, run: RecordedRun) -> None:
        if run.fingerprint != self._fingerprint:
            where = difference(run.space, self._space)
            raise JournalError(
                f"journal {self.path!r}: must be continued in the space it was begun in, got "
                f"{where or 'distributions that pull other values'}."
            )

    def _heritage(self, number: int, kind: str) -> Past:
        """Read what a run of some kind is told at first, after so many others."""
        d = self._encoding.genome.d
        if kind == "fresh":
            return Past.nothing(d)
        if kind == "continued":
            before = self._runs[number - 1]
            return Past.joined([self._heritage(number - 1, before.kind), Past.of(before, d)])
        runs = self._runs[:number]
        for run in runs:
            maximizes = run.settings["maximize_fn"]
            if maximizes != self._settings["maximize_fn"]:
                raise JournalError(
                    f"journal {self.path!r}: must hold values that are to be "
                    f"{'smaller' if maximizes else 'larger'}, got a run with "
                    f"maximize_fn={maximizes!r}."
                )
        return Past.earlier(runs, self._encoding, self._constraint)

    @property
    def replaying(self) -> bool:
        return self._replay.left > 0

    def has(self, evaluations: int) -> bool:
        return evaluations <= self._known + len(self._replay.ids)

    def begin(self, history: History) -> None:
        self._history, self._known = history, len(history)
        decode = self._encoding.decode
        plain = holds_plain(self._encoding.tree)
        params = decode if plain else lambda genes: as_plain(decode(genes))
        if self._run is None:
            self._settings = self._settings | {"batch": self._optimizer.batch}
            self._journal.begin(history, params, self._columns())
            return
        self._journal.begin(history, params, self._run.number)
        self._journal.skip(self._replay.ids)
        if self._budget != self._run.budget:
            self._journal.extend(dumps(self._budget))

    def _columns(self) -> dict[str, str]:
        """Columns of a new run."""
        return {
            "kind": self._kind,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "settings": dumps(self._settings),
            "space": dumps(self._space),
            "fingerprint": self._fingerprint,
            "loss": dumps(self._loss),
            "versions": dumps(_versions()),
            "budget": dumps(self._budget),
        }

    def evaluate(self, loss: Loss, points: Candidates, outcomes: Outcomes, limits: Limits) -> None:
        if not self.replaying:
            loss.evaluate(points, outcomes, limits)
            return
        rest = self.recall(points, outcomes)
        known = outcomes.loss[outcomes.ended].tolist()
        if not len(rest) or (limits.enough is not None and any(map(limits.enough, known))):
            return

        def heard(now: float) -> None:
            outcomes.fill(rest, part)
            self._journal.heard(now)

        part = Outcomes(len(rest), heard)
        try:
            loss.evaluate(points.take(rest), part, limits)
        finally:
            outcomes.fill(rest, part)

    def recall(self, points: Points, outcomes: Outcomes) -> np.ndarray:
        return self._replay.recall(points, outcomes)

    def asks(self) -> Iterator[tuple[int, list[list[int]]]]:
        return self._replay.asks()

    def asked(self, n: int) -> None:
        self._journal.asked(n, self._told)

    @property
    def _told(self) -> int:
        return len(self._history) - self._known

    def portion(self, n: int) -> int:
        if self.replaying:
            return self._replay.portion(self._told) or n
        if n < self._optimizer.batch:  # the end of a budget, which may grow
            self.asked(n)
        return n

    def detail(self, id: int, plain: Any) -> None:
        self._journal.detail(id, plain)

    def watch(self, points: Points, ends: Ends, generation: int) -> None:
        self._journal.watch(points, ends, generation)

    def recorded(self) -> None:
        if not self.replaying:
            self._journal.recorded()

    def start_over(self, error: DivergedError) -> Optimizer:
        if self._run is None:
            raise error
        warnings.warn(
            f"journal {self.path!r}: its run cannot be repeated ({error}; it was made with "
            f"{self._run.versions}, this is {_versions()}) and goes on from its "
            f"{self._run.evaluations} evaluations.",
            JournalWarning,
            stacklevel=7,
        )
        self._kind, self._run = "continued", None
        self.known = self._heritage(len(self._runs), self._kind)
        self._replay = Replay(Past.nothing(self._encoding.genome.d))
        seeds = self._settings["seed"]
        words = np.frombuffer(digest_of([seeds, len(self.known)]), np.uint32)
        rng = np.random.default_rng(words)
        self._settings = self._settings | {"seed": seeds | {"state": state_of(rng)}}
        optimizer = self._make(seed=rng)
        optimizer.batch, optimizer.budget = self._optimizer.batch, self._optimizer.budget
        return optimizer

    def end(self, message: str) -> None:
        self._journal.end(message)

    def close(self) -> None:
        self._journal.close()


def _total(settings: dict[str, Any]) -> int:
    """Count the evaluations of a whole run."""
    names = ("size", "generation_count", "retain_percentage", "max_evaluations")
    return Budget(*(settings[name] for name in names)).total


def _limit(value: int | None) -> float:
    return math.inf if value is None else value


def _entropy(rng: np.random.Generator, draws: bool) -> list[int]:
    """Draw what the random numbers of a loss are derived from, if it takes any."""
    return rng.integers(2**63, size=2).tolist() if draws else []


def _again(before: dict[str, Any], settings: dict[str, Any]) -> Start:
    """Begin as a run has begun: its budget chose the algorithm, and may have grown since."""
    planned = {name: before[name] for name in (*MAY_GROW, "batch")}
    seeds = before["seed"]
    return Start(generator_of(seeds["state"]), seeds["entropy"], settings | planned)


def _versions() -> dict[str, str]:
    return {
        "geneticpy": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
