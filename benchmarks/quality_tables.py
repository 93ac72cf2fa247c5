"""The tables of quality.py: from stored cells to Markdown."""

import report
from outcomes import collect, grid_of, reached_of, regret_of, table_of
from problems import SUITES
from scores import SOLVED, summarize, summarize_targets
from solvers import SOLVERS
from suites import budget_text


def _summaries(outcomes, suite):
    """Summarize by the measure of the suite: one dict for each solver."""
    if SUITES[suite].targets is None:
        return summarize(table_of(outcomes, regret_of))
    parts = [table_of(outcomes, lambda o, i=i: reached_of(o, suite)[i]) for i in range(2)]
    return summarize_targets(*parts, table_of(outcomes, lambda o: o.final))


def _named_rows(names, summaries, **columns):
    """Put names and further columns before summaries, best mean rank first."""
    rows = [
        {**columns, "solver": name, **summary}
        for name, summary in zip(names, summaries, strict=True)
    ]
    return sorted(rows, key=lambda row: row["rank"])


def suite_rows(stores, suite, budget, options):
    """Summarize a suite at a budget: one dict for each solver, best mean rank first."""
    outcomes = collect(stores, suite, budget, options)
    if not outcomes:
        return []
    columns = {"suite": suite, "budget": budget, "seeds": options.seeds}
    return _named_rows(outcomes, _summaries(outcomes, suite), **columns)


def problem_rows(stores, suite, budget, options):
    """List the mean of the suite's measure for each solver on each problem."""
    outcomes = collect(stores, suite, budget, options)
    if not outcomes:
        return []
    by_regret = SUITES[suite].targets is None
    values = table_of(outcomes, regret_of if by_regret else lambda o: reached_of(o, suite)[0])
    return [
        [name, *(f"{value:.4f}" for value in block.mean(axis=1))]
        for name, block in zip(outcomes, values, strict=True)
    ]


def _interval(row, name, digits):
    """Write a mean with its interval."""
    mean, low, high = (f"{row[key]:.{digits}f}" for key in (name, f"{name}_low", f"{name}_high"))
    return f"{mean} [{low}, {high}]"


def format_row(row):
    """Format a summary as the cells of a table."""
    if "area" in row:
        measures = [_interval(row, "area", 3), _interval(row, "solved", 3)]
        return [row["solver"], *measures, _interval(row, "rank", 2)]
    measures = [_interval(row, "regret", 4), _interval(row, "rank", 2)]
    return [row["solver"], *measures, f"{row['solved']:.0%}"]


def header_of(row):
    """Name the columns of `format_row`."""
    if "area" in row:
        return ["area [95 %]", "targets solved [95 %]", "mean rank [95 %]"]
    return ["mean regret [95 %]", "mean rank [95 %]", "solved"]


def format_rows(rows):
    """Format summaries as a Markdown table."""
    return report.table(["solver", *header_of(rows[0])], map(format_row, rows))


def groups_of(options):
    """Return {(group, budget): suites} where several suites share group and budget."""
    groups = {}
    for suite, budget in grid_of(options):
        groups.setdefault((SUITES[suite].group or suite, budget), []).append(suite)
    return {key: suites for key, suites in groups.items() if len(suites) > 1}


def pooled_rows(stores, suites, budget, options):
    """Summarize all problems of several suites, as `suite_rows` does for one suite."""
    blocks = [collect(stores, suite, budget, options) for suite in suites]
    names = [name for name in stores if all(name in block for block in blocks)]
    if not names:
        return []
    joined = {name: [o for block in blocks for o in block[name]] for name in names}
    columns = {"suite": "all", "budget": budget, "seeds": options.seeds}
    return _named_rows(names, summarize(table_of(joined, regret_of)), **columns)


def overview(pooled, rows, suites):
    """Put the solvers of a group into one table: over all problems, and the rank by suite."""
    budget = pooled[0]["budget"]
    ranks = {(row["solver"], row["suite"]): row["rank"] for row in rows if row["budget"] == budget}
    return report.table(
        [budget_text(budget), *header_of(pooled[0]), *(f"rank, {suite}" for suite in suites)],
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
    if any(SUITES[suite].targets for suite in options.suites):
        lines.append(
            "Where targets are counted: area under the curve of the share of targets reached over "
            "the logarithm of evaluations, the share reached at the end, the rank by final loss."
        )
    lines += [f"Suite left out: {name} ({reason})." for name, reason in options.skipped.items()]
    return lines + [line for name in stores for line in absences(name, stores, notes, options)]


def absences(name, stores, notes, options):
    """Say where a solver is missing and why."""
    store = stores[name]
    if store is None:
        return [f"Left out: {name} ({notes[name]})."]
    lines = []
    if store.failures:
        count, reason = len(store.failures), store.failures[0]
        lines.append(f"Left out where incomplete: {name} ({count} failures, first {reason}).")
    places = {}
    for suite, budget in grid_of(options):
        reason = SOLVERS[name].obstacle(SUITES[suite], budget, named=options.named)
        if reason:
            places.setdefault(reason, {}).setdefault(suite, []).append(str(budget))
    pairs = sum(len(at) for suites in places.values() for at in suites.values())
    if len(places) == 1 and pairs == len(grid_of(options)):
        return [*lines, f"Left out: {name} ({next(iter(places))})."]
    for reason, suites in places.items():
        where = "; ".join(f"{suite} at {', '.join(at)}" for suite, at in suites.items())
        lines.append(f"Left out: {name} on {where} ({reason}).")
    return lines


def suite_tables(stores, rows, suite, budget, options):
    """Write the tables of one suite at one budget."""
    block = [row for row in rows if (row["suite"], row["budget"]) == (suite, budget)]
    if not block:
        return []
    problems = SUITES[suite].problems
    size = f"({len(problems)} problems x {options.seeds} seeds)"
    lines = [f"### {suite}, {budget_text(budget)} {size}", format_rows(block)]
    if options.problems:
        header = [header_of(block[0])[0].removesuffix(" [95 %]"), *problems]
        lines.append(report.table(header, problem_rows(stores, suite, budget, options)))
    return lines


def document(stores, notes, options):
    """Write all tables as Markdown.

    Returns
    -------
    text : str
    rows : list of dict
        The same numbers for the CSV files.
    """
    grid = grid_of(options)
    rows = [row for pair in grid for row in suite_rows(stores, *pair, options)]
    lines, everything = heading(stores, notes, options), []
    for (group, budget), suites in groups_of(options).items():
        pooled = pooled_rows(stores, suites, budget, options)
        if pooled:
            count = sum(len(SUITES[suite].problems) for suite in suites)
            lines.append(f"### All {count} problems, {group} ({options.seeds} seeds)")
            lines.append(overview(pooled, rows, suites))
            everything += pooled
    lines += [part for pair in grid for part in suite_tables(stores, rows, *pair, options)]
    return "\n\n".join(lines), everything + rows
