"""The tables of quality.py: from stored cells to Markdown."""

import numpy as np
import report
from problems import PROBLEMS, SUITES
from scores import SOLVED, regret, summarize
from solvers import SOLVERS


def cells_of(name, options):
    """Return every cell that the options ask of a solver."""
    solver = SOLVERS[name]
    return [
        {
            "problem": problem,
            "seed": seed,
            "budget": budget,
            "size": options.population or solver.size(budget),
        }
        for budget in options.budgets
        if solver.largest_budget is None or budget <= solver.largest_budget
        for suite in options.suites
        for problem in SUITES[suite]
        for seed in range(options.first_seed, options.first_seed + options.seeds)
    ]


def collect(stores, suite, budget, options):
    """Gather the regrets of a suite at a budget.

    Returns
    -------
    names : list of str
        Solvers with every cell done.
    regrets : (k, p, s) array
    """
    names, blocks = [], []
    for name, store in stores.items():
        if store is None:
            continue
        cells = [
            cell
            for cell in cells_of(name, options)
            if cell["budget"] == budget and cell["problem"] in SUITES[suite]
        ]
        outcomes = [store.get(cell) for cell in cells]
        if not cells or None in outcomes:
            continue
        losses = [outcome["trace"][-1][1] for outcome in outcomes]
        names.append(name)
        blocks.append([_regret(*pair) for pair in zip(cells, losses, strict=True)])
    shape = (len(names), len(SUITES[suite]), options.seeds)
    return names, np.array(blocks).reshape(shape)


def _regret(cell, loss):
    """Normalize the final loss of a cell."""
    problem = PROBLEMS[cell["problem"]]
    return regret(loss, optimum=problem.optimum, median=problem.median_loss(cell["seed"]))


def suite_rows(stores, suite, budget, options):
    """Summarize a suite at a budget: one dict for each solver, best mean rank first."""
    names, regrets = collect(stores, suite, budget, options)
    if not names:
        return []
    rows = [
        {"suite": suite, "budget": budget, "solver": name, "seeds": options.seeds, **summary}
        for name, summary in zip(names, summarize(regrets), strict=True)
    ]
    return sorted(rows, key=lambda row: row["rank"])


def problem_rows(stores, suite, budget, options):
    """List the mean regret of each solver on each problem."""
    names, regrets = collect(stores, suite, budget, options)
    return [
        [name, *(f"{value:.4f}" for value in block.mean(axis=1))]
        for name, block in zip(names, regrets, strict=True)
    ]


def format_row(row):
    """Format a summary as the cells of a table."""
    return [
        row["solver"],
        f"{row['regret']:.4f} [{row['regret_low']:.4f}, {row['regret_high']:.4f}]",
        f"{row['rank']:.2f} [{row['rank_low']:.2f}, {row['rank_high']:.2f}]",
        f"{row['solved']:.0%}",
    ]


def format_rows(rows):
    """Format summaries as a Markdown table."""
    header = ["solver", "mean regret [95 %]", "mean rank [95 %]", "solved"]
    return report.table(header, map(format_row, rows))


def pooled_rows(stores, budget, options):
    """Summarize all problems of all suites at a budget, as `suite_rows` does for one suite."""
    blocks = [collect(stores, suite, budget, options) for suite in options.suites]
    names = [name for name in stores if all(name in present for present, _ in blocks)]
    if not names:
        return []
    parts = [regrets[[present.index(name) for name in names]] for present, regrets in blocks]
    summaries = summarize(np.concatenate(parts, axis=1))
    rows = [
        {"suite": "all", "budget": budget, "solver": name, "seeds": options.seeds, **summary}
        for name, summary in zip(names, summaries, strict=True)
    ]
    return sorted(rows, key=lambda row: row["rank"])


def overview(pooled, rows):
    """Put the solvers of a budget into one table: over all problems, and the rank by suite."""
    budget = pooled[0]["budget"]
    ranks = {(row["solver"], row["suite"]): row["rank"] for row in rows if row["budget"] == budget}
    suites = list(dict.fromkeys(suite for _, suite in ranks))
    header = [f"{budget:,} evaluations", "mean regret [95 %]", "mean rank [95 %]", "solved"]
    return report.table(
        header + [f"rank, {suite}" for suite in suites],
        [
            [*summary, *(f"{ranks[row['solver'], suite]:.2f}" for suite in suites)]
            for row, summary in zip(pooled, map(format_row, pooled), strict=True)
        ],
    )


def heading(stores, notes, options):
    """Say what was run and how to read it, and who was left out and why."""
    present = {name: note for name, note in notes.items() if stores[name] is not None}
    first = options.first_seed
    lines = [
        "## Quality at equal evaluations",
        report.provenance(present),
        f"Seeds {first} to {first + options.seeds - 1}. Regret: 0 is the known optimum, 1 the "
        f"median of random draws. Solved: regret at most {SOLVED}. Intervals: bootstrap over "
        "seeds. Best mean rank first.",
    ]
    for name, store in stores.items():
        limit = SOLVERS[name].largest_budget
        if store is None:
            lines.append(f"Left out: {name} ({notes[name]}).")
        elif store.failures:
            count, reason = len(store.failures), store.failures[0]
            lines.append(f"Left out where incomplete: {name} ({count} failures, first {reason}).")
        elif limit and max(options.budgets) > limit:
            lines.append(f"Left out above {limit:,} evaluations: {name} (hours of its own time).")
    return lines


def suite_tables(stores, rows, suite, budget, options):
    """Write the tables of one suite at one budget."""
    block = [row for row in rows if (row["suite"], row["budget"]) == (suite, budget)]
    if not block:
        return []
    count = len(SUITES[suite])
    lines = [
        f"### {suite}, {budget:,} evaluations ({count} problems x {options.seeds} seeds)",
        format_rows(block),
    ]
    if options.problems:
        problems = problem_rows(stores, suite, budget, options)
        lines.append(report.table(["mean regret", *SUITES[suite]], problems))
    return lines


def document(stores, notes, options):
    """Write all tables as Markdown.

    Returns
    -------
    text : str
    rows : list of dict
        The same numbers for the CSV file.
    """
    grid = [(suite, budget) for suite in options.suites for budget in options.budgets]
    rows = [row for pair in grid for row in suite_rows(stores, *pair, options)]
    pooled = [pooled_rows(stores, budget, options) for budget in options.budgets]
    lines = heading(stores, notes, options)
    count = sum(len(SUITES[suite]) for suite in options.suites)
    lines.append(f"### All {count} problems x {options.seeds} seeds")
    lines += [overview(part, rows) for part in pooled if part]
    lines += [part for pair in grid for part in suite_tables(stores, rows, *pair, options)]
    return "\n\n".join(lines), [row for part in pooled for row in part] + rows
