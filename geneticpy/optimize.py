"""The front door: validates, wires and loops. The algorithm is behind ask and tell."""

from __future__ import annotations

import contextlib
import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from geneticpy.checks import flag, generator, no_unknown, one_of, whole
from geneticpy.errors import EvaluationError, EvaluationWarning
from geneticpy.evaluation.call import asks_for_rng
from geneticpy.evaluation.crew import check_steady_state, hire
from geneticpy.evaluation.loss import Limits, Loss, Outcomes, make_loss
from geneticpy.evaluation.pool import PoolLoss, note
from geneticpy.evaluation.values import traceback_of
from geneticpy.evolution.optimizer import Candidates, Optimizer
from geneticpy.run.history import History
from geneticpy.run.progress import Bar, Progress
from geneticpy.run.result import OptimizeResult
from geneticpy.run.stopping import Stopping, Target
from geneticpy.steady import Ended, Stream


def optimize(
    fn: Callable[[Any], Any],
    param_space: Any,
    size: int = 100,
    generation_count: int = 10,
    percentage_to_randomly_spawn: float | None = None,
    mutate_chance: float | None = None,
    retain_percentage: float = 0.5,
    maximize_fn: bool = False,
    target: float | None = None,
    verbose: bool = False,
    seed: Any = None,
    patience: int | None = None,
    use_tournament_selection: bool = False,
    tournament_size: int = 3,
    adaptive_mutation: bool = False,
    *,
    max_evaluations: int | None = None,
    time_limit: float | None = None,
    constraint: Callable[[Any], bool] | None = None,
    initial: Sequence[Any] | None = None,
    vectorized: bool = False,
    on_error: str = "skip",
    cache: bool = True,
    batch: int | None = None,
    surrogate: bool | str = "auto",
    strategy: Any = None,
    callback: Callable[[Progress], Any] | None = None,
    terminator: Callable[[Progress], Any] | None = None,
    selector: Callable[..., np.ndarray] | None = None,
    crossover: Callable[..., np.ndarray] | None = None,
    mutation: Callable[..., np.ndarray] | None = None,
    replacer: Callable[..., np.ndarray] | None = None,
    workers: int | str | None = None,
    executor: Any = None,
    evaluation_timeout: float | None = None,
    retries: int = 1,
    devices: Sequence[Any] | None = None,
    steady_state: bool = False,
    **unknown: Any,
) -> OptimizeResult:
    """Find parameters with a small loss by a genetic algorithm.

    Parameters
    ----------
    fn : callable
        ``fn(params) -> float``, to be minimized; may be a coroutine function, whose evaluations
        run concurrently within a generation. `params` has the shape of `param_space` with values
        in it. A second argument, named `rng` or required, receives a numpy Generator that is
        derived from the seed and the number of the evaluation.
    param_space : nested data
        Any nesting of dicts, lists, tuples, distributions of this package, frozen scipy.stats
        distributions, and constants.
    size : int, default 100
        Individuals of a generation. All of the first are evaluated.
    generation_count : int, default 10
        Generations after the first. At most
        ``size * (1 + generation_count * (1 - retain_percentage))`` evaluations are made.
    percentage_to_randomly_spawn : float in [0, 1], optional
        Share of fresh random individuals among the new ones. By default 0.05, and none while a
        model screens.
    mutate_chance : float in [0, 1], optional
        Of a new individual to get small mutations. By default the algorithm decides.
    retain_percentage : float in [0, 1), default 0.5
        Share of a generation that survives without being evaluated again.
    maximize_fn : bool, default False
        Look for a large value instead.
    target : float, optional
        Stop when a value is as good or better.
    verbose : bool, default False
        Show a progress bar.
    seed : int, SeedSequence, BitGenerator or Generator, optional
        The same seed gives the same run.
    patience : int, optional
        Stop after so many generations without improvement.
    use_tournament_selection : bool, default False
        Select parents by tournaments of `tournament_size` rivals, instead of uniformly among the
        survivors.
    tournament_size : int, default 3
    adaptive_mutation : bool, default False
        Let a given `mutate_chance` grow while nothing improves.
    max_evaluations : int, optional
        Stop after so many evaluations, if `generation_count` has not ended the run before.
    time_limit : float, optional
        Seconds. The evaluation under way is finished; several under way at the same time are
        dropped.
    constraint : callable, optional
        ``constraint(params) -> bool``; points for which it is false are not evaluated.
    initial : sequence of parameter sets, optional
        Points that are evaluated first.
    vectorized : bool, default False
        `fn` receives columns, the shape of the space with arrays at the leaves, and returns an
        array of n losses. See `Encoding.columns` for lists and choices with parameters.
    on_error : {"skip", "raise"}, default "skip"
        Whether an exception in `fn` costs its own evaluation only, or ends the run.
    cache : bool, default True
        Evaluate no point twice. False for noisy functions.
    batch : int, optional
        Individuals that are proposed at once; each batch knows all results before it. By default
        5, or as many as there are workers if those are more; a whole generation for vectorized and
        coroutine functions, and for more than 20,000 evaluations. The run depends on the seed and
        on this number. A multiple of the number of workers keeps all of them busy.
    surrogate : {"auto", True, False}
        Whether a model of the loss picks the individuals that are worth an evaluation. By
        default it does in runs of up to 1,000 evaluations and in the first ones of up to 20,000;
        not in spaces of permutations alone, nor with a `selector`, `crossover`, `mutation` or
        `replacer` of your own. It takes some milliseconds per evaluation.
    strategy : {"screened", "numeric", "discrete", "mixed"} or object, optional
        How points are found. By default it is chosen by the space and the number of evaluations,
        and may change on the way: ``result.strategy`` says how and why. "screened": a genetic
        algorithm whose children a model judges. "numeric": learned steps, for numbers alone.
        "discrete": for unordered choices and bits. "mixed": the genetic algorithm for every
        space. An object of your own has ``begin(rng, genome, budget)``, ``propose(n) -> (n, d)
        genes`` and ``update(rows)``, which gets told rows with `genes`, `loss` and `ids`.
    callback : callable, optional
        ``callback(progress)`` after each generation; stops the run by returning True or raising
        StopIteration.
    terminator : callable, optional
        ``terminator(progress)`` after each generation; stops the run by returning True or a
        message.
    selector : callable, optional
        ``selector(rng, loss, n) -> (n,) rows``: parents among the survivors, whose losses come
        sorted, best first.
    crossover : callable, optional
        ``crossover(rng, one, two, genome) -> (n, d) genes``: children of (n, d) parents.
    mutation : callable, optional
        ``mutation(rng, genes, active, genome) -> (n, d) genes``: small mutations of children.
    replacer : callable, optional
        ``replacer(rng, loss, birth, n) -> rows``: about n survivors among children and parents;
        `birth` is the number of the evaluation.
    workers : int or str, optional
        Evaluate in so many processes, -1 for one a core; or in threads, as in ``"threads:8"``.
        Processes are fresh interpreters that receive the function once: lambdas, closures and
        functions of the main script are fine, and the main script needs no guard.
    executor : object, optional
        Evaluate with ``executor.submit(fn, *args)``, which returns a future (concurrent.futures,
        loky, mpi4py.futures, a client of dask.distributed, `geneticpy.evaluation.ray_executor()`),
        or with a function like `map`. It is never shut down.
    evaluation_timeout : float, optional
        Seconds for one evaluation; then its process is killed and replaced, and the evaluation
        has failed. Needs processes: ``workers=1`` for one at a time.
    retries : int, default 1
        How often an evaluation is tried again whose worker died.
    devices : sequence, optional
        Accelerators, by the names that CUDA_VISIBLE_DEVICES takes; each process sees one of them
        only. Fewer than workers are shared.
    steady_state : bool, default False
        Propose the next individual as soon as an evaluation ends, instead of waiting for the
        others of a batch. The run then depends on which evaluation ends first.

    Returns
    -------
    OptimizeResult
        Unpacks to ``best_params, loss, total_time``.

    Raises
    ------
    ArgumentError
        For a wrong argument, before the first evaluation.
    SpaceError
        For a space that is none, an initial point outside it, or a constraint that nothing meets.
    LossError
        When `fn` returns something that is no number.
    EvaluationError
        When every evaluation of the first generation failed.

    Notes
    -----
    Whatever is raised after the first evaluation has an attribute `result` with everything
    evaluated so far. Ctrl-C ends the run and returns its result.

    Examples
    --------
    >>> import geneticpy
    >>> space = {"x": geneticpy.UniformDistribution(-5, 5),
    ...          "n": geneticpy.UniformDistribution(0, 9, q=1)}
    >>> best_params, loss, total_time = geneticpy.optimize(
    ...     lambda params: params["x"] ** 2 + (params["n"] - 3) ** 2, space, seed=0)
    >>> best_params["n"]
    3
    """
    target, verbose, patience = _accept_old_calls(target, verbose, patience, unknown)
    sign = -1.0 if flag("maximize_fn", maximize_fn) else 1.0
    stopping = Stopping(
        enough=None if target is None else Target(target, sign),
        patience=patience,
        time_limit=time_limit,
        terminator=terminator,
        callback=callback,
    )
    raise_errors = one_of("on_error", on_error, ("skip", "raise")) == "raise"
    whole("tournament_size", tournament_size)
    by_tournaments = flag("use_tournament_selection", use_tournament_selection)
    crew = hire(
        workers,
        executor,
        evaluation_timeout=evaluation_timeout,
        retries=retries,
        devices=devices,
        steady_state=flag("steady_state", steady_state),
    )
    if steady_state:
        check_steady_state(crew, batch)
    rng = generator(seed)
    entropy = rng.integers(2**63, size=2).tolist() if callable(fn) and asks_for_rng(fn) else ()
    optimizer = Optimizer(
        param_space,
        size=size,
        generation_count=generation_count,
        retain_percentage=retain_percentage,
        max_evaluations=max_evaluations,
        constraint=constraint,
        initial=initial,
        cache=flag("cache", cache),
        percentage_to_randomly_spawn=percentage_to_randomly_spawn,
        mutate_chance=mutate_chance,
        adaptive_mutation=flag("adaptive_mutation", adaptive_mutation),
        tournament_size=tournament_size if by_tournaments else None,
        selector=selector,
        crossover=crossover,
        mutation=mutation,
        replacer=replacer,
        surrogate=surrogate,
        strategy=strategy,
        batch=batch,
        seed=rng,
    )
    loss = make_loss(
        fn,
        vectorized=flag("vectorized", vectorized),
        entropy=entropy,
        crew=None if crew is None else crew.loss,
    )
    if batch is None and loss.together:
        optimizer.batch = optimizer.budget.size
    if batch is None and crew is not None:
        optimizer.batch = max(optimizer.batch, crew.slots or 1)
    points = optimizer.encoding.genome.points if cache else math.inf
    bar = Bar(int(min(optimizer.budget.total, points)), shown=bool(verbose))
    run = Run(optimizer, loss, stopping, sign=sign, raise_errors=raise_errors, bar=bar)
    if steady_state and isinstance(loss, PoolLoss):
        run.stream = Stream(optimizer, loss.pool)
    return run.complete()


class Run:
    """The loop over ask, evaluate and tell.

    Parameters
    ----------
    optimizer : Optimizer
    loss : Loss
    stopping : Stopping
    sign : {1.0, -1.0}
        -1 if the user maximizes.
    raise_errors : bool
        Whether an exception of the loss ends the run.
    bar : Bar, optional

    Attributes
    ----------
    history : History
    generation : int
        The current one; 0 is the first.
    stream : Stream or None
        Given one, the run is in the steady state.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        loss: Loss,
        stopping: Stopping,
        *,
        sign: float = 1.0,
        raise_errors: bool = False,
        bar: Bar | None = None,
    ):
        self._optimizer, self._loss, self._stopping, self.sign = optimizer, loss, stopping, sign
        self._limits = Limits(stopping.enough, stopping.deadline, raise_errors)
        self._bar = Bar(0, shown=False) if bar is None else bar
        self.history = History(optimizer.encoding, optimizer.encoding.genome.d)
        self.generation = 0
        self.stream: Stream | None = None
        self._first_error: BaseException | None = None

    def complete(self) -> OptimizeResult:
        """Run until something ends it."""
        message = ""
        try:
            message = self._until_stopped()
            self._warn_of_failures()
        except BaseException as error:
            with contextlib.suppress(Exception):  # one that takes no attributes comes without
                error.result = self.result(  # type: ignore[attr-defined]
                    message or f"stopped by {error!r}"
                )
            raise
        return self.result(message)

    def _until_stopped(self) -> str:
        try:
            try:
                return self._loop()
            finally:
                if self.stream is not None:
                    self._keep(self.stream.cancel(), Limits())
        except KeyboardInterrupt:
            return f"interrupted after {len(self.history)} evaluations"
        finally:
            self._bar.close()
            self._loss.close()

    def _loop(self) -> str:
        """Go through the generations; returns why the run ends."""
        budget = self._optimizer.budget
        for generation in range(budget.generation_count + 1):
            self.generation = generation
            message = self.evolve()
            if message:
                return message
            if len(self.history) == budget.max_evaluations:
                return f"max_evaluations reached: {budget.max_evaluations} evaluations"
        return (
            f"generation_count reached: {budget.generation_count} generations, "
            f"{len(self.history)} evaluations"
        )

    def evolve(self) -> str:
        """Evaluate the current generation; returns why to stop, or an empty string."""
        before = len(self.history)
        message = self._evaluate_up_to(self._optimizer.budget.end(self.generation))
        if self.generation == 0:
            self._check_not_all_failed()
        if message and len(self.history) == before:  # the end came before it began
            self.generation = max(self.generation - 1, 0)
            return message
        verdict = self._stopping.after_generation(self.best_loss, self._progress)
        return message or verdict

    def _evaluate_up_to(self, end: int) -> str:
        """Evaluate until `end` evaluations are made; returns why to stop before."""
        step = self._evaluate_batch if self.stream is None else partial(self._flow, self.stream)
        while len(self.history) < end:
            if not step(end):
                return f"space exhausted: {self._optimizer.exhausted}"
            message = self._stopping.within(self.best_loss)
            if message:
                return message
        return ""

    def _evaluate_batch(self, end: int) -> bool:
        """Evaluate a batch; returns whether there was one."""
        optimizer = self._optimizer
        candidates = optimizer.ask(min(optimizer.batch, end - len(self.history)))
        if len(candidates):
            outcomes = Outcomes(len(candidates))
            evaluate = partial(self._loss.evaluate, candidates, outcomes, self._limits)
            self._recording(evaluate, candidates, outcomes)
        return len(candidates) > 0

    def _flow(self, stream: Stream, end: int) -> bool:
        """Give every free worker a candidate and take what has ended; False with none under way.

        The end of a generation is no barrier: the next one has begun when it comes.
        """
        stream.fill(self._optimizer.budget.total - len(self.history))
        if not stream.under_way:
            return False
        self._keep(stream.wait(self._limits.deadline), self._limits)
        return True

    def _keep(self, ended: Ended, limits: Limits) -> None:
        outcomes = Outcomes(len(ended))
        self._recording(partial(note, outcomes, ended.reports, limits), ended, outcomes)

    def _recording(
        self,
        evaluate: Callable[[], Any],
        candidates: Candidates | Ended,
        outcomes: Outcomes,
    ) -> None:
        """Let something fill in outcomes, and record what has ended, whatever happens."""
        before = len(self.history)
        try:
            try:
                evaluate()
            finally:
                self._record(candidates, outcomes)
        except KeyboardInterrupt:
            if len(self.history) == before:  # it came while recording
                self._record(candidates, outcomes)
            raise

    def _record(self, candidates: Candidates | Ended, outcomes: Outcomes) -> None:
        """Keep what has ended, in the order of ids; the history first, whose rows stay."""
        ended = outcomes.ended
        if not len(ended):
            return
        all_ended = len(ended) == len(candidates)
        rows: Any = slice(None) if all_ended else ended
        ids = candidates.ids if all_ended else candidates.ids[ended]
        loss = outcomes.loss[rows]
        self.history.append(
            self._errors(outcomes) if np.isnan(loss).any() else {},
            id=ids,
            generation=self.generation,
            genes=candidates.genes[rows],
            loss=loss,
            species=candidates.species[rows],
            parents=candidates.parents[rows],
            seconds=outcomes.seconds[rows],
        )
        self._optimizer.tell(ids, self.sign * loss)
        self._bar.advance(len(ended), self.best_loss)

    def _errors(self, outcomes: Outcomes) -> dict[int, str]:
        """Why rows failed, by their place among those that ended; remembers the first error."""
        if self._first_error is None and outcomes.errors:
            self._first_error = outcomes.errors[min(outcomes.errors)]
        reasons = outcomes.reasons()
        ended = outcomes.ended.tolist()
        return {row: reasons[at] for row, at in enumerate(ended) if at in reasons}

    @property
    def best_loss(self) -> float:
        """Best so far, in the user's sign; nan if none succeeded."""
        return self.sign * self._optimizer.best_loss

    def _progress(self) -> Progress:
        return Progress(
            generation=self.generation,
            evaluations=len(self.history),
            loss=self.best_loss,
            seconds=self._seconds(),
            history=self.history,
            best_params=self._optimizer.best_params,
        )

    def result(self, message: str) -> OptimizeResult:
        """Everything so far."""
        best = self.history.best(self.sign)
        return OptimizeResult(
            None if best is None else self.history.params(best),
            math.nan if best is None else float(self.history.loss[best]),
            self._seconds(),
            generations=self.generation,
            message=message,
            history=self.history,
            strategy=self._optimizer.strategy,
        )

    def _seconds(self) -> float:
        return perf_counter() - self._stopping.started

    def _check_not_all_failed(self) -> None:
        made, failed = len(self.history), self.history.failed_rows
        if len(failed) < made or not made:  # none: the time was up before the first had ended
            return
        error = self._first_error
        first = self.history.failure(0).reason if error is None else traceback_of(error)
        raise EvaluationError(
            f"all {made} evaluations of the first generation failed; the first of them:\n{first}"
        ) from error

    def _warn_of_failures(self) -> None:
        failed = len(self.history.failed_rows)
        if failed:
            warnings.warn(
                f"{failed} of {len(self.history)} evaluations failed and were skipped; "
                "result.failures lists them.",
                EvaluationWarning,
                stacklevel=4,
            )


def _accept_old_calls(
    target: Any, verbose: Any, patience: Any, unknown: dict[str, Any]
) -> tuple[Any, Any, Any]:
    """Give arguments of GeneticPy 0.1 and 1 their meaning; no other unknown name passes."""
    if isinstance(target, bool):  # the position of `verbose` in 0.1
        target, verbose = None, target
    if isinstance(patience, bool):  # the position of `tuple` in 1.0.1 to 1.2
        unknown["tuple"], patience = patience, None
    if unknown.pop("tuple", None) is not None:
        warnings.warn(
            "optimize: tuple is not needed, the result is a tuple and a mapping.",
            DeprecationWarning,
            stacklevel=3,
        )
    known = list(inspect.signature(optimize).parameters)[:-1]
    no_unknown("optimize()", unknown, known)
    return target, verbose, patience
