"""Which models give a score a row, by their descriptions alone."""

from __future__ import annotations

from typing import Any

import pytest

from prunegate.errors import InputError
from prunegate.predict.one_number import require_one_number

ARCHITECTURE = {"architectures": ["BertForSequenceClassification"]}
ONE = {"id2label": {"0": "LABEL_0"}}
REGRESSOR = {"problem_type": "regression"}


@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize("config", [{**ARCHITECTURE, **ONE}, {"num_labels": 1}])
def test_a_regressor_with_one_output_does(config: dict[str, Any], prune: bool) -> None:
    require_one_number({**config, **REGRESSOR}, "m", prune=prune)
    if not prune:  # as cross-encoders are saved, and graphs that lie alone
        require_one_number(config, "m")
        require_one_number({}, "m")


@pytest.mark.parametrize(
    ("config", "prune", "message"),
    [
        (ARCHITECTURE, False, "m: a classifier .outputs 'LABEL_0', 'LABEL_1'"),
        (
            {**ARCHITECTURE, "id2label": {"0": "a", "1": "b"}},
            True,
            "classifier .outputs 'a', 'b'",
        ),
        (
            {**ONE, "problem_type": "multi_label_classification"},
            False,
            "a classifier .problem_type",
        ),
        ({**REGRESSOR, "num_labels": 7}, False, "7 numbers .* and 2 more.* --positive NAME"),
        ({**ARCHITECTURE, **REGRESSOR}, False, "2 numbers"),
        ({**ARCHITECTURE, **ONE}, True, '"problem_type": "regression"'),
    ],
)
def test_others_are_told_what_they_are(config: dict[str, Any], prune: bool, message: str) -> None:
    with pytest.raises(InputError, match=message):
        require_one_number(config, "m", prune=prune)
