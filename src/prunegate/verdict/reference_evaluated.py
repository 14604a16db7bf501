"""Evaluated: what is known of both models on the rows of a slice, and how many it would take.

Where models decide it is how far decisions agree with labels (``stats/agreement.py``); where they
give scores, how far these order the rows as the labels do (``stats/order_agreement.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from prunegate.counting.order_sums import OrderSums
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import Sums
from prunegate.evidence.further_rows import HOPELESS, rows_for_score
from prunegate.evidence.partial_agreement import Model
from prunegate.stats.agreement import Agreement
from prunegate.stats.order_agreement import OrderAgreement, order_agreement

Known = Agreement | OrderAgreement
"""How far one model agrees with the labels of a slice."""
FAIR = 0.2
"""Agreement beyond chance that will do where the policy lets estimates decide: fair (Landis & Koch
1977, Biometrics 33, 159-174); a coin has it on 100 rows 2 % of the time, on 300 hardly ever."""


def is_shown(model: Known, level: float, *, points: bool) -> bool:
    """Whether a model is shown to agree with the labels beyond chance.

    Args:
        model: what is known of it.
        level: of the test.
        points: whether an estimate will do.
    """
    return (points and model.value >= FAIR) or (model.value > 0 and model.p_value <= level)


def orders_of(counts: SliceCounts) -> OrderSums | None:
    """How scores order the rows of a slice; None: earlier records do not tell."""
    scores = counts.tally.scores if isinstance(counts.tally, Sums) else None
    return None if scores is None else scores.order


def order_of(sums: OrderSums, model: Model) -> OrderAgreement:
    """How far one model's scores order the rows of a slice as the labels do."""
    place = 1 if model == "baseline" else 2
    return order_agreement(
        sums.rows,
        sums.weighing,
        sums.products[place - 1],
        (sums.squares[0], sums.squares[place]),
        (sums.cubes[0], sums.cubes[place]),
    )


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The models' agreement with the labels of a slice."""

    here: Known
    """The baseline's."""
    candidate: Known
    rarest: int
    """Rows of the rarest class here."""
    whole: Known | None = None
    """The baseline's of all rows; None: they are of one class, or it is not asked."""
    label: str | None = None
    """The one of several labels that it is about."""
    class_alone: str | None = None
    """The class, against the rest, that it is about, of a finding on the whole slice."""

    def further(self, alpha: float) -> int | None:
        """Rows that would likely show it, by what the slice has seen, or else all rows have.

        Where not even decisions that are all right could show it on so few rows of a class: as many
        as they would take. None where no number of rows that anybody labels would do.
        """
        held = self.here.rows
        for seen in (self.here, self.whole):
            if seen is None or seen.score <= 0:
                continue
            total = rows_for_score(seen.rows, seen.score, alpha)
            if held < total <= held + HOPELESS:
                return math.ceil(total - held)
        if isinstance(self.here, OrderAgreement):
            return None
        times = 1
        while _all_right(held * times, self.rarest * times) > math.log(alpha):
            times += 1
        return held * (times - 1) or None

    def if_little_better(self, alpha: float) -> int | None:
        """Rows, in all, that likely show a baseline which is right a little oftener than by chance.

        None: how much rows scatter cannot be told, or there are as many rows already.
        """
        here = self.here
        if isinstance(here, OrderAgreement) or not here.score:
            return None
        spread = (here.right - here.chance) / here.score  # of the rows that are right
        if not 0 < spread < math.inf:
            return None
        total = math.ceil(rows_for_score(here.rows, LITTLE * here.rows / spread, alpha))
        return total if total > here.rows else None


LITTLE = 0.02
"""Share of rows that a baseline which knows little gets right beyond chance: 52 % against 50 %."""


def _all_right(rows: int, rarest: int) -> float:
    """Logarithm of the p-value of decisions that are all right, of two classes."""
    logs = (math.lgamma(part + 1) for part in (rarest, rows - rarest, rows))
    return next(logs) + next(logs) - next(logs)
