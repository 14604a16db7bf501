"""Nobody asks a finding or a rule which metric or check it is: the entry says what follows."""

from __future__ import annotations

import ast

from tests.source import shapes

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS

OWN_IDEA = "audit/opinion/"
"""The second opinion knows metrics and checks anew, on purpose."""
ALONE = {
    "policy/consistency.py": "break_even_month is a month of the projection",
    "policy/rule_consistency.py": "saving may be below 0, break_even_month starts at 1",
}
"""Operational figures that are like no other one."""


def asks_for(node: ast.AST, attribute: str, names: set[str]) -> bool:
    """Whether a comparison holds such an attribute against one of the names."""
    if not isinstance(node, ast.Compare):
        return False
    parts = [part for side in (node.left, *node.comparators) for part in ast.walk(side)]
    asked = any(isinstance(part, ast.Attribute) and part.attr == attribute for part in parts)
    return asked and any(isinstance(part, ast.Constant) and part.value in names for part in parts)


def test_no_metric_and_no_check_is_asked_for_by_its_name() -> None:
    known = {"metric": set(METRICS), "name": set(METRICS), "check": set(CHECKS)}
    asking = {
        file
        for file, nodes in shapes().items()
        for node in nodes
        for attribute, names in known.items()
        if not file.startswith(OWN_IDEA) and asks_for(node, attribute, names)
    }
    assert asking == set(ALONE)
