"""What both searches are made of: generations of candidates, fitted through scikit-learn."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict
from functools import partial
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

try:
    from sklearn.utils import get_tags
except ImportError:  # scikit-learn 1.5
    get_tags = None

from geneticpy.checks import function
from geneticpy.evolution.budget import Budget
from geneticpy.evolution.optimizer import PORTION, Optimizer
from geneticpy.learn.fits import Fits, RacedFits
from geneticpy.learn.folds import FrozenFolds
from geneticpy.learn.generations import Generations
from geneticpy.learn.journal import (
    MEASURED,
    check_measured,
    described,
    fingerprint,
    measured,
    noted,
)
from geneticpy.learn.param_space import ParamSpace
from geneticpy.learn.racing import LEVEL
from geneticpy.learn.start import Start
from geneticpy.learn.table import Rows, Table
from geneticpy.learn.tasks import task
from geneticpy.learn.trial import Outcome, Trial
from geneticpy.past import DivergedError
from geneticpy.record import Record, record_of
from geneticpy.run.interrupts import Interrupts
from geneticpy.run.progress import Bar
from geneticpy.run.stopping import Stopping

FITS_PER_WORKER = 2  # of a portion, at least: while one worker ends late the others have work


class GeneticSearch(BaseSearchCV):
    """A search by generations; a subclass says over what, by `_params`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseSearchCV._parameter_constraints,
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "population_size": [Interval(Integral, 1, None, closed="left")],
        "generation_count": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "time_limit": [Interval(Real, 0, None, closed="left"), None],
        "initial": [list, tuple, None],
        "constraint": [callable, None],
        "callback": [callable, None],
        "batch": [Interval(Integral, 1, None, closed="left"), None],
        "racing": ["boolean", Interval(Real, 0, 1, closed="neither")],
        "journal": [str, PathLike, None],
        "resume": [StrOptions({"exact", "warm"})],
    }

    def fit(self, X: Any, y: Any = None, **params: Any) -> GeneticSearch:
        """Search, and refit the best candidate on all data.

        Parameters
        ----------
        X, y, **params
            As for RandomizedSearchCV.

        Returns
        -------
        self
        """
        self._validate_params()
        self._check_target(y)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        folds = FrozenFolds(splitter, one_at_a_time=self._level > 0)
        quiet = 0 if int(self.verbose) == 1 else self.verbose  # 1 is the bar alone
        mine = {"cv": folds, "verbose": quiet, "_bar": bool(self.verbose)}
        if self.journal is not None:
            weights = {name: value for name, value in params.items() if name != "groups"}
            mine["_data"] = fingerprint({"X": X, "y": y, **weights})
        with lent(self, **mine, **self._lent(X)):
            super().fit(X, y, **params)
        self.n_splits_ = folds.total
        self._checked_cv_orig = splitter  # where scikit-learn 1.9 has kept the frozen folds
        return self

    def _check_target(self, y: Any) -> None:
        if y is None and get_tags is not None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"{type(self).__name__}: requires y to be passed, but the target y is None, "
                f"got {self.estimator!r}, which needs one."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags = deepcopy(get_tags(self.estimator).target_tags)
        return tags

    def _more_tags(self) -> dict[str, Any]:
        """Give the tags of scikit-learn 1.5, later `__sklearn_tags__`."""
        several = (
            hasattr(self.estimator, "_get_tags") and self.estimator._get_tags()["multioutput"]
        )
        return {"multioutput": several, "_xfail_checks": {}}

    def _lent(self, X: Any) -> dict[str, Any]:
        """Attributes that stand in for the user's during `fit`."""
        return {}

    def _params(self, seed: int) -> ParamSpace:
        """Say what is searched."""
        raise NotImplementedError

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        """Make generations of candidates; called by scikit-learn's `fit`."""
        with (
            Interrupts() as interrupts,
            contextlib.closing(record_of(self.journal, self.resume)) as record,
        ):
            self._search(record, interrupts, evaluate_candidates, callback_ctx)

    def _search(
        self,
        record: Record,
        interrupts: Interrupts,
        evaluate_candidates: Any,
        callback_ctx: Any,
    ) -> None:
        """Run generations; the best of the table, or of what a journal has, remains."""
        params, optimizer = self._begin(record)
        stopping = Stopping(
            patience=self.patience, time_limit=self.time_limit, callback=self.callback
        )
        results: Table = {}

        def evaluate(candidates: list[dict[str, Any]]) -> Table:
            nonlocal results
            fits = len(candidates) * self.cv.each
            with task(search, self, "portion", fits, in_turn=False) as portion:
                known = {} if portion is None else {"callback_ctx": portion}
                results = evaluate_candidates(candidates, **known)
            return results

        with task(callback_ctx, self, "search", None, in_turn=True) as search:
            generations = self._run(record, interrupts, params, optimizer, evaluate, stopping)
        self.n_duplicates_ = generations.duplicates
        trials = generations.trials
        table = self._table(trials)
        if not results:  # the journal has it all
            outcomes = next(trial.outcomes for trial in trials if trial.outcomes)
            results = noted(evaluate_candidates, outcomes)
        results.clear()  # scikit-learn's `fit` holds on to this dict
        results.update(table)

    def _run(
        self,
        record: Record,
        interrupts: Interrupts,
        params: ParamSpace,
        optimizer: Optimizer,
        evaluate: Callable[..., Table],
        stopping: Stopping,
    ) -> Generations:
        """Go through the generations, once more if they do not repeat those of the journal."""
        bar = Bar(optimizer.budget.total, shown=self._bar, label="score")
        fits = self._fits(evaluate)
        generations = Generations(
            optimizer, params, fits, self._objective, stopping, bar, record, interrupts
        )
        try:
            self.message_ = generations.run()
        except DivergedError as error:
            other = record.start_over(error)
            return self._run(record, interrupts, params, other, evaluate, stopping)
        return generations

    def _begin(self, record: Record) -> tuple[ParamSpace, Optimizer]:
        """Say what is searched and how, or go on as the journal has it."""
        way = {} if self.journal is None else self._measured()
        before = record.before
        if before is not None:
            check_measured(self.journal, before, way, self.cv.splitter)
        if before is not None and self.random_state is None and self.resume == "exact":
            seed, random_state = before["seed"]["given"], before["random_state"]
        else:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            random_state = self.random_state
        others = {
            "maximize_fn": True,
            MEASURED: way,
            "racing": self._level,
            "constraint": self.constraint,
            "initial": self.initial,
            "random_state": random_state,
        }
        params = self._params(seed)
        settings = {
            **asdict(self._budget()),
            "constraint": self._allows(params),
            "initial": self._start(params),
            "batch": self.batch,
        }
        start = record.start(settings, others, seed, draws=False)
        make = partial(Optimizer, params.space, **start.settings)
        optimizer = make(seed=start.rng)
        record.enter(params.space, optimizer, make, type(self.estimator))
        if start.settings["batch"] is None:
            optimizer.batch = self._portion()
        return params, optimizer

    def _measured(self) -> dict[str, Any]:
        """Say what scores depend on."""
        return measured(
            self.cv,
            self.scoring,
            data=self._data,
            estimator=described(self.estimator),
            refit=self.refit if isinstance(self.refit, str) else None,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
        )

    def _budget(self) -> Budget:
        """As many generations as `n_iter` needs, if that is given."""
        size, n_iter = self.population_size, self.n_iter
        if n_iter is None:
            return Budget(size, self.generation_count)
        count = math.ceil(max(n_iter - size, 0) / max(1, size * (1 - Budget.retain_percentage)))
        return Budget(size, count, max_evaluations=n_iter)

    def _portion(self) -> int:
        """Candidates that are fitted at once: few, so that each portion knows of the others."""
        fits = FITS_PER_WORKER * effective_n_jobs(self.n_jobs)
        return max(PORTION, math.ceil(fits / max(1, self.cv.each)))

    def _start(self, params: ParamSpace) -> list[Any]:
        """First candidates; the estimator's own settings are left out if they are not allowed."""
        start, allows = Start(params), self._allows(params)
        if self.initial is not None:
            return start.given(self.initial)
        return [point for point in start.own() if _is_allowed(allows, point)]

    def _allows(self, params: ParamSpace) -> Any:
        constraint = function("constraint", self.constraint, "params")
        return constraint and (lambda point: constraint(params.candidate(point)))

    def _fits(self, evaluate: Any) -> Fits:
        if not self._level:
            return Fits(evaluate, self.cv, self._score)
        return RacedFits(evaluate, self.cv, self._score, self._level)

    @property
    def _level(self) -> float:
        """Level of the races; 0 for none."""
        if isinstance(self.racing, bool | np.bool_):
            return LEVEL if self.racing else 0.0
        return float(self.racing)

    def _score(self, outcome: Outcome) -> float:
        """Score that is searched by: that of `refit`, or the first."""
        scores = outcome["test_scores"]
        if not isinstance(scores, dict):
            return scores
        named = isinstance(self.refit, str) and self.refit in scores
        return scores[self.refit if named else next(iter(scores))]

    def _objective(self, trial: Trial) -> float:
        """Give what is maximized."""
        return trial.mean(self._score, self.cv.total)

    def _table(self, trials: list[Trial]) -> Table:
        error_score = math.nan if self.error_score == "raise" else self.error_score
        rows = Rows(trials, self.cv.total, error_score)
        rows.warn_of_failures()
        return rows.table(super()._format_results)

    def _format_results(
        self, candidate_params: Any, n_splits: int, out: Any, more_results: Any = None
    ) -> Table:
        """Keep what is known so far; the table is made once, at the end."""
        return {"out": out}


def _is_allowed(constraint: Callable[[Any], Any] | None, point: Any) -> bool:
    """Ask a constraint; one that raises is left to the optimizer, which reports it."""
    try:
        return constraint is None or bool(constraint(point))
    except Exception:
        return True


@contextlib.contextmanager
def lent(owner: Any, **values: Any) -> Iterator[None]:
    """Give an object other attributes for a while."""
    own = {name: owner.__dict__[name] for name in values if name in owner.__dict__}
    owner.__dict__.update(values)
    try:
        yield
    finally:
        for name in values:
            del owner.__dict__[name]
        owner.__dict__.update(own)
