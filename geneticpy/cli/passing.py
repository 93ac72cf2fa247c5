"""How parameters reach a program: its arguments, its environment, or a JSON file."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from geneticpy.cli import command
from geneticpy.errors import ArgumentError
from geneticpy.run.history import flattened
from geneticpy.space.distributions import ChoiceDistribution, DistributionBase
from geneticpy.space.frozen import is_frozen
from geneticpy.space.structures import (
    ListDistribution,
    PermutationDistribution,
    SubsetDistribution,
)

FILE = "params_file"
FILE_VARIABLE = "GENETICPY_PARAMS_FILE"
NESTED = (ListDistribution, PermutationDistribution, SubsetDistribution)
MOMENT = (datetime.date, datetime.time)


@dataclass(frozen=True)
class Passing:
    """What a program is started with.

    Attributes
    ----------
    words : tuple of str
        The program and its arguments, with placeholders such as ``{rate}`` or ``{model.depth}``.
    env_prefix : str or None
        Before the names of environment variables; None for no variables.
    params_file : bool
        Whether all parameters are written to a JSON file for each evaluation.
    """

    words: tuple[str, ...]
    env_prefix: str | None = None
    params_file: bool = False

    def check(self, space: Any) -> None:
        """Check before the first evaluation that everything that is searched reaches the program.

        Raises
        ------
        ArgumentError
            Naming the parameter or the placeholder.
        """
        parts = flattened(space)
        command.check(self.words)
        named = set(command.placeholders(*self.words))
        if self.params_file:
            self._check_file_name(parts)
            named.discard(FILE)
        for name in sorted(named):
            self._check_placeholder(name, parts)
        if self.env_prefix is not None:
            self._check_environment(parts)
        if not self.params_file:
            self._check_all_passed(named, parts)

    @contextlib.contextmanager
    def passed(self, params: Any) -> Iterator[tuple[list[str], dict[str, str]]]:
        """Give the arguments and the environment for parameters, while their file exists."""
        values = flattened(params)
        variables = self._variables(values)
        with self._written(params) as path:
            if path is not None:
                values[FILE] = variables[FILE_VARIABLE] = path
            texts = {name: as_text(values[name]) for name in command.placeholders(*self.words)}
            words = [command.filled(word, texts) for word in self.words]
            yield words, os.environ | variables

    def _variables(self, values: dict[str, Any]) -> dict[str, str]:
        """Environment variables of all values that one can hold."""
        if self.env_prefix is None:
            return {}
        plain = {name: value for name, value in values.items() if is_plain(value)}
        return {self._variable(name): as_text(value) for name, value in plain.items()}

    def _variable(self, name: str) -> str:
        return f"{self.env_prefix}{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}"

    @contextlib.contextmanager
    def _written(self, params: Any) -> Iterator[str | None]:
        """Path of a JSON file of the parameters, for as long as it is needed."""
        if not self.params_file:
            yield None
            return
        with tempfile.TemporaryDirectory(
            prefix="geneticpy-", ignore_cleanup_errors=True
        ) as folder:
            path = os.path.join(folder, "params.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(params, file, default=_json_of)
            yield path

    def _check_file_name(self, parts: dict[str, Any]) -> None:
        if FILE in parts:
            raise ArgumentError(
                f"--params-file: no parameter must be named {FILE}, got {parts[FILE]!r}."
            )

    def _check_placeholder(self, name: str, parts: dict[str, Any]) -> None:
        if name == FILE and name not in parts:
            raise ArgumentError(f"command: must come with --params-file, got {{{name}}} in it.")
        if name in parts and is_plain(parts[name]):
            return
        below = [part for part in parts if part.startswith(f"{name}.")]
        above = [part for part in parts if name.startswith(f"{part}.")]
        if name in parts or above:
            part = name if name in parts else above[0]
            raise ArgumentError(
                f"command: a placeholder must stand for one value, got {{{name}}} in {part} = "
                f"{parts[part]!r}. Pass it by --params-file."
            )
        known = below or [part for part in parts if part] or ["nothing"]
        raise ArgumentError(
            f"command: placeholders must be of {', '.join(known)}, got {{{name}}}. The text "
            f"{{{name}}} is written {{{{{name}}}}}."
        )

    def _check_environment(self, parts: dict[str, Any]) -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.env_prefix or ""):
            raise ArgumentError(
                "--env-prefix: must be the beginning of a variable's name, as HP_ is, got "
                f"{self.env_prefix!r}."
            )
        names: dict[str, str] = {}
        for name in parts:
            other = names.setdefault(self._variable(name), name)
            if other != name:
                raise ArgumentError(
                    f"--env-prefix: variables must differ, got {self._variable(name)} for {other} "
                    f"and {name}."
                )

    def _check_all_passed(self, named: set[str], parts: dict[str, Any]) -> None:
        """Refuse a searched parameter that the program never sees."""
        for name, part in parts.items():
            if not _is_searched(part) or name in named:
                continue
            if not is_plain(part):
                raise ArgumentError(
                    f"command: every parameter must reach the program, got {name} = {part!r}, "
                    "which is nested or has no text. Pass it by --params-file."
                )
            if self.env_prefix is None:
                raise ArgumentError(
                    f"command: every parameter must reach the program, got no {{{name}}} in "
                    f"{' '.join(self.words)!r}, no --env-prefix and no --params-file."
                )


def as_text(value: Any) -> str:
    """Write a value as an argument or an environment variable: true, 0.1, text as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def is_plain(part: Any) -> bool:
    """Whether every value that a part of a space can take has a text."""
    if isinstance(part, ChoiceDistribution):
        return all(map(is_plain, part.choice_list))
    if isinstance(part, str):
        return "\0" not in part
    return isinstance(part, (DistributionBase, int, float, *MOMENT)) or is_frozen(part)


def _is_searched(part: Any) -> bool:
    return isinstance(part, (DistributionBase, *NESTED)) or is_frozen(part)


def _json_of(value: Any) -> str:
    if isinstance(value, MOMENT):
        return value.isoformat()
    raise TypeError(f"parameters in a JSON file must be numbers, text or tables, got {value!r}.")
