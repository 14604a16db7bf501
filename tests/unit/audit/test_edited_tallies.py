"""Sums in a record that somebody edited are told as no such sums, and where they stand."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.tallied import Tallies, slices_in, tallies_of
from prunegate.audit.tallied_sums import exact_sum, sum_text
from prunegate.counting.count import count_table, open_predictions
from prunegate.errors import InputError
from prunegate.policy.load import parse_policy
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import SliceSummary

HEAD = "prunegate: 1\nname: x\ntask: {%s}\n%srules: [%s]\n"
YES_NO = "kind: binary, positive: 1, threshold: 0.5"
SCORED = ", ".join(
    f"{{metric: {name}}}"
    for name in (
        "auc, at_least: 0.1",
        "average_precision, at_least: 0.1",
        "log_loss, at_most: 5",
        "recall_at_fpr, at: 0.1, at_least: 0.1",
        "precision_at_recall, at: 0.5, at_least: 0.1",
    )
)
RECALL = "{metric: recall, at_least: 0}"
BEST = "{metric: top_k_accuracy, k: 2, at_least: 0.1}"
POLICIES = {
    "binary": HEAD % (YES_NO, "", SCORED),
    "grouped": HEAD % (YES_NO, "group: g\n", RECALL),
    "weighed": HEAD % (YES_NO, "weight: w\n", RECALL),
    "multiclass": HEAD
    % ("kind: multiclass, classes: [a, b, c]", "data: {scores: {prefix: s_}}\n", BEST),
    "multilabel": HEAD
    % ("kind: multilabel, labels: [a, b]", "", "{metric: accuracy, at_least: 0.1}"),
    "score": HEAD % ("kind: score, range: [0, 3]", "", "{metric: rank_correlation, at_least: 0}"),
}
KINDS = {"grouped": "binary", "weighed": "binary"}


@given(st.fractions(), st.integers(-(2**80), 2**80), st.integers(0, 200))
def test_a_sum_is_spelled_in_one_way_and_read_back(some: Fraction, top: int, bits: int) -> None:
    for number in (some, Fraction(top, 2**bits)):
        text = sum_text(number)
        assert exact_sum(text) == number
        below = number.denominator
        power = below > 1 and below & (below - 1) == 0
        end = f"/2^{below.bit_length() - 1}" if power else "" if below == 1 else f"/{below}"
        assert text == f"{number.numerator}{end}"


def _rows(name: str) -> pd.DataFrame:
    random = np.random.default_rng(5)
    truth = np.arange(60) % 2
    first, second = (np.clip(0.5 * truth + random.random(60) * 0.6, 0, 1) for _ in range(2))
    data = pd.DataFrame({"id": range(60), "g": np.arange(60) // 3, "w": 1.0 + truth})
    if name == "multilabel":
        for label, values in (("a", truth), ("b", 1 - truth)):
            data[f"label_{label}"] = data[f"baseline_{label}"] = values
            data[f"candidate_{label}"] = values
        return data
    if name == "multiclass":
        data["label"] = np.array(["a", "b", "c"])[np.arange(60) % 3]
        for model in ("baseline", "candidate"):
            shares = random.dirichlet([1, 1, 1], 60)
            for place, label in enumerate("abc"):
                data[f"{model}_s_{label}"] = shares[:, place]
        return data
    if name == "score":
        return data.assign(label=first + second, baseline=first, candidate=second)
    return data.assign(label=truth, baseline=first, candidate=second)


@cache
def _kept(name: str) -> tuple[tuple[SliceSummary, ...], Tallies]:
    policy = parse_policy(POLICIES[name])
    slices = count_table(policy, open_predictions(policy, _rows(name), with_ids=True)).slices
    kept = tallies_of(slices)
    assert kept is not None
    return decide(policy, slices).slices, kept


def _edited(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new(value) if callable(new) else new
    step, rest = path[0], path[1:]
    if isinstance(value, tuple | list):
        return tuple(_edited(x, rest, new) if i == step else x for i, x in enumerate(value))
    if is_dataclass(value):
        return replace(value, **{str(step): _edited(getattr(value, str(step)), rest, new)})  # type: ignore[type-var]  # an instance
    return {key: _edited(x, rest, new) if key == step else x for key, x in value.items()}


def _short(values: Any) -> Any:
    return values[1:]


FIRST = ("scores", 0)
EDITS: dict[str, tuple[str, tuple[str | int, ...], Any, str]] = {
    "scores of slices that are not there": (
        "binary",
        ("scores",),
        lambda scores: scores * 2,
        "tallies.scores: 2 entries for 1 slices",
    ),
    "sums of a loss": ("binary", (*FIRST, "losses", 0, "first"), _short, "log_loss has (2, 3,"),
    "placements": (
        "binary",
        (*FIRST, "placements", "second"),
        _short,
        "placements have (6, 20, 2)",
    ),
    "pulls": ("binary", (*FIRST, "pulls", 0, "falls"), _short, "have 2 kinds of rows"),
    "no pulls": ("binary", (*FIRST, "pulls", 0, "rows"), (), "have 0 kinds of rows"),
    "positives of a rate": (
        "binary",
        (*FIRST, "at_rates", 0, "here", 0),
        lambda n: n + 1,
        "positives at 0.1 do not add up",
    ),
    "bins of a rate": (
        "binary",
        (*FIRST, "at_rates", 0, "candidate_low"),
        _short,
        "positives at 0.1 do not add up",
    ),
    "counts below nothing at a rate": (
        "binary",
        (*FIRST, "at_rates", 0, "here"),
        (-1, 0, 1, 9),
        "are not four counts",
    ),
    "more than there is at a recall": (
        "binary",
        (*FIRST, "at_recalls", 0, "hits", 0),
        61,
        "more is flagged at 0.5 than there is",
    ),
    "counts below nothing at a recall": (
        "binary",
        (*FIRST, "at_recalls", 0, "tied", 1),
        -1,
        "are not two counts",
    ),
    "bins of a calibration": (
        "binary",
        (*FIRST, "calibration", 0, "rows"),
        _short,
        "the calibration of 2 models has bins [14, 15]",
    ),
    "a calibration of one model": (
        "binary",
        (*FIRST, "calibration"),
        _short,
        "the calibration of 1 models has bins [15]",
    ),
    "a pair of groups": (
        "grouped",
        ("groups",),
        lambda _: _packed([{"groups": 20, "pairs": [[0, 0, -1, 1]]}]),
        "a pair of cells without counts",
    ),
    "half a pair of groups": (
        "grouped",
        ("groups",),
        lambda _: _packed([{"groups": 20, "pairs": [[0, 0, 0.5, 1]]}]),
        "a pair of cells without counts",
    ),
    "no weights": ("weighed", ("slices", 0, "weights"), None, "there are no weights"),
    "a weight below nothing": (
        "weighed",
        ("slices", 0, "weights", 0, 0),
        "-1",
        "-1 is no sum of weights",
    ),
    "a weight in another spelling": (
        "weighed",
        ("slices", 0, "weights", 0, 0),
        "1/2",
        "1/2 is no sum of weights",
    ),
    "rows of no class": (
        "multiclass",
        ("slices", 0, "labels", 0),
        lambda line: (*line[:3], 0),
        "0] is no count",
    ),
    "classes below nothing": (
        "multiclass",
        ("slices", 0, "labels", 0),
        lambda line: (-1, *line[1:]),
        "is no count",
    ),
    "rows within the highest": (
        "multiclass",
        (*FIRST, "within", "2"),
        (1, 2, 3),
        "(1, 2, 3) are not four counts",
    ),
    "no whole rows": ("multilabel", ("slices", 0, "whole"), None, "no counts of whole rows"),
    "whole rows below nothing": (
        "multilabel",
        ("slices", 0, "whole"),
        lambda whole: (-1, *whole[1:]),
        "no counts of whole rows",
    ),
    "whole rows that the labels do not have": (
        "multilabel",
        ("slices", 0, "whole"),
        lambda whole: (whole[0] + 1, *whole[1:]),
        "no eight counts of the label 'a'",
    ),
    "an order": ("score", (*FIRST, "order", "products"), _short, "orders have (3, 3, 1) sums"),
}


def _packed(groups: Any) -> Any:
    import base64
    import json
    import zlib

    return base64.b64encode(zlib.compress(json.dumps(groups).encode())).decode()


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_sum_is_no_sum(edit: str) -> None:
    name, path, new, words = EDITS[edit]
    summaries, kept = _kept(name)
    kind = KINDS.get(name, name)
    assert slices_in(kind, summaries, kept)
    with pytest.raises(InputError) as refused:
        slices_in(kind, summaries, _edited(kept, path, new))
    assert words in str(refused.value)
    assert str(refused.value).startswith("tallies")
