"""The command ``geneticpy export``."""

from __future__ import annotations

import argparse
import contextlib
import csv
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from geneticpy.cli.options import Commands, add_command
from geneticpy.errors import ArgumentError

if TYPE_CHECKING:
    from geneticpy.run.recorded import RecordedRun, Row

DESCRIPTION = """\
Write the evaluations of a journal as a table, to standard output or to a file.

One row is one evaluation. Parameters have the names that the history of a run gives them:
params.lr, params.layers.0.units. A parameter that an evaluation has not is an empty cell.
"""

EXAMPLES = """\
examples:
  geneticpy export run.db --csv > run.csv
  geneticpy export run.db --csv run.csv
  geneticpy export run.db --json-lines | jq 'select(.loss < 0.1).params'

exit codes: 0 done; 2 no journal, a damaged one, or a file that cannot be written
"""

STANDARD = "-"


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "export",
        run,
        help="write the evaluations of a journal as a table",
        description=DESCRIPTION,
        epilog=EXAMPLES,
    )
    parser.add_argument("journal", metavar="JOURNAL", help="file that --journal has written")
    form = parser.add_mutually_exclusive_group(required=True)
    file: dict[str, Any] = {"nargs": "?", "const": STANDARD, "metavar": "FILE"}
    form.add_argument("--csv", help="comma-separated values; of all runs in the journal", **file)
    form.add_argument("--json-lines", help="one JSON object a line", **file)


def run(arguments: argparse.Namespace) -> None:
    """Run ``geneticpy export``."""
    from geneticpy.run.recorded import read

    runs = read(arguments.journal).runs
    write: Callable[[list[RecordedRun], IO[str]], None]
    name, write = (
        (arguments.csv, write_csv)
        if arguments.json_lines is None
        else (arguments.json_lines, write_json_lines)
    )
    with _opened(name) as file:
        write(runs, file)


@contextlib.contextmanager
def _opened(name: str) -> Iterator[IO[str]]:
    if name == STANDARD:
        yield sys.stdout
        return
    try:
        with open(name, "w", newline="", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise ArgumentError(f"FILE: must be writable, got {name!r}: {error}") from None


def write_csv(runs: list[RecordedRun], file: IO[str]) -> None:
    """Write a header and a line an evaluation."""
    names: dict[str, None] = {}
    for row in _records(runs):
        if not row.keys() <= names.keys():
            names |= dict.fromkeys(row)
    table = csv.DictWriter(file, _ordered(names), restval="", lineterminator="\n")
    table.writeheader()
    for row in _records(runs):
        table.writerow({name: _cell(value) for name, value in row.items()})


def _ordered(names: Iterable[str]) -> list[str]:
    """Put the columns of one list side by side, its items in order; else as they come.

    Examples
    --------
    >>> _ordered(["id", "params.x.0", "params.y", "params.x.10", "params.x.2"])
    ['id', 'params.x.0', 'params.x.2', 'params.x.10', 'params.y']
    """
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        first.setdefault(_parameter(name), place)
    return sorted(names, key=lambda name: (first[_parameter(name)], _natural(name)))


def _parameter(name: str) -> str:
    """Give what a column is a part of: the first two parts of its name."""
    return ".".join(name.split(".", 2)[:2])


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key of a name in which numbers count as such."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def write_json_lines(runs: list[RecordedRun], file: IO[str]) -> None:
    """Write an object a line, with nested parameters as they are."""
    from geneticpy.cli.report import as_json

    for number, row in _numbered(runs):
        file.write(as_json({"run": number} | row._asdict()) + "\n")


def _records(runs: list[RecordedRun]) -> Iterator[dict[str, Any]]:
    """Flat evaluations."""
    from geneticpy.run.history import flattened

    for number, row in _numbered(runs):
        record = {"run": number} | row._asdict()
        nested = {"params": record.pop("params"), "details": record.pop("details")}
        yield record | flattened({name: part for name, part in nested.items() if part is not None})


def _numbered(runs: list[RecordedRun]) -> Iterator[tuple[int, Row]]:
    for number, one in enumerate(runs, start=1):
        for row in one.rows:
            yield number, row


def _cell(value: Any) -> Any:
    """Write text as it is, nan and none as nothing, the rest as JSON."""
    from geneticpy.cli.report import shown

    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value if isinstance(value, str | float) else shown(value)
