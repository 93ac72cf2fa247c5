"""The words of a command: split without a shell, and kept away from any."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from geneticpy.errors import ArgumentError

PLACEHOLDER = re.compile(r"\{\{([\w.-]+)\}\}|\{([\w.-]+)\}")  # {{x}} is written for the text {x}
SHELLS = {"ash", "bash", "dash", "fish", "ksh", "sh", "zsh"}
SCRIPT_OPTION = re.compile(r"-\w*c")  # as in -c and -ec
VALUED_OPTION = re.compile(r"[-+]\w*[oO]")  # as in -o pipefail
WINDOWS_SHELLS = {"cmd", "powershell", "pwsh"}  # they join their arguments
BATCH = (".bat", ".cmd")  # cmd.exe runs these
SYNTAX = re.compile(r"(\d*[<>]|[|&;]).*|.*;")


def split(command: str) -> list[str]:
    """Split a command into words by the quoting rules of a shell, which itself never runs.

    Raises
    ------
    ArgumentError
        For an empty command, open quotes, and what only a shell understands.
    """
    splitter = shlex.shlex(command, posix=True, punctuation_chars=False)
    splitter.whitespace_split = True
    splitter.commenters = ""
    if sys.platform == "win32":
        splitter.escape = ""  # a backslash separates folders there
    try:
        words = list(splitter)
    except ValueError as error:
        raise ArgumentError(f"command: {error}, got {command!r}.") from None
    if not words:
        raise ArgumentError(f"command: must name a program, got {command!r}.")
    for word in filter(SYNTAX.fullmatch, words):
        raise ArgumentError(
            f"command: no shell runs it, so that {word!r} has no meaning, got {command!r}. "
            "Write a script, or give the words one by one after --."
        )
    return words


def check(words: Sequence[str]) -> None:
    """Check that a program is there, and that no shell gets to read values.

    Raises
    ------
    ArgumentError
        Naming the word.
    """
    _check_program(words)
    for at, word in enumerate(words):
        shell, rest = PurePath(word).stem.lower(), words[at + 1 :]
        if shell in SHELLS:
            _check_script(word, _script(rest))
        elif shell in WINDOWS_SHELLS and any(placeholders(*rest)):
            raise ArgumentError(
                f"command: values must not reach {word}, which reads its arguments as a script, "
                f"got {' '.join(rest)!r}. Pass them by --env-prefix or --params-file."
            )


def _check_program(words: Sequence[str]) -> None:
    program = words[0]
    if any(placeholders(program)):
        return
    found = shutil.which(program)
    if found is None:
        raise ArgumentError(f"command: must begin with a program to run, got {program!r}.")
    if found.lower().endswith(BATCH) and any(placeholders(*words)):
        raise ArgumentError(
            f"command: values must not reach cmd.exe, which runs batch files, got {found!r} "
            "with placeholders. Pass them by --env-prefix or --params-file."
        )


def _script(words: Sequence[str]) -> str:
    """Find the script among the arguments of a shell; empty if it is a file."""
    given = False
    rest = iter(words)
    for word in rest:
        if VALUED_OPTION.fullmatch(word):
            next(rest, "")
        if word[:1] not in ("-", "+"):
            return word if given else ""
        given = given or SCRIPT_OPTION.fullmatch(word) is not None
    return ""


def _check_script(shell: str, script: str) -> None:
    """Refuse placeholders in the script of a shell, which would read values as its own."""
    for name in placeholders(script):
        raise ArgumentError(
            f"command: values must not become part of a script of {shell}, got {script!r}. Pass "
            f"them as arguments: {shell} -c '... \"$1\"' {shell} {{{name}}}"
        )


def placeholders(*words: str) -> Iterator[str]:
    """Names of the parameters in words.

    Examples
    --------
    >>> list(placeholders("--rate={rate}", "{print $1} {{text}} {model.depth}"))
    ['rate', 'model.depth']
    """
    return (found[2] for word in words for found in PLACEHOLDER.finditer(word) if found[2])


def filled(word: str, texts: Mapping[str, str]) -> str:
    """Put values in the place of the names in a word; nothing in a value is looked at again.

    Examples
    --------
    >>> filled("{rate} {{rate}} {}", {"rate": "{rate}"})
    '{rate} {rate} {}'
    """
    return PLACEHOLDER.sub(lambda found: texts[found[2]] if found[2] else f"{{{found[1]}}}", word)
