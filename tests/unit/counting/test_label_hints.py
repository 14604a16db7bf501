"""Label hints: counts and ids against pandas, and silence where there is nothing to ask."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prunegate.counting.count import open_predictions
from prunegate.counting.label_hints import label_hint
from prunegate.policy.load import parse_policy


def test_both_models_clearly_against_a_label_are_counted_and_named() -> None:
    rng = np.random.default_rng(3)
    rows = 400
    table = pd.DataFrame(
        {
            "id": [f"r{n:03}" for n in range(rows)],
            "label": rng.choice(["bad", "good"], rows),
            "baseline": rng.random(rows),
            "candidate": rng.random(rows),
        }
    )
    text = (
        "prunegate: 1\nname: hints\ntask: {kind: binary, positive: bad, threshold: 0.4}\n"
        "rules: [{metric: recall, max_drop: 0.1}]\n"
    )
    policy = parse_policy(text)
    scores = table[["baseline", "candidate"]]
    high, low = (scores >= 0.94).all(axis=1), (scores <= 0.04).all(axis=1)
    bad = table["label"] == "bad"
    ids = sorted(table["id"][(bad & low) | (~bad & high)])
    assert ids
    told = label_hint(policy, open_predictions(policy, table, with_ids=True))
    assert told is not None
    assert told.startswith(f"Both models clearly contradict {len(ids)} label")
    assert all(f"'{one}'" in told for one in ids[:5])
    kept_back = parse_policy(text + "report: {redact: [id]}\n")
    told = label_hint(kept_back, open_predictions(kept_back, table, with_ids=True))
    assert told is not None
    assert told.startswith(f"Both models clearly contradict {len(ids)} label")
    assert not any(f"'{one}'" in told for one in ids)
    sure = table.assign(baseline=np.where(bad, 0.9, 0.1))
    assert label_hint(policy, open_predictions(policy, sure, with_ids=True)) is None
    decided = parse_policy(text.replace(", threshold: 0.4", ""))
    labels = table.assign(baseline=table["label"], candidate=table["label"])
    assert label_hint(decided, open_predictions(decided, labels, with_ids=True)) is None


def test_a_score_at_its_threshold_contradicts_no_positive_label() -> None:
    policy = parse_policy(
        "prunegate: 1\nname: hints\ntask: {kind: binary, positive: bad, threshold: 0}\n"
        "rules: [{metric: recall, max_drop: 0.1}]\n"
    )
    scores = [0.0, 0.5, 0.0, 0.5]
    table = pd.DataFrame({"id": list("abcd"), "label": ["bad", "bad", "good", "good"],
                          "baseline": scores, "candidate": scores})  # fmt: skip
    assert label_hint(policy, open_predictions(policy, table, with_ids=True)) is None
