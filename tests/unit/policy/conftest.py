"""Policies that the tests of this folder start from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prunegate.errors import PolicyError
from prunegate.policy.load import parse_policy

EXAMPLE = """\
prunegate: 1
name: brand-safety-vit
purpose: Flag user-generated images for human review before amplification.
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices:
  - by: content_type
    expect: [display, video, ugc]
  - by: [content_type, region]
  - name: holiday-video
    where: {content_type: video, season: [holiday, sale]}
group: post_id
evidence:
  confidence: 0.95
  minimum: {rows: 300, positives: 100}
rules:
  - metric: recall
    slices: content_type
    at_least: 0.85
    max_drop: 0.02
  - {metric: precision, slices: all, at_least: 0.90, max_drop: {relative: 0.03}}
  - {metric: negative_flip_rate, slices: overall, at_most: 0.05}
  - {metric: cost_per_1k, max_ratio: 0.75}
  - {metric: latency_p95_ms, at_most: 40}
  - {metric: model_bytes, max_ratio: 0.8, severity: warn}
cost: {billing: {per_inference: {baseline: 0.0042}}}
"""
HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe}\n"
RULE = "rules: [{metric: recall, at_least: 0.5}]\n"


@pytest.fixture
def example() -> str:
    return EXAMPLE


@pytest.fixture
def mistakes() -> Callable[[str], list[str]]:
    """The mistakes of a whole policy text, without the file name."""

    def listed(text: str) -> list[str]:
        try:
            parse_policy(text, source="p")
        except PolicyError as error:
            return [mistake.removeprefix("p:") for mistake in error.mistakes]
        return []

    return listed


@pytest.fixture
def rule_mistakes(mistakes: Callable[[str], list[str]]) -> Callable[..., list[str]]:
    """The mistakes of one rule (as flow YAML) on line 4 of an otherwise valid policy."""

    def listed(
        rule: str, rest: str = "", task: str = "kind: binary, positive: unsafe"
    ) -> list[str]:
        head = f"prunegate: 1\nname: x\ntask: {{{task}}}\n"
        return mistakes(f"{head}rules: [{rule}, {{metric: model_bytes, at_most: 9}}]\n{rest}")

    return listed
