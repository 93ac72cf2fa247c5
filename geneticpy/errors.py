"""What geneticpy raises and warns with."""


class GeneticPyError(Exception):
    """Base of all errors of this package.

    Attributes
    ----------
    result : OptimizeResult or None
        Everything evaluated before the error, when a run was under way.
    """

    result = None


class SpaceError(GeneticPyError, ValueError, AssertionError):
    """A parameter space, or a point that does not fit it.

    Also an AssertionError, because GeneticPy raised that for its distributions.
    """


class ArgumentError(GeneticPyError, ValueError, TypeError):
    """An argument of a call is unknown, of the wrong kind or out of range."""


class LossError(GeneticPyError, ValueError, TypeError):
    """The loss function returned something that is not a number."""


class EvaluationError(GeneticPyError, RuntimeError):
    """Every evaluation of the first generation failed."""


class JournalError(GeneticPyError, RuntimeError):
    """A journal cannot be read, written or continued."""


class JournalWarning(UserWarning):
    """A journal could not be replayed; the run goes on from its points."""


class EvaluationWarning(UserWarning):
    """Some evaluations failed and were skipped."""


class ConstraintWarning(UserWarning):
    """The constraint refuses almost every random draw."""
