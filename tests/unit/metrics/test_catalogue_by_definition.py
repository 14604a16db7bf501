"""Every entry of the catalogue against its definition, written down a second time here.

Cells are ``4 * label + 2 * baseline + candidate``. A form says which cells a value rests on and in
which ones the candidate's errors and corrections move it: both follow from the textbook formula by
moving single rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.counting import label_set_tables as tables

import prunegate
from prunegate.counting.count import count_table, open_predictions
from prunegate.evidence.of_metric import WantedMetric, evidence, of_decisions
from prunegate.metrics.catalogue import METRICS, REFERENCE, metric_named, per_class, priced, timed
from prunegate.metrics.forms import Flips, Overlapping, SharedRows
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.load import parse_policy

Cells = Sequence[int]
CELLS = st.lists(st.integers(1, 40), min_size=8, max_size=8)


def rates(cells: Cells, bit: int) -> dict[str, Fraction]:
    """The textbook formulas of one model (2: baseline, 1: candidate) from eight counts."""
    count = {(y, says): 0 for y in (0, 1) for says in (0, 1)}
    for cell, n in enumerate(cells):
        count[cell >> 2, int(bool(cell & bit))] += n
    hits, misses, alarms, left = (count[at] for at in ((1, 1), (1, 0), (0, 1), (0, 0)))
    return {
        "precision": Fraction(hits, hits + alarms),
        "recall": Fraction(hits, hits + misses),
        "specificity": Fraction(left, left + alarms),
        "false_positive_rate": Fraction(alarms, left + alarms),
        "f1": Fraction(2 * hits, 2 * hits + alarms + misses),
        "accuracy": Fraction(hits + left, sum(cells)),
        "negative_flip_rate": Fraction(cells[0b110] + cells[0b001], sum(cells)),
        "churn": Fraction(cells[0b110] + cells[0b001] + cells[0b101] + cells[0b010], sum(cells)),
    }


RATES = tuple(rates([1] * 8, 1))


def test_every_rate_of_yes_and_no_has_its_formula_here() -> None:
    """A metric that is new is held to the laws below by writing its formula into ``rates``."""
    counted = SharedRows | Overlapping | Flips
    of_cells = {name for name, one in METRICS.items() if isinstance(one.of_yes_no, counted)}
    assert of_cells == set(RATES), "write the formula of what is missing into rates()"


def turned(name: str, cells: Cells) -> Fraction:
    """The candidate's value by its formula, turned so that larger is better."""
    return METRICS[name].turned(rates(cells, 1)[name])


@pytest.mark.parametrize("name", RATES)
@given(negatives=st.integers(1, 40), positives=st.integers(1, 40))
def test_a_guard_is_what_a_candidate_that_flags_everything_does_worse_at(
    name: str, negatives: int, positives: int
) -> None:
    perfect = [negatives, 0, 0, 0, 0, 0, 0, positives]
    flagging = [0, negatives, 0, 0, 0, 0, 0, positives]
    worse = turned(name, flagging) < turned(name, perfect)
    form = METRICS[name].of_yes_no
    assert form is not None
    assert form.guards_against_alarms == worse


@pytest.mark.parametrize("name", RATES)
def test_what_is_about_one_label_does_not_change_with_rows_of_the_other(name: str) -> None:
    cells = [3, 5, 7, 11, 13, 17, 19, 23]
    about = []
    for label in (0, 1):
        others = [n if cell >> 2 == label else n * (cell + 2) for cell, n in enumerate(cells)]
        if turned(name, others) == turned(name, cells):
            about.append(label)
    assert METRICS[name].one_label == (about[0] if about else None)


@pytest.mark.parametrize("name", RATES)
@given(cells=CELLS)
def test_where_nothing_goes_wrong_in_its_way_the_value_is_perfect(
    name: str, cells: list[int]
) -> None:
    clean = {
        "missed": [n * (cell >> 2 == 0 or cell & 1) for cell, n in enumerate(cells)],
        "flagged": [n * (cell >> 2 == 1 or not cell & 1) for cell, n in enumerate(cells)],
    }
    form = METRICS[name].of_yes_no
    assert form is not None
    perfect = [way for way, rows in clean.items() if turned(name, rows) == 1]
    assert perfect == ([form.error_kind] if form.error_kind else [])


@pytest.mark.parametrize("name", RATES)
@given(cells=CELLS)
def test_a_rate_is_its_formula(name: str, cells: list[int]) -> None:
    """Evidence speaks of values turned so that larger is better."""
    metric, about = METRICS[name], of_decisions(name, tuple(cells))
    assert about.candidate == metric.turned(rates(cells, 1)[name])
    if metric.paired:
        assert about.baseline == metric.turned(rates(cells, 2)[name])


@pytest.mark.parametrize("name", RATES)
@given(cells=CELLS)
def test_a_form_names_the_cells_that_its_value_rests_on(name: str, cells: list[int]) -> None:
    form = METRICS[name].forms["binary"]
    for bits, base in (((1,), form.base_of_level), ((1, 2), form.base)):
        rests = [cell for cell in range(8) if any(_moves(name, cells, cell, bit) for bit in bits)]
        assert set(rests) <= set(base.cells)
    assert _ever(name, (1,)) == set(form.base_of_level.cells)
    assert _ever(name, (1, 2)) == set(form.base.cells)


def _moves(name: str, cells: Cells, cell: int, bit: int) -> bool:
    """Whether one row more in a cell moves the value of a model."""
    more = [n + (place == cell) for place, n in enumerate(cells)]
    return rates(more, bit)[name] != rates(cells, bit)[name]


def _ever(name: str, bits: Sequence[int]) -> set[int]:
    counts = ([3, 5, 7, 11, 13, 17, 19, 23], [23, 2, 5, 3, 7, 29, 11, 31])
    return {
        cell
        for cell in range(8)
        if any(_moves(name, cells, cell, bit) for cells in counts for bit in bits)
    }


@pytest.mark.parametrize("name", RATES)
@given(cells=CELLS)
def test_an_error_of_the_candidate_moves_the_value_the_way_that_is_told(
    name: str, cells: list[int]
) -> None:
    metric = METRICS[name]
    form = metric.forms["binary"]
    before = metric.turned(rates(cells, 1)[name])
    for cell in range(8):
        moved = list(cells)
        moved[cell] -= 1
        moved[cell ^ 1] += 1  # the candidate decides this row the other way
        after = metric.turned(rates(moved, 1)[name])
        right = (cell >> 2 & 1) == (cell & 1)
        assert cell not in form.worse or (right and after < before)
        assert cell not in form.better or (not right and after > before)
    assert all((cell >> 2 & 1) == (cell >> 1 & 1) for cell in form.worse), "both were right"
    assert form.worse, "some error counts"
    assert bool(form.better) != isinstance(form, Flips), "nothing makes up for a flip"


def test_precision_suffers_by_false_alarms_and_f1_by_misses() -> None:
    assert METRICS["precision"].forms["binary"].worse == (0b000,)
    assert set(METRICS["precision"].forms["binary"].better) == {0b011, 0b001}
    assert METRICS["f1"].forms["binary"].worse == (0b111,)
    assert set(METRICS["f1"].forms["binary"].better) == {0b100, 0b110}


@pytest.mark.parametrize("labels", [(0,), (1,), (0, 1)])
def test_a_share_of_shared_rows_sorts_them_by_who_is_right(labels: tuple[int, ...]) -> None:
    kept, lost, gained, neither = SharedRows(labels=labels).roles
    for label, *rows in zip(labels, kept, lost, gained, neither, strict=True):
        right = 0b111 * label
        assert rows == [right, right ^ 0b001, right ^ 0b010, right ^ 0b011]
    assert set(SharedRows(labels=labels).worse) == {*kept}
    assert set(SharedRows(labels=labels).better) == {*lost, *neither}


UNITS = {
    "precision": ("rows flagged by either", "flagged rows"),
    "f1": ("flagged or positive", "flagged or positive"),
    "recall": ("positives", "positives"),
    "specificity": ("negatives", "negatives"),
    "false_positive_rate": ("negatives", "negatives"),
    "accuracy": ("rows", "rows"),
    "recall_at_fpr": ("positives", "positives"),
}


@pytest.mark.parametrize("name", UNITS)
def test_the_rows_of_a_metric_are_called_what_they_are(name: str) -> None:
    form = METRICS[name].forms["binary"]
    assert (form.base.unit, form.base_of_level.unit) == UNITS[name]


def _macro(truth: np.ndarray, says: np.ndarray, one: Callable[..., np.ndarray]) -> float:
    """The average over labels of a share of counts: both, false alarms, misses, neither."""
    kinds = [(truth & says), (~truth & says), (truth & ~says), (~truth & ~says)]
    return float(np.mean(one(*(kind.sum(axis=0) for kind in kinds))))


OF_LABELS: dict[str, Callable[..., np.ndarray]] = {
    "precision": lambda tp, fp, _fn, _tn: tp / (tp + fp),
    "recall": lambda tp, _fp, fn, _tn: tp / (tp + fn),
    "f1": lambda tp, fp, fn, _tn: 2 * tp / (2 * tp + fp + fn),
    "specificity": lambda _tp, fp, _fn, tn: tn / (tn + fp),
    "false_positive_rate": lambda _tp, fp, _fn, tn: fp / (tn + fp),
    "balanced_accuracy": lambda tp, fp, fn, tn: (tp / (tp + fn) + tn / (tn + fp)) / 2,
}
OF_ROWS: dict[str, Callable[..., float]] = {
    "accuracy": lambda truth, _before, after: (truth == after).mean(),
    "subset_accuracy": lambda truth, _before, after: (truth == after).all(axis=1).mean(),
    "negative_flip_rate": lambda truth, before, after: (
        (truth == before).all(axis=1) & (truth != after).any(axis=1)
    ).mean(),
    "churn": lambda _truth, before, after: (before != after).any(axis=1).mean(),
}


def test_values_of_rows_with_several_labels_are_their_formulas() -> None:
    data = tables.scores(3, 200)
    policy = tables.policy("{metric: subset_accuracy, max_drop: 0.2}")
    tally = count_table(policy, open_predictions(policy, data)).slices[0].tally
    truth, before, after = tables.decisions(data).values()
    expected = {name: _macro(truth, after, one) for name, one in OF_LABELS.items()}
    expected |= {name: float(one(truth, before, after)) for name, one in OF_ROWS.items()}
    several = {name for name, one in METRICS.items() if "multilabel" in one.forms}
    assert several - {"mcc"} == set(expected)  # which each label has by itself alone
    for name, value in expected.items():
        found = evidence(WantedMetric(metric=name), tally).candidate
        assert found is not None
        assert float(METRICS[name].turned(Fraction(found))) == pytest.approx(value, abs=1e-12), name


LOWER = {"false_positive_rate", "negative_flip_rate", "churn", "log_loss", "brier", "mae", "rmse"}
LOWER |= {"nll_per_token", "perplexity"}
CLOCK = {"latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_per_s"}
CLOCK |= {"ttft_ms", "tpot_ms"}
MONEY = {"cost_per_1k", "monthly_cost", "saving", "break_even_month"}
FIGURES = {"model_bytes", "parameters", "active_heads"}
SCORED = {"auc", "average_precision", "recall_at_fpr", "precision_at_recall"}
SCORED |= {"log_loss", "brier", "top_k_accuracy", "rank_correlation"}
OF_NUMBERS = {"mean_score", "mae", "rmse", "rank_correlation", "nll_per_token", "perplexity"}
OF_NUMBERS |= {"mean_quality"}


def named(holds: Callable[..., bool]) -> set[str]:
    return {name for name, metric in METRICS.items() if holds(metric)}


def test_what_kind_of_figure_each_metric_is() -> None:
    assert named(lambda m: m.operational) == CLOCK | MONEY | FIGURES
    assert timed() == CLOCK
    assert priced() == MONEY
    assert set(per_class()) == {"precision", "recall", "f1"}
    assert named(lambda m: m.top) == {"top_k_accuracy"}
    assert (
        named(lambda m: m.at)
        == {"recall_at_fpr", "precision_at_recall"}
        == named(lambda m: not m.foretold)
    )
    assert named(lambda m: any(m.from_scores(task) for task in m.tasks)) == SCORED
    flips = {"negative_flip_rate", "churn"}
    assert named(lambda m: not m.paired) == flips | {"saving", "break_even_month"}
    assert named(lambda m: m.joint) == {"saving", "break_even_month"}
    below = named(lambda m: m.lower_is_better and not m.operational)
    assert below == LOWER == named(lambda m: m.better == "lower") - CLOCK - MONEY - FIGURES
    assert named(lambda m: m.operational and not m.lower_is_better) == {
        "throughput_per_s",
        "saving",
    }
    assert metric_named("reference") is REFERENCE
    assert metric_named("recall") is METRICS["recall"]
    assert metric_named("none") is None
    with pytest.raises(KeyError):
        METRICS["reference"]


def test_which_rows_a_metric_is_about_and_what_more_of_them_takes() -> None:
    of_numbers = {m for m in METRICS if set(METRICS[m].tasks) & {"score", "language"}}
    assert of_numbers == OF_NUMBERS
    means = named(lambda m: m.kind == "mean")
    assert means == (OF_NUMBERS | {"log_loss", "brier"}) - {"rank_correlation"}
    assert named(lambda m: m.wants == "add") == OF_NUMBERS | {"log_loss", "brier"}
    documents = {"nll_per_token", "perplexity", "mean_quality"}
    assert named(lambda m: m.noun == "documents") == documents
    agrees = named(lambda m: any(not form.against_labels for form in m.forms.values()))
    assert agrees == {"mean_score", *documents}  # of a candidate that nobody holds against a label
    endless = {
        n for n, m in METRICS.items() for f in m.forms.values() if not getattr(f, "bounded", 1)
    }
    assert endless == {"nll_per_token", "perplexity"}  # a likelihood may be as small as can be
    assert named(lambda m: m.share) == named(lambda m: m.kind in ("rate", "flips"))
    for name, metric in METRICS.items():
        assert metric.turned(metric.turned(Fraction(1, 3))) == Fraction(1, 3)
        assert (metric.turned(Fraction(0)) == 0) == (
            not metric.lower_is_better or metric.kind == "mean"
        ), name


def test_flips_and_overlaps_are_what_their_names_say() -> None:
    assert METRICS["negative_flip_rate"].forms["binary"] == Flips(negative_only=True)
    assert METRICS["churn"].forms["multiclass"] == Flips(negative_only=False)
    for name in ("precision", "f1"):
        assert METRICS[name].forms["binary"] == Overlapping(kind=name)


def test_what_a_kind_of_task_says_of_itself() -> None:
    kinds = {name: (t.yes_no, t.classes, t.sets, t.decided) for name, t in TRAITS.items()}
    assert kinds == {
        "binary": (True, False, False, True),
        "multiclass": (False, True, False, True),
        "multilabel": (False, False, True, True),
        "score": (False, False, False, False),
        "language": (False, False, False, False),
    }
    assert [name for name, t in TRAITS.items() if t.estimated] == ["score"]
    assert [name for name, t in TRAITS.items() if t.documents] == ["language"]
    assert {t.noun for t in TRAITS.values() if not t.documents} == {"rows"}


@pytest.mark.models
def test_every_kind_of_task_is_counted_and_run() -> None:
    from prunegate.counting.tasks.every import TASKS
    from prunegate.predict.tasks.every import ANSWERS

    assert set(TASKS) == set(ANSWERS) == set(TRAITS)


NUMBERS: dict[str, Callable[..., float]] = {
    "mean_score": lambda _truth, says: says.mean(),
    "mae": lambda truth, says: np.abs(says - truth).mean(),
    "rmse": lambda truth, says: np.sqrt(((says - truth) ** 2).mean()),
    "rank_correlation": lambda truth, says: np.corrcoef(
        truth.argsort().argsort(), says.argsort().argsort()
    )[0, 1],
}
LIKELIHOODS: dict[str, Callable[..., float]] = {
    "nll_per_token": lambda tokens, says: says.sum() / tokens.sum(),
    "perplexity": lambda tokens, says: np.exp(says.sum() / tokens.sum()),
}


@pytest.mark.parametrize(
    ("task", "formulas"), [("score, range: [0, 3]", NUMBERS), ("language", LIKELIHOODS)]
)
def test_values_of_numbers_are_their_formulas(
    task: str, formulas: dict[str, Callable[..., float]]
) -> None:
    random = np.random.default_rng(3)
    truth = random.uniform(0.5, 2.5, 60).round(6)
    tokens = random.integers(1, 30, 60)
    before, after = (np.clip(truth + random.normal(0, 0.3, 60), 0, 3).round(6) for _ in range(2))
    rows = pd.DataFrame({"id": range(60), "label": truth, "baseline": before, "candidate": after})
    against = truth
    if task == "language":
        rows, against = rows.drop(columns="label").assign(tokens=tokens), tokens
    rules = ", ".join(
        f"{{metric: {name}, {'at_most' if METRICS[name].lower_is_better else 'at_least'}: 0.1}}"
        for name in formulas
    )
    policy = parse_policy(f"prunegate: 1\nname: x\ntask: {{kind: {task}}}\nrules: [{rules}]\n")
    found = {f.metric: f.candidate for f in prunegate.judge(policy, rows).findings}
    for name, formula in formulas.items():
        assert found[name] == pytest.approx(formula(against, after), abs=1e-9), name
