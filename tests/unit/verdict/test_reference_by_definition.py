"""What is asked of the reference, worked out a second time with SciPy and scikit-learn."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from sklearn.metrics import cohen_kappa_score, confusion_matrix
from tests.depth import times
from tests.unit.verdict.test_numbers_in_sentences import finding

import prunegate
from prunegate.policy.load import parse_policy
from prunegate.verdict.advice import _Scale
from prunegate.verdict.finding import BEATS_CONSTANT

ALPHA = 0.05
LEVEL = ALPHA / 10
FAIR = 0.2
"""Agreement from which an estimate will do where estimates decide (Landis and Koch: fair)."""
CELLS = st.lists(st.integers(0, 30), min_size=8, max_size=8)
Reason = Literal["one decision", "not shown", "unrelated candidate"] | None


def policy(evidence: str, minimum: int = 1) -> prunegate.Policy:
    return parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
        f"evidence: {{minimum: {{rows: {minimum}}}}}\n"
        f"rules: [{{metric: accuracy, max_drop: 0.5, evidence: {evidence}}}]\n"
    )


def expected(labels: object, models: list[object], evidence: str) -> Reason:
    """The first of three reasons that holds; None: the reference is shown."""
    if any(len(np.unique(one)) < 2 for one in models):
        return "one decision"
    kappas = [cohen_kappa_score(labels, one) for one in models]
    assume(min(abs(kappas[0] - FAIR), abs(kappas[1] - FAIR), abs(kappas[1] - kappas[0] / 2)) > 1e-9)
    tables = [confusion_matrix(labels, one, labels=[0, 1]) for one in models]
    chances = [fisher_exact(table, alternative="greater").pvalue for table in tables]
    alike = kappas[1] >= kappas[0] / 2
    levels = (LEVEL, 10 * LEVEL if alike else LEVEL)
    shown = [
        (evidence == "point" and kappa >= FAIR) or (kappa > 0 and chance <= level)
        for kappa, chance, level in zip(kappas, chances, levels, strict=True)
    ]
    if not shown[0]:
        return "not shown"
    return None if shown[1] else "unrelated candidate"


@pytest.mark.parametrize("evidence", ["proven", "point"])
@given(CELLS)
@settings(max_examples=times(20, thorough=400), deadline=None)
def test_the_reference_is_open_for_the_first_reason_that_holds(
    evidence: str, cells: list[int]
) -> None:
    cells = [n + (place in (0, 7)) for place, n in enumerate(cells)]  # both labels occur
    rows = pd.DataFrame(
        {
            "label": [place >> 2 for place in range(8)],
            "baseline": [place >> 1 & 1 for place in range(8)],
            "candidate": [place & 1 for place in range(8)],
            "n": cells,
        }
    )
    verdict = prunegate.judge_counts(policy(evidence), rows)
    (found,) = (f for f in verdict.findings if f.check == BEATS_CONSTANT)
    each = rows.loc[np.repeat(range(8), cells)]
    wanted = expected(each["label"], [each["baseline"], each["candidate"]], evidence)
    assert (found.status, found.open_because) == ("inconclusive" if wanted else "pass", wanted)
    kappas = [cohen_kappa_score(each["label"], each[m]) for m in ("baseline", "candidate")]
    assert [found.baseline, found.candidate] == pytest.approx(
        [0 if np.isnan(k) else k for k in kappas]
    )
    assert found.n == sum(cells)


@pytest.mark.parametrize(("minimum", "status"), [(100, "pass"), (101, "inconclusive")])
def test_the_reference_is_held_to_the_minimum_evidence(minimum: int, status: str) -> None:
    rows = pd.DataFrame({"label": [0, 1], "baseline": [0, 1], "candidate": [0, 1], "n": [50, 50]})
    verdict = prunegate.judge_counts(policy("proven", minimum), rows)
    (found,) = (f for f in verdict.findings if f.check == BEATS_CONSTANT)
    assert found.status == status
    if status == "inconclusive":
        assert (found.open_because, found.needed, found.needed_unit) == (
            "minimum evidence", 1, "rows"
        )  # fmt: skip


@given(st.integers(0, 500), st.integers(0, 900), st.integers(0, 900), st.booleans())
def test_rows_of_a_kind_are_asked_for_in_proportion(
    rows: int, n: int, held: int, own: bool
) -> None:
    """As many of all rows as hold that many of the kind: no fewer, and not a whole one more."""
    asked = _Scale(finding=finding(n=n), held=held, own=own).in_unit(rows)
    if own:
        assert asked == rows
    else:
        assert rows * held <= asked * max(n, 1) < rows * held + max(n, 1)
