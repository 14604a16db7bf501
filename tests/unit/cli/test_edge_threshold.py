"""A page that decides otherwise than its candidate is judged is not made without a word."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from prunegate.cli import edge_record
from prunegate.cli.edge_record import judged_threshold
from prunegate.policy.load import PolicyFile, read_policy

edge = import_module("prunegate.cli.edge")  # the package has a command of that name
SAMPLE = Path(__file__).parents[3] / "reports" / "sample" / "representative" / "record.json"
BINARY = "{kind: binary, positive: unsafe, threshold: {baseline: 0.5, candidate: 0.52}}"
TUNED = "{kind: binary, positive: unsafe, threshold: {baseline: 0.5, candidate: tuned}}"
LABELS = "{kind: multilabel, labels: [hate, gore], threshold: {hate: 0.4, gore: 0.6}}"


def policy(folder: Path, task: str) -> PolicyFile:
    """A policy of this task."""
    rule = "classes: each, " if "labels" in task else ""
    text = (
        f"prunegate: 1\nname: p\ntask: {task}\nrules: [{{metric: recall, {rule}max_drop: 0.1}}]\n"
    )
    (folder / "p.yaml").write_text(text, encoding="utf-8")
    return read_policy(folder / "p.yaml")


@pytest.mark.parametrize(
    ("task", "label", "judged"),
    [
        (BINARY, "unsafe", 0.52),
        (BINARY, "safe", None),
        (TUNED, "unsafe", None),
        (LABELS, "gore", 0.6),
        (LABELS, "other", None),
    ],
)
def test_a_policy_says_at_which_threshold_it_judges(
    tmp_path: Path, task: str, label: str, judged: float | None
) -> None:
    assert judged_threshold(tmp_path, policy(tmp_path, task), None, label) == judged


def test_a_record_beside_the_candidate_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from prunegate.audit.read import read_record

    record, _ = read_record(SAMPLE)
    monkeypatch.setattr(edge_record, "_digests", lambda _: {record.model_digest("candidate")})
    beside = SAMPLE.parent / "candidate"
    assert judged_threshold(beside, None, None, "unsafe") == 0.5
    monkeypatch.setattr(edge_record, "_digests", lambda _: {"another"})
    assert judged_threshold(beside, None, None, "unsafe") is None


@pytest.mark.parametrize(("judged", "told"), [(0.52, True), (0.5, False), (None, False)])
def test_another_threshold_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    judged: float | None,
    told: bool,
) -> None:
    monkeypatch.setattr(edge, "judged_threshold", lambda *_: judged)
    asked: dict[str, Any] = dict.fromkeys(("policy", "record", "title"))
    wishes = edge._Asked.of(Path("candidate"), **asked, positive="unsafe", threshold=0.5).wishes
    assert wishes.judged == ({"unsafe": judged} if told else {})
    edge._tell_of_another(wishes)
    written = capsys.readouterr().err
    assert ("unsafe from 0.5 on, and the candidate is judged from 0.52 on" in written) == told
    assert bool(written) == told
