"""Words for people in a policy: title, labels, words, and what of the data a report may show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prunegate.audit.assemble import Origin, _made
from prunegate.audit.recorded_flips import recorded_flips
from prunegate.errors import PolicyError
from prunegate.policy.diff import diff
from prunegate.policy.load import load_policy
from prunegate.policy.rules_digest import rules_digest
from prunegate.policy.schema import Policy

PLAIN = """
prunegate: 1
name: filter
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: content_type}]
rules: [{metric: recall, slices: all, max_drop: 0.02}]
data: {columns: {text: caption}}
"""
SPOKEN = (
    PLAIN
    + """
title: Unsafe-creative filter
labels: {content_type: {ugc: User-generated}}
words: {positive: unsafe creatives, items: creatives}
report: {language: de, examples: 2, blur: true, redact: [caption, id]}
"""
)


def _policy(folder: Path, text: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(text)
    return load_policy(path)


def test_words_for_people_decide_nothing(tmp_path: Path) -> None:
    plain, spoken = (_policy(tmp_path, text) for text in (PLAIN, SPOKEN))
    assert rules_digest(plain) == rules_digest(spoken)
    assert {change.kind for change in diff(plain, spoken)} == {"neutral"}
    assert spoken.redacted == {"text", "id"}
    assert "report" not in plain.document()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("labels: {season: {x: Y}}", "no slice is made of this column"),
        ("report: {redact: [content_type]}", "is a slicing key"),
        ("report: {redact: [captoin]}", "a report shows no value of such a column"),
        ("report: {redact: [id, id]}", "names the same thing twice"),
        ("report: {examples: 0}", "report.examples"),
        ("report: {examples: 99}", "report.examples"),
        ("report: {examples: redact}", "expected a whole number from 1 to 12, or none"),
        ("report: {language: fr}", "report.language"),
        ("words: {negative: x}", "words.negative"),
        ("title: ''", "title"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        _policy(tmp_path, PLAIN + line + "\n")
    assert said in str(refused.value)


class _Row:
    """A flipped row with values that must not get out."""

    id, slices, label, baseline, candidate, lost = "SECRET", (), "unsafe", 0.9, 0.1, True
    class_label = None


@pytest.mark.parametrize(
    ("report", "kept"),
    [
        ("{examples: none}", None),
        ("{redact: [id]}", {"id": "row-1", "image": None, "text": "SECRET"}),
        ("{redact: [text]}", {"id": "SECRET", "image": "SECRET", "text": None}),
        ("{redact: [image, label]}", {"label": "", "image": None}),
    ],
)
def test_what_is_kept_back_is_not_in_the_record(
    tmp_path: Path, report: str, kept: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = _policy(tmp_path, PLAIN.replace("caption", "text") + f"report: {report}\n")
    monkeypatch.setattr("prunegate.audit.recorded_flips.flipped_rows", lambda *_: [_Row])
    origin = Origin(
        images={"SECRET": "SECRET"}, texts={"SECRET": "SECRET"},
        made={"generations": ("SECRET",), "seed": 1},
    )  # fmt: skip
    no_table: Any = None  # no row is read
    flips = recorded_flips(policy, no_table, origin.images, origin.texts)
    if kept is None:
        assert flips == ()
    else:
        assert {name: getattr(flips[0], name) for name in kept} == kept
    texts_held_back = "none" in report or "image" not in report
    assert _made(policy, origin) == ({"seed": 1} if texts_held_back else origin.made)
