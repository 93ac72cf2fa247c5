"""Losses remembered on disk, so that expensive ones are paid for once."""

import json
import math

import environments

FOLDER = environments.CACHE / "losses"


class Remembered:
    """A deterministic loss whose values are kept in an append-only file.

    Parameters
    ----------
    loss : callable
        Parameters to a float.
    label : str
        Name of the file; it must tell everything that the values depend on.
    """

    def __init__(self, loss, label):
        self._loss = loss
        self._path = FOLDER / f"{label}.jsonl"
        self._known = dict(self._lines())

    def _lines(self):
        """Generate the stored pairs; a line torn by a kill is ignored."""
        if not self._path.exists():
            return
        for line in self._path.read_text().splitlines():
            try:
                key, value = json.loads(line)
            except ValueError:
                continue
            yield key, value

    def __call__(self, params):
        key = json.dumps(params, sort_keys=True)
        if key not in self._known:
            value = float(self._loss(params))
            if not math.isfinite(value):
                raise ValueError(f"{self._path.stem}: losses must be finite, got {value!r}.")
            self._known[key] = value
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(json.dumps([key, value]) + "\n")
        return self._known[key]
