"""Whether some labels come to the verdict that all labels come to, on ten gate sets.

python tests/benchmarks/partial_verdict.py

A table like the demo's (four kinds of content, recall, precision and flips limited as there), with
labels for every row, judged twice: with all of them, and with those that ``label`` asks for. On odd
seeds the candidate is as good as the baseline; on even ones it loses 8 % of the unsafe videos.
Seeded; prints a Markdown table; some seconds a seed. ``--unsafe`` sets how common positives are.

python tests/benchmarks/partial_verdict.py --tables DEMO... [--redraw 10] [--leave-out precision]

The same on what runs of ``prunegate demo --out DEMO`` left: the predictions of both candidates,
under the rules of the demo's policy but for those on size and latency, on which no label bears, and
with a budget of just under ``--share`` (a tenth) of the labels. ``--redraw N`` judges N further
gate sets of each, as the same models would have on other rows: the table's, drawn with replacement.
``--leave-out`` takes rules on a metric out of both judgements.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import csv
import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.labelled_part import LabelledPart, count_part
from prunegate.metrics.catalogue import METRICS
from prunegate.outputs.label_list import FRAME, write_list
from prunegate.planning.label_draw import draw_labels
from prunegate.planning.label_plan import LabelRequest
from prunegate.policy.load import read_policy
from prunegate.policy.schema import Policy
from prunegate.policy.validation import validate_values
from prunegate.verdict.decide import decide

POLICY = """prunegate: 1
name: demo
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: content_type, expect: [display, video, ugc, story]}]
evidence: {minimum: {rows: 300, positives: 100}}
rules:
  - {metric: recall, slices: all, max_drop: 0.02}
  - {metric: precision, slices: all, max_drop: 0.04}
  - {metric: negative_flip_rate, slices: overall, at_most: 0.05}
"""
Columns = dict[str, np.ndarray]
KINDS = np.array(["display", "video", "ugc", "story"])
RECALL, FALSE = 0.9, 0.006
"""Of the baseline: its recall, and the share of safe rows that it flags."""
REFERENCE = 400
"""Rows of either kind in each slice of a made table: a handful shows that the baseline is good,
more bound the positives that neither model flags, and without that bound no loss is proven."""
DIFFER, LOST = 0.02, 0.08
"""Share of unsafe rows that the candidate decides otherwise; of unsafe videos that it may lose."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One gate set, judged twice."""

    seed: int
    rows: int
    labels: int
    part: str
    whole: str


def table(seed: int, rows: int, unsafe: float) -> Columns:
    """Columns of a predictions table with every label."""
    random = np.random.default_rng(seed)
    positive = random.random(rows) < unsafe
    kind = KINDS[random.integers(len(KINDS), size=rows)]
    baseline = np.where(positive, random.random(rows) < RECALL, random.random(rows) < FALSE)
    share = np.where(positive, RECALL, FALSE)
    moved = np.where(positive, DIFFER, DIFFER * FALSE * 10)  # as many lost as gained
    likely = np.where(baseline, moved / share, moved / (1 - share)) / 2
    candidate = baseline ^ (random.random(rows) < likely)
    if seed % 2 == 0:
        candidate &= ~(positive & (kind == "video") & (random.random(rows) < LOST))
    return {
        "id": np.array([f"c{i}" for i in range(rows)]),
        "content_type": kind,
        "label": np.where(positive, "unsafe", "safe"),
        "baseline": np.where(baseline, 0.9, 0.1),
        "candidate": np.where(candidate, 0.9, 0.1),
    }


def of_demo(folder: Path, leave_out: list[str]) -> tuple[Policy, Columns]:
    """The policy of one candidate of a demo, as far as rows go, and its predictions."""
    record = json.loads((folder / "record.json").read_bytes())
    policy, _ = validate_values(record["policy"]["document"])
    assert policy is not None
    kept = [r for r in policy.rules if r.metric not in leave_out]
    kept = [r for r in kept if not METRICS[r.metric].operational]
    found = pq.read_table(folder / "predictions.parquet")
    columns = {name: found[name].to_numpy() for name in found.column_names}
    return policy.model_copy(update={"rules": tuple(kept)}), columns


def compared(
    policy: Policy, seed: int, columns: Columns, folder: Path, wanted: LabelRequest
) -> Compared:
    """Judge one table with all labels and with some."""
    rows = len(columns["id"])
    full, bare, out = folder / "full.parquet", folder / "bare.parquet", folder / "list"
    pq.write_table(pa.table(columns), full)
    truth = dict(zip(columns["id"], columns["label"], strict=True))
    pq.write_table(pa.table(columns).drop_columns("label"), bare)
    drawn = draw_labels(policy, [bare], wanted, seed=seed, at="2026-01-31T12:00:00Z")
    write_list(policy, drawn, out)
    labels = folder / "labels.csv"
    with labels.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "label"))
        writer.writerows((row["id"], truth[row["id"]]) for row in drawn.to_label)
    part = count_part(policy, LabelledPart(predictions=[bare], labels=(labels,), frame=out / FRAME))
    whole = count_table(policy, open_predictions(policy, [full], with_ids=True))
    return Compared(
        seed=seed,
        rows=rows,
        labels=len(drawn.to_label),
        part=decide(policy, part.counted.slices).outcome,
        whole=decide(policy, whole.slices).outcome,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rows", type=int, default=120_000)
    parser.add_argument("--unsafe", type=float, default=0.05)
    parser.add_argument("--tables", type=Path, nargs="+", default=())
    parser.add_argument("--leave-out", nargs="+", default=[])
    parser.add_argument("--reference", type=int, help="rows of either kind in each slice")
    parser.add_argument("--share", type=float, default=0.1, help="of the labels, of a demo's table")
    parser.add_argument("--redraw", type=int, default=0, help="further gate sets of each table")
    given = parser.parse_args()
    print("| gate set | labels | of all | with them | with all |")
    print("|---|---|---|---|---|")
    alike = few = sets = 0
    with tempfile.TemporaryDirectory() as place:
        for name, policy, columns in gate_sets(given, Path(place)):
            folder = Path(place) / str(sets)
            folder.mkdir()
            wanted = request(given, len(columns["id"]))
            one = compared(policy, sets, columns, folder, wanted)
            sets += 1
            alike += one.part == one.whole
            few += one.labels < one.rows * 0.1
            share = f"{one.labels / one.rows:.1%}"
            print(f"| {name} | {one.labels:,} | {share} | {one.part} | {one.whole} |", flush=True)
    print(f"the same verdict on {alike} of {sets} gate sets, at less than a tenth of the labels")
    print(f"on {few} of them")


def redrawn(columns: Columns, number: int) -> Columns:
    """A gate set of as many of these rows, each as often as it is drawn."""
    rows = len(columns["id"])
    places = np.random.default_rng(number).integers(rows, size=rows)
    found = {name: values[places] for name, values in columns.items()}
    return found | {"id": np.array([f"c{i}" for i in range(rows)])}


def request(given: argparse.Namespace, rows: int) -> LabelRequest:
    """What is asked for: a demo's table is planned as ``label --budget`` does."""
    if not given.tables:
        return LabelRequest(reference=given.reference or REFERENCE)
    return LabelRequest(reference=given.reference, budget=math.ceil(rows * given.share) - 1)


def gate_sets(given: argparse.Namespace, place: Path) -> Iterator[tuple[str, Policy, Columns]]:
    """Those that demos left, or made ones, each with its name and policy."""
    for demo in given.tables:
        for folder in sorted(path.parent for path in demo.glob("*/predictions.parquet")):
            policy, columns = of_demo(folder, given.leave_out)
            yield f"{demo.name} {folder.name}", policy, columns
            for number in range(1, given.redraw + 1):
                name = f"{demo.name} {folder.name}, other rows {number}"
                yield name, policy, redrawn(columns, number)
    if not given.tables:
        (place / "policy.yaml").write_text(POLICY, encoding="utf-8")
        policy = read_policy(place / "policy.yaml").policy
        for seed in range(given.first, given.first + given.seeds):
            yield f"seed {seed}", policy, table(seed, given.rows, given.unsafe)


if __name__ == "__main__":
    main()
