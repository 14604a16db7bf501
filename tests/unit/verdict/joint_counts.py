"""Policies and joint counts by slice."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe}\n"


def policy(*rules: str, more: str = "") -> Policy:
    listed = "\n".join(f"  - {rule}" for rule in rules)
    return parse_policy(f"{HEAD}{more}rules:\n{listed}\n")


def counts(*slices: tuple[str, Sequence[int]]) -> pd.DataFrame:
    rows = [
        {"k": name, "label": cell >> 2, "baseline": cell >> 1 & 1, "candidate": cell & 1, "n": n}
        for name, cells in slices
        for cell, n in enumerate(cells)
    ]
    return pd.DataFrame(rows)


SAME = (500, 0, 0, 0, 0, 0, 0, 500)


def facts(verdict: Verdict, kind: str) -> list[str]:
    """The sentences of the warnings of a kind."""
    return [verdict.warnings[f.place] for f in verdict.warning_facts if f.kind == kind]
