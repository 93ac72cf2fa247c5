"""Markdown tables, and the sections of RESULTS.md that the commands replace."""

import csv
import datetime
import os
import shlex
import sys
from pathlib import Path

import environments


def table(header, rows):
    """Format a Markdown table; all but the first column are aligned to the right."""
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    lines += ["| " + " | ".join(str(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def provenance(versions):
    """Say when, on what, with which versions and by which command the numbers were made."""
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *told(sys.argv[1:])])
    pairs = ((name.removesuffix(f" {version}"), version) for name, version in versions.items())
    known = ", ".join(f"{name} {version}" for name, version in pairs if version)
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return f"{today}; {environments.machine()}; {load()}.\n{known}.\nCommand: `{command}`"


def told(arguments):
    """Leave out where files and interpreters lie on this machine."""
    local = ("--output", "--geneticpy2-python", "--csv")
    pairs = zip(["", *arguments], arguments, strict=False)
    return [word for before, word in pairs if before not in local and word not in local]


def load():
    """Say how busy the machine was: other jobs make CPU times longer, too."""
    if not hasattr(os, "getloadavg"):
        return "load unknown"
    return f"mean load of the last 15 minutes {os.getloadavg()[2]:.1f}"


def write_section(path, name, text):
    """Put `text` between the marks of section `name` in the file, added at its end if new."""
    path = Path(path)
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = path.read_text() if path.exists() else ""
    section = f"{begin}\n{text.strip()}\n{end}"
    if begin in old and end in old:
        before, rest = old.split(begin, 1)
        new = before + section + rest.split(end, 1)[1]
    else:
        new = f"{old.rstrip()}\n\n{section}\n".lstrip()
    path.write_text(new)


def publish(text, path, name):
    """Print a section, and put it into a file if there is a path."""
    print(text)
    if path:
        write_section(path, name, text)


def write_csv(path, rows):
    """Write dicts with the same keys as a CSV file."""
    with Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
