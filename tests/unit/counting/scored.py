"""Policies and tables of rows with scores."""

from __future__ import annotations

from tests.unit.counting import kinds

from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

GROUP = "group: post\n"


def text_of(head: str, metrics: list[str], limit: str = "at_most: 1.0, evidence: point") -> str:
    figures = {"top_k_accuracy": "k: 2, ", "recall_at_fpr": "at: 0.1, "}
    rules = "".join(
        f"  - {{metric: {name}, slices: all, {figures.get(name, '')}{limit}}}\n" for name in metrics
    )
    return f"prunegate: 1\nname: x\n{head}{kinds.SLICES}rules:\n{rules}"


def policy_of(
    head: str, metrics: list[str], limit: str = "at_most: 1.0, evidence: point"
) -> Policy:
    return parse_policy(text_of(head, metrics, limit))
