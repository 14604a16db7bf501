"""What a criterion's arithmetic looks like, and scoring by a criterion's name.

A criterion is registered in ``prunegate/criteria.py``; its entry names a ``Scoring``, which is
loaded here when something is first ranked with it. Scores of units are numpy, one array per row;
scores of single weights are tensors of the parameters' shapes. Larger stays longer, in both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from torch import Tensor, nn

from prunegate.compress.ranking_input import RankingInput
from prunegate.compress.scores import Scores, checked
from prunegate.criteria import CRITERIA
from prunegate.errors import InternalError, UnsupportedError
from prunegate.models.kept_units import Kind


class Scoring(ABC):
    """How one criterion scores. The model is left as it was: weights, mode and device."""

    @abstractmethod
    def unit_scores(self, ranked: RankingInput, kind: Kind) -> Scores:
        """Score the units of a kind that are present: float64 [units] per row, none negative."""

    def weight_scores(
        self, ranked: RankingInput, tensors: Mapping[str, nn.Parameter]
    ) -> dict[str, Tensor]:
        """Score single weights: a tensor of its shape for each parameter.

        A criterion without such scores leaves this out, and says so in its entry.

        Raises:
            NotImplementedError: it has none.
        """
        raise NotImplementedError


def rank(criterion: str, ranked: RankingInput, kind: Kind) -> Scores:
    """Score every unit of a kind that is present, row by row.

    Raises:
        UnsupportedError: no criterion of that name.
        TableError: the criterion needs calibration data and there are none.
        ModelError: a score that is not finite, or negative.
    """
    check_criterion(criterion)
    return checked(_scoring(criterion).unit_scores(ranked, kind))


def rank_weights(
    criterion: str, ranked: RankingInput, tensors: Mapping[str, nn.Parameter]
) -> dict[str, Tensor]:
    """Score single weights.

    Args:
        criterion: A name in ``CRITERIA``.
        ranked: The model and what may be used to rank it.
        tensors: What is scored, by parameter name.

    Returns:
        A tensor of each parameter's shape; a larger score stays longer.

    Raises:
        UnsupportedError: no criterion of that name, or none for single weights.
        TableError: the criterion needs calibration data and there are none.
    """
    check_criterion(criterion, weights=True)
    scores = _scoring(criterion).weight_scores(ranked, tensors)
    return {name: score.detach().cpu() for name, score in scores.items()}


def check_criterion(criterion: str, *, weights: bool = False) -> None:
    """Refuse a name that is not a criterion, before anything is computed.

    Args:
        criterion: The name.
        weights: Whether it has to score single weights.

    Raises:
        UnsupportedError: no criterion of that name, or none for single weights.
    """
    able = [name for name, one in CRITERIA.items() if one.scores_weights or not weights]
    if criterion not in able:
        known = ", ".join(able)
        of = " for single weights" if criterion in CRITERIA else ""
        raise UnsupportedError(
            f"criterion {criterion!r} is not supported{of}; choose one of: {known}."
        )


@cache
def _scoring(criterion: str) -> Scoring:
    module, _, name = CRITERIA[criterion].scoring.partition(":")
    found = getattr(import_module(module), name)()
    if not isinstance(found, Scoring):
        raise InternalError(f"{CRITERIA[criterion].scoring} is no Scoring; derive it from that.")
    return found
