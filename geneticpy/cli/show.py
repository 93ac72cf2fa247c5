"""The command ``geneticpy show``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from geneticpy.cli.options import Commands, add_command

if TYPE_CHECKING:
    from geneticpy.cli.summary import Summary
    from geneticpy.run.recorded import Recorded, RecordedRun

DESCRIPTION = """\
Summarize a journal: how far the run has come, its best point, and why evaluations failed.

The journal is only read. A run that is writing it goes on undisturbed.
"""

EXAMPLES = """\
examples:
  geneticpy show run.db
  geneticpy show run.db --json | jq .best.params
  watch geneticpy show run.db   while it runs

exit codes: 0 done; 2 no journal, or a damaged one
"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "show",
        run,
        help="summarize a journal",
        description=DESCRIPTION,
        epilog=EXAMPLES,
    )
    parser.add_argument("journal", metavar="JOURNAL", help="file that --journal has written")
    parser.add_argument("--json", action="store_true", help="everything, as one JSON object")


def run(arguments: argparse.Namespace) -> None:
    """Run ``geneticpy show``."""
    from geneticpy.cli import report, summary
    from geneticpy.run.recorded import read

    journal = read(arguments.journal)
    current = summary.current(journal)
    found = summary.summarize(current)
    if arguments.json:
        print(report.as_json(_json_of(journal, found)))
        return
    before = journal.runs[: -len(current)]
    print(*report.table(_overview(current, before, found).items()), sep="\n")
    if found.best is not None:
        print(f"\nbest: evaluation {found.best.id}, generation {found.best.generation}")
        print(*report.lines_of_point(found.best.loss, found.best.params), sep="\n")
    if found.failures:
        print(f"\n{len(found.failures)} failed:")
        print(*report.lines_of_failures(report.grouped(found.failures)), sep="\n")


def _overview(
    current: list[RecordedRun], before: list[RecordedRun], found: Summary
) -> dict[str, Any]:
    from geneticpy.cli import summary

    last = current[-1]
    mean = f", {found.seconds / found.evaluations:.3g} s each" if found.evaluations else ""
    entries = {
        "loss of": summary.name_of_loss(last.loss),
        "state": summary.state_of(last),
        "evaluations": f"{found.evaluations}, {len(found.failures)} failed",
        "generations": f"{found.generations} of {last.budget['generation_count']}",
        "time": f"{found.seconds:.1f} s of evaluations{mean}",
        "begun": current[0].created,
    }
    for number, earlier in enumerate(before, start=1):
        best = summary.summarize([earlier]).best
        loss = "" if best is None else f", best loss {best.loss:.6g}"
        entries[f"before, {number}"] = (
            f"{earlier.evaluations} evaluations{loss}, {earlier.created}"
        )
    return entries


def _json_of(journal: Recorded, found: Summary) -> dict[str, Any]:
    from geneticpy.cli import report, summary

    last, best = journal.runs[-1], found.best
    return {
        "journal": journal.path,
        "loss_of": summary.name_of_loss(last.loss),
        "ended": last.ended,
        "state": summary.state_of(last),
        "evaluations": found.evaluations,
        "failed": len(found.failures),
        "generations": found.generations,
        "seconds": found.seconds,
        "best": None
        if best is None
        else {
            "id": best.id,
            "generation": best.generation,
            "loss": best.loss,
            "params": best.params,
        },
        "failures": [
            {"count": group.size, "first": group.first, "reason": group.reason}
            for group in report.grouped(found.failures)
        ],
        "settings": last.settings | last.budget,
        "space": last.space,
        "versions": last.versions,
        "runs": [
            {
                "kind": one.kind,
                "created": one.created,
                "ended": one.ended,
                "evaluations": one.evaluations,
            }
            for one in journal.runs
        ],
    }
