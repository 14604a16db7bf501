"""Tests of many tables at once are, table by table, the tests that the gate takes."""

from __future__ import annotations

import numpy as np
import pytest

from prunegate.evidence.of_metric import of_decisions
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, Bound
from prunegate.planning import tests as planned

TABLES = np.array(
    [
        (400, 8, 10, 30, 20, 12, 18, 380),
        (90, 9, 3, 8, 3, 7, 2, 60),
        (60, 0, 0, 4, 5, 0, 0, 41),
        (30, 4, 6, 9, 12, 6, 4, 25),
        (90, 9, 3, 8, 3, 7, 2, 60),
    ]
)
LIMITS = (("at_least", 0.8), ("at_most", 0.3), ("at_least", 0.0), ("max_gain", 0.1))
LOSS = {"higher": "max_drop", "lower": "max_rise"}
NAMES = [n for n, m in METRICS.items() if "binary" in m.forms and not m.from_scores("binary")]


@pytest.mark.parametrize("metric", NAMES)
def test_each_table_has_its_own_p_value(metric: str) -> None:
    known = METRICS[metric]
    asked = [*LIMITS, (LOSS[known.better], 0.05), (LOSS[known.better], 0.0)]
    if not known.paired:
        asked = [one for one in asked if one[0] in ("at_least", "at_most")]
    for check, value in asked:
        claim = CHECKS[check].claim(Bound(value=value), known)
        many = planned.tested(metric, claim, TABLES)
        singly = [of_decisions(metric, tuple(cells)).test(claim) for cells in TABLES.tolist()]
        everywhere = np.ones(len(TABLES), dtype=bool)
        for level in (0.001, 0.05, 0.3):
            clear = [abs(one.p_value - level) > 1e-6 for one in singly]
            assert (many.passes(level) == [one.p_value <= level for one in singly])[clear].all()
            clear = [abs(one.p_harm - level) > 1e-6 for one in singly]
            found = many.harms(level, everywhere)
            assert (found == [one.p_harm <= level for one in singly])[clear].all()
            assert not many.harms(level, ~everywhere).any()
        for place, one in enumerate(singly):
            assert many.harm(place) == pytest.approx(one.p_harm, abs=1e-6)
