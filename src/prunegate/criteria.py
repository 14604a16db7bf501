"""The importance criteria that a prune step can name: one entry says all there is to say of one.

Two rooms meet here. The policy (pure, no torch) needs a criterion's name, whether it looks at
labelled rows and what it can score; ``compress`` needs the arithmetic, a class behind the interface
``Scoring`` of ``compress/scoring/by_criterion.py``. The entry lies below both and names that class
as entry points are named, ``module:Class``; it is loaded when something is first ranked with it,
and by nobody else.

A new criterion is its class and one entry here. From outside: ``CRITERIA.add(...)`` before
``prunegate.policy`` is imported, because the policy's schema lists the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from prunegate.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """What ranks the units, or the single weights, that a prune step chooses from."""

    name: str
    """As a policy spells it."""
    words: str
    """A unit's score, for people."""
    scoring: str
    """``module:Class``, a ``compress.scoring.by_criterion.Scoring``: how it scores."""
    looks_at_rows: bool = False
    """Whether it looks at labelled rows."""
    scores_weights: bool = True
    """Whether single weights have a score of their own, too."""


CRITERIA: Registry[Criterion] = Registry(
    "criterion",
    attrgetter("name"),
    (
        Criterion(
            name="taylor",
            words="mean over rows of |d loss / d gate|; the gate multiplies what it hands on",
            scoring="prunegate.compress.scoring.taylor:Taylor",
            looks_at_rows=True,
        ),
        Criterion(
            name="magnitude",
            words="L2 norm of all its weights",
            scoring="prunegate.compress.scoring.magnitude:Magnitude",
        ),
        Criterion(
            name="activation",
            words="mean absolute value of what it hands on",
            scoring="prunegate.compress.scoring.activation:Activation",
            looks_at_rows=True,
        ),
        Criterion(
            name="random",
            words="a seeded draw: the control that the others have to beat",
            scoring="prunegate.compress.scoring.random_draw:RandomDraw",
        ),
    ),
)
"""Every criterion by the name that a policy uses."""
CONTROL = "random"
"""The criterion that the others have to beat."""


def ranked_by_rows() -> tuple[str, ...]:
    """The criteria that look at labelled rows."""
    return tuple(name for name, criterion in CRITERIA.items() if criterion.looks_at_rows)
