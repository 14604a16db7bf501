"""Predictions with and without labels, lists drawn of them, and lists filled in."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from prunegate.counting.labelled_part import LabelledPart, count_part
from prunegate.outputs.label_list import FRAME, TO_LABEL, write_list
from prunegate.planning.label_draw import DrawnLabels, draw_labels
from prunegate.planning.label_plan import LabelRequest
from prunegate.policy.schema import Policy
from prunegate.verdict.decide import decide

POLICY = """prunegate: 1
name: moderation
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [text, video]}]
rules:
  - {metric: recall, slices: all, max_drop: 0.10}
  - {metric: accuracy, slices: all, max_drop: 0.05}
  - {metric: specificity, max_drop: 0.03}
  - {metric: precision, slices: all, max_drop: 0.12}
  - {metric: negative_flip_rate, at_most: 0.05}
  - {metric: churn, at_most: 0.08}
"""

AT = "2026-01-31T12:00:00Z"

HEAD = ("id", "kind", "label", "baseline", "candidate")

Rows = list[list[str]]


def drawn_rows(n: int = 1200, seed: int = 3) -> Rows:
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.3
    baseline = np.where(positive, random.random(n) < 0.9, random.random(n) < 0.05)
    candidate = np.where(random.random(n) < 0.02, ~baseline, baseline)
    kinds = random.choice(["text", "video"], n)
    scores = [np.where(d, 0.9, 0.1) for d in (baseline, candidate)]
    return [
        [f"r{i}", kinds[i], "unsafe" if positive[i] else "safe", scores[0][i], scores[1][i]]
        for i in range(n)
    ]


def table(path: Path, rows: Rows, *, head: tuple[str, ...] = HEAD) -> Path:
    places = [HEAD.index(name) for name in head]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([row[place] for place in places] for row in rows)
    return path


def bare(path: Path, rows: Rows) -> Path:
    return table(path, rows, head=tuple(name for name in HEAD if name != "label"))


def lines(out: Path) -> Rows:
    return list(csv.reader((out / TO_LABEL).read_text(encoding="utf-8").splitlines()))


def fill(out: Path, rows: Rows, *, without: int = 0, more: Rows | None = None) -> Path:
    truth = {row[0]: row[2] for row in rows}
    listed = lines(out)
    done = [[row[0], row[1], truth[row[0]]] for row in listed[1 : len(listed) - without]]
    done += [[row[0], row[1], row[2]] for row in more or []]
    path = out.parent / f"{out.name}-filled.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([listed[0], *done])
    return path


@dataclass(frozen=True, kw_only=True)
class DrawnList:
    """One list for the tests that only read it."""

    rows: Rows
    path: Path
    out: Path
    drawn: DrawnLabels
    policy: Policy
    labels: Path

    def judged(self, labels: Path | None = None, path: Path | None = None):
        return part(self.policy, path or self.path, self.out, labels or self.labels)

    @cached_property
    def partial(self):
        """The labelled part that several tests look at; none of them changes it."""
        return self.judged()


def label(policy, predictions: Path, out: Path, seed: int = 0, **wanted):
    drawn = draw_labels(policy, [predictions], LabelRequest(**wanted), seed=seed, at=AT)
    write_list(policy, drawn, out)
    return drawn


def part(policy, predictions: Path, out: Path, labels: Path):
    return count_part(
        policy, LabelledPart(predictions=[predictions], labels=(labels,), frame=out / FRAME)
    )


def findings(policy, counted):
    return decide(policy, counted.slices).findings
