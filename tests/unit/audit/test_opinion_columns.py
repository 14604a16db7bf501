"""The columns that the second opinion looks at, worked out by hand on verdicts of a few rows."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pandas as pd
import pytest

import prunegate
from prunegate.audit.expected_findings import on_reference
from prunegate.audit.opinion import facts as anew
from prunegate.audit.opinion.distances import FACTORS, LEVELS, MARGINS
from prunegate.audit.opinion.facts import ABOUT, LEAST_WORTH, facts
from prunegate.audit.opinion.laws import columns
from prunegate.evidence.weighted_rates import LEAST_EFFECTIVE
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.policy.load import parse_policy
from prunegate.stats import delong, pulled
from prunegate.verdict import reference, reference_evaluated
from prunegate.verdict.finding import BEATS_CONSTANT, Verdict

HEAD = "prunegate: 1\nname: x\ntask: {kind: %s}\n%srules: [{metric: %s}]\n"
BINARY = "binary, positive: 1, threshold: 0.5"
POINT = "evidence: point"


def table(rows: int, *, weight: float = 1.0) -> pd.DataFrame:
    """Half of the rows positive, the candidate as good as the baseline, one row heavy."""
    label = [i % 2 for i in range(rows)]
    data = {"id": range(rows), "label": label, "baseline": label, "candidate": label}
    return pd.DataFrame(data).assign(w=[weight] + [1.0] * (rows - 1))


@pytest.mark.parametrize(
    ("limit", "kind"),
    [("0.1", "absolute"), ("{relative: 0.1}", "relative"), ("{error_ratio: 0.1}", "error_ratio")],
)
def test_a_finding_has_the_limit_of_its_rule_in_the_kind_that_it_is_written_in(
    limit: str, kind: str
) -> None:
    policy = parse_policy(HEAD % (BINARY, "", f"recall, max_drop: {limit}"))
    verdict = prunegate.judge(policy, table(40))
    assert columns(policy, verdict)["asked"] == [1.0] * len(verdict.findings)
    for wrong in ({"limit": 0.2}, {"limit_kind": "absolute" if kind != "absolute" else "relative"}):
        assert columns(policy, changed(verdict, **wrong))["asked"][0] == 0.0


def changed(verdict: Verdict, **wrong: object) -> Verdict:
    first, *rest = verdict.findings
    return replace(verdict, findings=(replace(first, **wrong), *rest))  # type: ignore[arg-type]


def test_weighted_rows_are_worth_what_the_sums_say_or_where_none_are_shown_what_is_stated() -> None:
    """Kish: the square of the sum of weights over the sum of their squares."""
    rows, heavy = 40, 8.0
    policy = parse_policy(HEAD % (BINARY, "weight: w\n", "accuracy, max_drop: 0.9"))
    verdict = prunegate.judge(policy, table(rows, weight=heavy))
    total, squares = rows - 1 + heavy, rows - 1 + heavy**2
    by_hand = LEAST_WORTH - int(total**2 / squares)
    assert facts(policy, verdict)["lacking"][0] == by_hand
    stated = changed(verdict, effective=7)
    assert facts(policy, stated)["lacking"][0] == by_hand, "sums speak, not the statement"
    (whole,) = verdict.slices
    bare = replace(stated, slices=(replace(whole, weights=None),))
    assert facts(policy, bare)["lacking"][0] == LEAST_WORTH - 7


@pytest.mark.parametrize("shown", ["rows", "weights", "no weights"])
@pytest.mark.parametrize("minimum", [(1, 1), (10, 1), (1, 10), (30, 15), (41, 21)])
def test_a_finding_lacks_what_its_rows_are_short_of(minimum: tuple[int, int], shown: str) -> None:
    """Where an estimate decides; of rows without their weights there are none."""
    rows, positives = minimum
    evidence = f"evidence: {{minimum: {{rows: {rows}, positives: {positives}}}}}\n"
    weight = "" if shown == "rows" else "weight: w\n"
    policy = parse_policy(HEAD % (BINARY, weight + evidence, "accuracy, at_least: 0.1, " + POINT))
    verdict = prunegate.judge(policy, table(40))
    (whole,) = verdict.slices
    if shown == "no weights":
        verdict = replace(verdict, slices=(replace(whole, weights=None),))
    there = (0, 0) if shown == "no weights" else (40, 20)
    short = max(rows - there[0], positives - there[1])
    assert facts(policy, verdict)["lacking"][0] == max(short, 0)


CELLS = (100, 7, 11, 13, 5, 2, 3, 17)
"""By label, baseline and candidate; 27 positives of 158 rows."""
FLOORS = {
    "auc, max_drop: 0.1": 50 - 27,
    "average_precision, max_drop: 0.1": 100 - 27,
    "recall_at_fpr, at: 0.1, max_drop: 0.1": 185 - 131,
    "precision_at_recall, at: 0.75, max_drop: 0.1": 74 - 27,
    "brier, max_rise: 0.1": 300 - 158,
    "precision, max_drop: 0.1": 50 - (7 + 13 + 2 + 17),
    "f1, max_drop: 0.1": 50 - (7 + 13 + 27),
    "precision, at_least: 0.1": 0,
    "recall, max_drop: 0.1": 0,
}
"""What proven limits lack of what docs/statistics.md says that their method needs."""


@pytest.fixture(scope="module")
def plain() -> Verdict:
    policy = parse_policy(HEAD % (BINARY, "", "accuracy, max_drop: 0.1"))
    return prunegate.judge(policy, table(40))


@pytest.mark.parametrize(("rule", "short"), FLOORS.items())
@pytest.mark.parametrize("turned", [False, True])
def test_a_proven_limit_lacks_what_its_method_needs(
    rule: str, short: int, turned: bool, plain: Verdict
) -> None:
    """Whichever of the models flags fewer rows."""
    scores = "data: {scores: {prefix: s_}}\n"
    policy = parse_policy(HEAD % (BINARY, scores, rule))
    (check,) = policy.rules[0].limits
    verdict = changed(plain, metric=policy.rules[0].metric, check=check)
    cells = tuple(CELLS[cell & 4 | cell >> 1 & 1 | (cell & 1) << 1] for cell in range(8))
    (whole,) = verdict.slices
    summary = replace(whole, rows=158, positives=27, cells=cells if turned else CELLS)
    found = facts(policy, replace(verdict, slices=(summary,)))
    assert found["lacking"][0] == max(short, 1 - 27)


TASKS = {
    BINARY: {"brier": 1.0, "log_loss": anew.LARGEST["log_loss"]},
    "multiclass, classes: [a, b, c]": {"brier": 2.0, "log_loss": anew.LARGEST["log_loss"]},
    "score, range: [1, 5]": {"rmse": 4.0},
    "score": {},
}
"""The most that a loss can be, by task; of whatever is not named no end is known."""


@pytest.mark.parametrize(("task", "most"), TASKS.items(), ids=TASKS)
def test_no_metric_but_a_loss_has_a_largest_value(
    task: str, most: dict[str, float], plain: Verdict
) -> None:
    policy = parse_policy(HEAD % (task, "", "model_bytes, at_most: 1"))
    for name, metric in METRICS.items():
        if task.partition(",")[0] in metric.tasks and not metric.per_class:
            found = facts(policy, changed(plain, metric=name))["largest"][0]
            assert found == most.get(name, math.inf), name


def test_the_cells_of_a_metric_are_those_of_the_catalogue() -> None:
    """The second opinion has its own table on purpose; this holds the two against each other."""
    for name, cells in ABOUT.items():
        assert len(set(cells)) == len(cells)
        assert set(cells) == set(METRICS[name].forms["binary"].base.cells), name


def test_the_numbers_of_the_second_opinion_are_those_of_the_gate() -> None:
    assert reference_evaluated.FAIR == anew.FAIR
    assert reference.PART == anew.REFERENCE_TIMES
    assert LEAST_EFFECTIVE == LEAST_WORTH
    assert anew.PAIRS_FROM | anew.ROWS_FROM == {"auc": delong.RELIABLE, **pulled.RELIABLE}


def test_the_second_opinion_has_arithmetic_for_every_check() -> None:
    forms = {"level": LEVELS, "margin": MARGINS, "factor": FACTORS}
    for form, known in forms.items():
        assert set(known) == {name for name, check in CHECKS.items() if check.form == form}
    tighter_down = {name for name, sign in (LEVELS | FACTORS).items() if sign > 0}
    assert tighter_down == {name for name in {*LEVELS, *FACTORS} if CHECKS[name].tighter == "lower"}


def test_the_numbers_of_the_second_opinion_are_what_mathematics_says() -> None:
    """Brier (1950): two squares; the largest loss of a float; Chernoff: exp(-n / 2) = 1/10,000."""
    assert anew.LARGEST["brier"] == 1**2 + 1**2
    assert 0 <= anew.LARGEST["log_loss"] + math.log(sys.float_info.epsilon) < 0.01
    assert math.exp(-anew.NEGATIVES_AT / 2) == pytest.approx(1e-4, rel=1e-3)


@pytest.mark.parametrize("kept", [(0, 7), (3, 7), (3, 4), (0, 4), (0, 3), (4, 7), (3,)])
def test_a_reference_is_foreseen_where_labels_differ_whatever_the_models_say(
    kept: tuple[int, ...],
) -> None:
    policy = parse_policy(HEAD % (BINARY, "", "accuracy, max_drop: 0.1"))
    cells = [(cell >> 2, cell >> 1 & 1, cell & 1, 50 * (cell in kept)) for cell in range(8)]
    counts = pd.DataFrame(cells, columns=["label", "baseline", "candidate", "n"])
    verdict = prunegate.judge_counts(policy, counts)
    differ = len({cell >> 2 for cell in kept}) == 2
    assert len(on_reference(policy, verdict.slices)) == differ
    assert [f.check for f in verdict.findings].count(BEATS_CONSTANT) == differ


def test_a_slice_that_is_not_shown_tells_of_no_model_that_decides_all_alike() -> None:
    policy = parse_policy(HEAD % (BINARY, "", "recall, max_drop: 0.1"))
    verdict = prunegate.judge(policy, table(40).assign(candidate=1))
    assert facts(policy, verdict)["constant"].any()
    assert not facts(policy, replace(verdict, slices=()))["constant"].any()
