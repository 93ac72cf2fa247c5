"""What a loss and a space are made of, kept in a journal to make them again."""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from geneticpy.cli import space_file
from geneticpy.cli.command import split
from geneticpy.cli.options import option
from geneticpy.cli.passing import Passing
from geneticpy.cli.program import Program
from geneticpy.errors import ArgumentError
from geneticpy.jsonable import as_plain

NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True)
class Recipe:
    """A run of the command line, without its journal.

    Attributes
    ----------
    target : list of str
        The words of a command, or one that names a function: ``module:function``.
    space : str
        TOML, or ``module:space``.
    space_file : str or None
        Where the TOML was read; None for a space of a module.
    directory : str
        Where programs run and modules are found.
    passing : dict
        Options of `Passing` and of `Program` that `optimize` does not know.
    arguments : dict
        Of `optimize`.
    """

    target: list[str]
    space: str
    space_file: str | None
    directory: str
    passing: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)

    def changed(self, directory: str, arguments: dict[str, Any]) -> Recipe:
        """Make one with another directory and some other arguments of `optimize`."""
        given = {name: value for name, value in arguments.items() if value is not None}
        return replace(self, directory=directory, arguments=self.arguments | given)

    @property
    def function(self) -> str | None:
        """The name of the function; None if the target is a command."""
        named = len(self.target) == 1 and NAME.fullmatch(self.target[0])
        return self.target[0] if named else None

    def prepare(self) -> Prepared:
        """Make the loss and the space, and check that they go together.

        Raises
        ------
        GeneticPyError
            For what cannot be found, read or passed on.
        """
        if self.directory not in sys.path:
            sys.path.insert(0, self.directory)
        space = self._space()
        if self.function is not None:
            return self._prepare_function(self.function, space)
        return self._prepare_program(space)

    def _space(self) -> Any:
        if self.space_file is None:
            return imported("--space", self.space)
        return space_file.load(self.space, self.space_file)

    def _prepare_function(self, name: str, space: Any) -> Prepared:
        if self.passing:
            named = ", ".join(map(option, self.passing))
            raise ArgumentError(f"loss: must be a command for {named}, got {name}.")
        function = imported("loss", name)
        if not callable(function):
            raise ArgumentError(f"loss: must be a function, got {name} = {function!r}.")
        arguments = dict(self.arguments)
        if "evaluation_timeout" in arguments:
            arguments.setdefault("workers", 1)  # a process, which can be killed
        return Prepared(Loss(function, self), space, arguments, _nothing)

    def _prepare_program(self, space: Any) -> Prepared:
        words = split(self.target[0]) if len(self.target) == 1 else self.target
        options = dict(self.passing)
        loss_pattern = options.pop("loss_pattern", None)
        passing = Passing(tuple(words), **options)
        passing.check(space)
        arguments = dict(self.arguments)
        limits = {
            name: arguments.pop(key)
            for name, key in (("timeout", "evaluation_timeout"), ("retries", "retries"))
            if key in arguments
        }
        program = Program(passing, loss_pattern=loss_pattern, **limits)
        arguments["workers"] = f"threads:{arguments.get('workers', 1)}"
        return Prepared(Loss(program, self), space, arguments, program.stop)


@dataclass(frozen=True)
class Prepared:
    """What `optimize` is called with.

    Attributes
    ----------
    loss : Loss
    space : nested data
    arguments : dict
    stop : callable
        Ends the programs that the run has left.
    """

    loss: Loss
    space: Any
    arguments: dict[str, Any]
    stop: Callable[[], None]


class Loss(functools.partial):  # keeps the signature of the function
    """A loss that knows how it was made.

    Parameters
    ----------
    function : callable
    made_by : Recipe
    """

    _recipe: Recipe

    def __new__(cls, function: Callable[..., Any], made_by: Recipe | None = None) -> Loss:
        loss = super().__new__(cls, function)
        if made_by is not None:  # a copy in another process has it in its state
            loss._recipe = made_by
        return loss

    def recipe(self) -> dict[str, Any]:
        """Give what a journal keeps, to make it again."""
        kept: dict[str, Any] = as_plain(asdict(self._recipe))
        return kept


def read_space(given: str) -> tuple[str, str | None]:
    """Text and path of a space file, or the name of a space in a module and None.

    Raises
    ------
    ArgumentError
        For a file that cannot be read.
    """
    if NAME.fullmatch(given):
        return given, None
    try:
        return Path(given).read_text(encoding="utf-8-sig"), given
    except (OSError, ValueError) as error:
        raise ArgumentError(
            f"--space: must be a TOML file in UTF-8 or module:name, got {given!r}: {error}"
        ) from None


def imported(what: str, name: str) -> Any:
    """Find what ``module:name`` names.

    Raises
    ------
    ArgumentError
        For a module that cannot be imported, with the line that failed, or that lacks the name.
    """
    module_name, _, path = name.partition(":")
    try:
        found = importlib.import_module(module_name)
    except Exception as error:
        raise ArgumentError(
            f"{what}: {module_name} must be a module that can be imported in {os.getcwd()}, got "
            f"{type(error).__name__}: {error}{_line_of(error)}"
        ) from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise ArgumentError(f"{what}: {module_name} must have {path}, got {found!r}.")
        found = getattr(found, part)
    return found


def _line_of(error: Exception) -> str:
    """Line of the user's file that raised; empty if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    others = (__file__, importlib.__file__)
    own = [f for f in frames if f.filename not in others and not f.filename.startswith("<")]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""


def _nothing() -> None:
    """Stop what needs no stopping."""
