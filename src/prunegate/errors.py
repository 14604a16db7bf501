"""The error tree: everything that prunegate raises on purpose.

::

    PrunegateError
    ├── InputError             bad input: one message that says what to do   exit 2
    │   ├── PolicyError        the policy file; lists every mistake at once
    │   │   └── ClaimsError    a claims file
    │   ├── TableError         predictions, counts or labelled data
    │   │   └── MissingColumnsError   names the columns that a table lacks
    │   ├── ContractError      the data contract does not hold
    │   │   └── TooFewRowsError    nothing is wrong but the number of rows   exit 4
    │   ├── ModelError         a model or candidate folder
    │   └── MeasurementError   a measurements file
    ├── UnsupportedError       asked for by name, not built (says what is)   exit 2
    ├── EvidenceError          audit evidence does not verify                exit 6
    └── InternalError          our own mistake, never the user's             exit 1

A broken *rule* is not an error: it is a ``Finding`` with status ``fail``. ``Ended`` is none either:
somebody asked us to end, as Ctrl-C does.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence


class PrunegateError(Exception):
    """Base of every error raised on purpose."""

    exit_code = 1


class InputError(PrunegateError):
    """The input cannot be judged; the message says what to change."""

    exit_code = 2


class PolicyError(InputError):
    """The policy file is refused; ``mistakes`` lists every reason, one line each."""

    what = "the policy"

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        count = len(self.mistakes)
        noun = "mistake" if count == 1 else "mistakes"
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        super().__init__(f"{count} {noun} in {self.what}:\n{lines}")


class ClaimsError(PolicyError):
    """A claims file is refused; ``mistakes`` lists every reason, one line each."""

    what = "the claims"


class TableError(InputError):
    """A predictions table, counts table or data table is malformed."""


class MissingColumnsError(TableError):
    """A table lacks columns that are needed; ``missing`` names them."""

    def __init__(self, message: str, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(message)


class ContractError(InputError):
    """The labelled data break the data contract; nothing was loaded or judged."""


class TooFewRowsError(ContractError):
    """Slices of labelled data have too few rows: a verdict on them would be inconclusive."""

    exit_code = 4


class ModelError(InputError):
    """A model or candidate folder cannot be used."""


class AmountError(ModelError):
    """A step's amount cannot be met by what its model has; ``beyond`` says whether it is too much.

    Where it is not beyond what can go, nothing would go, or less than the step needs. ``told`` is
    the message as it was made, which may know what it says.
    """

    def __init__(self, message: str, *, beyond: bool) -> None:
        self.told, self.beyond = message, beyond
        super().__init__(message)


class MeasurementError(InputError):
    """A measurements file cannot be used."""


class UnsupportedError(InputError):
    """Something known by name that this version does not do; the message says what it does."""


class EvidenceError(PrunegateError):
    """Audit evidence does not verify; the message names the first thing that is wrong and where."""

    exit_code = 6


class InternalError(PrunegateError):
    """prunegate contradicted itself; please report it."""


class Ended(BaseException):
    """Somebody asks us to end: a CI job that was cancelled, a container that stops."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)
