"""The front door: validates, wires and loops. The algorithm is behind ask and tell."""

from __future__ import annotations

import contextlib
import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from geneticpy.checks import flag, no_unknown, one_of, whole
from geneticpy.evaluation.call import asks_for_rng
from geneticpy.evaluation.crew import check_steady_state, hire
from geneticpy.evaluation.loss import make_loss
from geneticpy.evaluation.pool import PoolLoss
from geneticpy.evolution.optimizer import Optimizer
from geneticpy.loop import Run
from geneticpy.record import record_of
from geneticpy.run.interrupts import Interrupts
from geneticpy.run.progress import Bar, Progress
from geneticpy.run.result import OptimizeResult
from geneticpy.run.stopping import Stopping, Target
from geneticpy.steady import Stream


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
    journal: Any = None,
    resume: str = "exact",
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
        default it does in runs of up to 1,000 evaluations, 499 where all parameters are numbers,
        and in the first ones of up to 20,000; not with a `selector`, `crossover`, `mutation` or
        `replacer` of your own. It takes some milliseconds per evaluation, 10 to 15 with orders of
        50 items. A `strategy` decides this itself and takes no other value than "auto".
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
    journal : path, optional
        File to which every evaluation is written. If it has a run already, that run goes on where
        it ended or was killed, as if nothing had happened; all arguments that it depends on must
        be the same, but `generation_count` and `max_evaluations` may be larger. Give no `seed`,
        or the same. See docs/journal.md.
    resume : {"exact", "warm"}
        Whether to go on with the run of the journal, or to begin a new one that knows its
        evaluations, as far as they fit the space.

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
    JournalError
        When the journal cannot be read, written, or continued with these arguments.

    Notes
    -----
    Whatever is raised after the first evaluation has an attribute `result` with everything
    evaluated so far. Ctrl-C ends the run and returns its result, also if `fn` catches the
    KeyboardInterrupt and returns a loss.

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
        check_steady_state(crew, executor, batch)
    settings = {
        "size": size,
        "generation_count": generation_count,
        "retain_percentage": retain_percentage,
        "max_evaluations": max_evaluations,
        "constraint": constraint,
        "initial": initial,
        "cache": flag("cache", cache),
        "percentage_to_randomly_spawn": percentage_to_randomly_spawn,
        "mutate_chance": mutate_chance,
        "adaptive_mutation": flag("adaptive_mutation", adaptive_mutation),
        "tournament_size": tournament_size if by_tournaments else None,
        "selector": selector,
        "crossover": crossover,
        "mutation": mutation,
        "replacer": replacer,
        "surrogate": surrogate,
        "strategy": strategy,
        "batch": batch,
    }
    others = {
        "maximize_fn": sign < 0,
        "vectorized": flag("vectorized", vectorized),
        "steady_state": bool(steady_state),
    }
    draws = callable(fn) and asks_for_rng(fn)
    with Interrupts() as interrupts, contextlib.closing(record_of(journal, resume)) as record:
        start = record.start(settings, others, seed, draws)
        make = partial(Optimizer, param_space, **start.settings)
        optimizer = make(seed=start.rng)
        record.enter(param_space, optimizer, make, fn)
        loss = make_loss(
            fn,
            vectorized=bool(vectorized),
            entropy=start.entropy,
            crew=None if crew is None else crew.loss,
        )
        if start.settings["batch"] is None:
            if loss.together:
                optimizer.batch = optimizer.budget.size
            if crew is not None:
                optimizer.batch = max(optimizer.batch, crew.slots or 1)
        points = optimizer.encoding.genome.points if cache else math.inf
        bar = Bar(int(min(optimizer.budget.total, points)), shown=bool(verbose))
        run = Run(
            optimizer,
            loss,
            stopping,
            sign=sign,
            raise_errors=raise_errors,
            bar=bar,
            record=record,
            interrupts=interrupts,
        )
        if steady_state and isinstance(loss, PoolLoss):
            run.stream = Stream(optimizer, loss.pool, record)
        return run.complete()


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
