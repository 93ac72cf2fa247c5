"""What a journal has come to."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from geneticpy.run.recorded import Recorded, RecordedRun, Row


@dataclass
class Summary:
    """Evaluations of some runs, counted one after the other.

    Parameters
    ----------
    maximizes : bool
        Whether large losses are good.

    Attributes
    ----------
    evaluations : int
    generations : int
        The last one; 0 is the first.
    seconds : float
        Sum of their durations.
    best : Row or None
        The first of the best; None if none succeeded.
    failures : list of (int, str)
        Ids and reasons.
    """

    maximizes: bool
    evaluations: int = 0
    generations: int = 0
    seconds: float = 0.0
    best: Row | None = None
    failures: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Count one evaluation."""
        self.evaluations += 1
        self.generations = max(self.generations, row.generation)
        if not math.isnan(row.seconds):
            self.seconds += row.seconds
        if row.error is not None:
            self.failures.append((row.id, row.error))
        elif self.best is None or self._is_better(row.loss, self.best.loss):
            self.best = row

    def _is_better(self, one: float, two: float) -> bool:
        return one > two if self.maximizes else one < two


def current(journal: Recorded) -> list[RecordedRun]:
    """Give the runs that make up the last one: those that it continued, and itself."""
    runs = [journal.runs[-1]]
    for run in reversed(journal.runs[:-1]):
        if runs[0].kind != "continued":
            break
        runs.insert(0, run)
    return runs


def summarize(runs: list[RecordedRun]) -> Summary:
    """Count the evaluations of runs with one direction."""
    summary = Summary(bool(runs[-1].settings["maximize_fn"]))
    for row in rows_of(runs):
        summary.add(row)
    return summary


def rows_of(runs: list[RecordedRun]) -> Iterator[Row]:
    """Give the evaluations of runs, in the order in which they were recorded."""
    for run in runs:
        yield from run.rows


def name_of_loss(loss: Any) -> str:
    """Command or function whose number was searched."""
    if isinstance(loss, dict) and "target" in loss:
        return " ".join(map(str, loss["target"]))
    return str(loss)


def state_of(run: RecordedRun) -> str:
    """Why a run ended, or whether it goes on, as far as that can be told from here."""
    if run.ended is not None:
        return run.ended
    host, _, pid = run.writer.partition(" ")[0].rpartition(":")
    if host != platform.node():
        return f"not ended: at work on {run.writer}, or killed"
    return f"at work, process {pid}" if _is_alive(pid) else "killed, or unable to write"


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True
