"""How long discovery takes on a million rows, five columns of ten values, three of them crossed.

Some 11,000 slices, 999 sign flips; decisions by row and by group, and scores. The aim is a few
seconds for decisions. Printed, never asserted: the machine may be busy.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from prunegate.data.predictions.open_table import open_table
from prunegate.discovery.discover import DiscoveryRequest, discover
from prunegate.policy.load import parse_policy

ROWS, COLUMNS = 1_000_000, ("a", "b", "c", "d", "e")
MODELS = ("label", "baseline", "candidate")
TASKS = {
    "decisions by row": ("{kind: binary, positive: 1}", "recall", ""),
    "decisions by group": ("{kind: binary, positive: 1}", "recall", "group: g\n"),
    "scores": ("{kind: score}", "mean_score", ""),
}


def rows() -> pd.DataFrame:
    """Two models that differ on 4 % of decisions; a value of one column loses more."""
    rng = np.random.default_rng(0)
    names = np.array([f"v{n}" for n in range(10)])
    frame = pd.DataFrame({column: names[rng.integers(0, 10, ROWS)] for column in COLUMNS})
    side = rng.random(ROWS)
    lost = side < np.where(frame["a"] == "v1", 0.03, 0.02)
    return frame.assign(
        label=1,
        baseline=(side < 0.98).astype(int),
        candidate=(~lost).astype(int),
        score_before=rng.normal(size=ROWS),
        score_after=rng.normal(size=ROWS),
        g=rng.integers(0, ROWS // 5, ROWS).astype(str),
    )


def main() -> None:
    """Print one time a task kind."""
    frame = rows()
    for name, (task, metric, group) in TASKS.items():
        policy = parse_policy(
            f"prunegate: 1\nname: x\ntask: {task}\n{group}"
            f"rules: [{{metric: {metric}, max_drop: 0.02}}]\n"
        )
        scored = {"baseline": frame["score_before"], "candidate": frame["score_after"]}
        source = frame.assign(**scored) if name == "scores" else frame
        texts = (*COLUMNS, "g")
        table = open_table(source, (*MODELS, *texts), text_columns=texts, numeric_columns=MODELS)
        start = time.perf_counter()
        found = discover(policy, table, DiscoveryRequest(columns=COLUMNS))
        took = time.perf_counter() - start
        print(  # noqa: T201  # a benchmark prints
            f"{name}: {found.candidates:,} slices, {found.flips} flips: {took:.1f} s; "
            f"stands out: {', '.join(s.name for s in found.slices if s.stands_out) or 'nothing'}"
        )


if __name__ == "__main__":
    main()
