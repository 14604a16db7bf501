"""The policies that the repository shows are the ones that it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.demo.workspace import ARMS, FULL, name_of, policy_text
from prunegate.policy.explain import explain_policy
from prunegate.policy.load import load_policy

POLICIES = Path(__file__).parents[2] / "policies"
EXAMPLES = sorted(set(POLICIES.glob("*.yaml")) - set(POLICIES.glob("*.claims.yaml")))


@pytest.mark.parametrize("arm", ARMS)
def test_the_demo_policies_shown_are_the_demo_policies_run(arm: str) -> None:
    shown = (POLICIES / f"{name_of(arm)}.yaml").read_text(encoding="utf-8")
    assert shown == policy_text(arm, FULL)


def test_the_demo_policies_differ_in_their_name_and_rows_alone() -> None:
    one, other = (load_policy(POLICIES / f"{name_of(arm)}.yaml") for arm in ARMS)
    assert one.rules == other.rules
    assert one.cost == other.cost
    assert [
        step.model_dump(exclude={"prune": {"data"}, "finetune": {"data"}}) for step in one.compress
    ] == [
        step.model_dump(exclude={"prune": {"data"}, "finetune": {"data"}})
        for step in other.compress
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid_and_named_after_its_file(path: Path) -> None:
    assert load_policy(path).name == path.stem


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "multiclass", "score", "language"])
def test_there_is_an_example_for_every_kind_of_task(kind: str) -> None:
    assert kind in {load_policy(path).task.kind for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_listed_and_can_be_explained(path: Path) -> None:
    assert f"`{path.name}`" in (POLICIES / "README.md").read_text(encoding="utf-8")
    policy = load_policy(path)
    assert len(explain_policy(policy)) >= len(policy.rules)
