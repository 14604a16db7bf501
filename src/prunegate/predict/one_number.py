"""One number: whether a model gives a score a row, by its description alone. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prunegate.data.predictions.columns import shown
from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.refusals import is_regressor
from prunegate.predict.classes import outputs_named

_SHOWN = 5


def require_one_number(config: Mapping[str, Any], place: object, *, prune: bool = False) -> None:
    """Insist that a model answers a row with one number, as far as its description says.

    A model with one output that does not say what it is for does as it is: the policy says it.

    Args:
        config: the content of its config.json; empty where a graph lies alone.
        place: what errors call it.
        prune: whether it is to be trained and cut, for which config.json has to say it.

    Raises:
        ModelError: it has several outputs, or nothing says that it was trained on numbers.
        UnsupportedError: it is a classifier.
    """
    regressor, problem = is_regressor(config), config.get("problem_type")
    described = bool({"architectures", "id2label", "num_labels"} & config.keys())
    names = outputs_named(config) if described else ("score",)
    if (problem is not None and not regressor) or (len(names) > 1 and not regressor):
        why = f"problem_type {problem!r}" if problem is not None else _listed(names)
        raise UnsupportedError(
            f"{place}: a classifier ({why}), and 'task: {{kind: score}}' judges regressors, which "
            "answer a row with one number; give such a model, or correct 'task: kind:'"
        )
    if len(names) > 1:
        raise ModelError(
            f"{place}: answers a row with {len(names)} numbers ({_listed(names)}), and a score is "
            "one; judge one of them: write it with 'prunegate predict --positive NAME' for both "
            "models, then 'prunegate gate'"
        )
    if prune and not regressor:
        raise ModelError(
            f"{place}: has one output, and its config.json does not say that it is a number to be "
            'trained; write "problem_type": "regression" there where it is'
        )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"outputs {', '.join(map(shown, names[:_SHOWN]))}{more}"
