"""summary.md: one line, then what does not hold; nothing that data can write; always short."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.read import parse_record
from prunegate.claims.checked import CheckedFigure, Claims
from prunegate.cli.verdict_lines import Terminal, verdict_lines
from prunegate.outputs.junit import render_junit
from prunegate.outputs.markdown import code, prose
from prunegate.outputs.nothing_judged import marker
from prunegate.outputs.summary import LARGEST, ROWS, render_summary
from prunegate.text.numbers import GAP

NAMES = ("rejected", "approved", "hostile", "undefined")


def outside_code(text: str) -> str:
    """What a Markdown reader would interpret."""
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        (
            "rejected",
            (
                "❌ **REJECT** `brand-safety-vit`: recall on `video` −7.0 points (limit −2) · "
                "2 more broken · "
            ),
        ),
        ("approved", "✅ **APPROVE** `brand-safety-vit`: 0 open · 5 hold · ⚠ 0"),
        ("hostile", "⚠️ **INCONCLUSIVE** `odd-names`: 30 open · "),
    ],
)
def test_one_line_says_how_it_stands(records: ModuleType, name: str, first: str) -> None:
    record = getattr(records, name)()
    hidden, status = render_summary(record, records.DIGEST).splitlines()[:2]
    assert hidden == f"<!-- prunegate:{record.policy.name} -->"
    assert status.replace(GAP, " ").startswith(first)


@pytest.mark.parametrize("name", NAMES)
def test_data_writes_no_markup(records: ModuleType, name: str) -> None:
    text = render_summary(getattr(records, name)(), records.DIGEST)
    hidden, _, rest = text.partition("\n")
    assert hidden.startswith("<!-- prunegate:")
    assert hidden.count("-->") == 1
    rest = outside_code(rest)
    assert not re.search(r"@\w|https?:|www\.|!\[|\]\(|[#!~&]\d", rest)
    assert not re.findall(r"<[^>]*>", rest)


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_hold_is_a_row_of_six_cells(records: ModuleType, name: str) -> None:
    record = getattr(records, name)()
    lines = render_summary(record, records.DIGEST).splitlines()
    rows = [line for line in lines if line.startswith(("| ❔", "| ❌", "| 🚫"))]
    lacking = [f for f in record.findings if f.status != "pass"]
    assert len(rows) == min(len(lacking), ROWS)
    assert {row.count("|") for row in rows} <= {7}
    assert [row.startswith("| ❌") for row in rows] == sorted(
        (row.startswith("| ❌") for row in rows), reverse=True
    ) or any("⚠" in row for row in rows)


def test_many_slices_and_the_longest_names_stay_short(records: ModuleType) -> None:
    record = records.hostile()
    names = [f"{n}" + "@\u202e|" * 2500 for n in range(300)]
    findings = tuple(replace(record.findings[0], slice=name, note=name) for name in names)
    many = replace(record, findings=findings, warnings=tuple(names), reasons=tuple(names))
    text = render_summary(many, records.DIGEST)
    assert len(text) < LARGEST
    assert "280 more: findings.csv" in text
    assert text.endswith("UTC.\n")


@pytest.mark.parametrize("name", ["display-only", "representative"])
def test_the_demos_summary_is_under_two_kilobytes(name: str) -> None:
    sample = Path(__file__).parents[3] / "reports" / "sample" / name / "record.json"
    stored = parse_record(sample.read_bytes(), name)
    assert len(render_summary(stored.record, stored.digest).encode()) < 2000


def test_stated_figures_and_money_have_a_line_each(records: ModuleType) -> None:
    wrong = CheckedFigure(
        figure="recall: change", stated="1", status="contradicted", basis="arithmetic", sum="2"
    )
    claims = Claims(about=None, checks=(wrong, replace(wrong, status="right")))
    text = render_summary(replace(records.rejected(), claims=claims), records.DIGEST)
    assert "Stated figures: 1 wrong, 1 right, 0 not checked" in text
    (money,) = [line for line in text.splitlines() if line.startswith("Cost: ")]
    assert "$3,360 → $2,320" in money
    assert "not realised" in money


@given(st.text(st.characters(), max_size=200))
def test_a_marker_is_one_comment(text: str) -> None:
    shown = marker(text)
    assert shown.count("<!--") == shown.count("-->") == 1
    assert shown.endswith("-->")
    assert "--" not in shown[4:-3]
    assert "\n" not in shown


@given(st.text(st.characters(), max_size=60))
def test_a_code_span_cannot_be_left(text: str) -> None:
    shown = code(text)
    assert shown.startswith("`")
    assert shown.endswith("`")
    assert not set(shown[1:-1]) & {"`", "|", "\n"}
    assert len(shown) > 2


@given(st.text(st.characters(), max_size=80))
def test_prose_from_anywhere_is_words_and_code_spans(text: str) -> None:
    shown = outside_code(prose(text))
    assert not re.search(
        r"[@#!~&\\*_\[\]{}|\n\r/](?!lt;|gt;)", shown.replace("&lt;", "").replace("&gt;", "")
    )
    assert "<" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see @all and #12", "see `@all` and `#12`"),
        ("1. not a list", "`1.` not a list"),
        ("go to www.example.org now", "go to `www.example.org` now"),
        ("<b>bold</b>", "`<b>bold</b>`"),
        ("lost 14, gained 9 of 1,900.", "lost 14, gained 9 of 1,900."),
        ("(content_type=video)", "(`content_type=video`)"),
        ("the candidate's key 'content_type'.", "the candidate's key `content_type`."),
        ("this rule onl…", "this rule onl…"),
        ("'@all' \"#12\"", "`@all` `#12`"),
    ],
)
def test_prose(text: str, shown: str) -> None:
    assert prose(text) == shown


def test_a_policy_s_labels_and_words_are_used(records: ModuleType) -> None:
    record = records.rejected()
    words = {
        "labels": {"content_type": {"video": "Film", "ugc": "story", "display": "@all|`x`"}},
        "words": {"positive": "unsafe creatives"},
    }
    document = {**record.policy.document, **words}
    told = replace(record, policy=replace(record.policy, document=document))
    text = render_summary(told, records.DIGEST)
    assert "recall on `Film`" in text
    assert "| `Film` | recall |" in text
    asks = replace(told, outcome="inconclusive")
    assert "unsafe creatives" in render_summary(asks, records.DIGEST)
    assert "positives" not in text
    assert "| `ugc` |" in text  # its label is another slice's name
    assert "@all" not in outside_code(text)
    lines = "\n".join(verdict_lines(asks, Terminal(width=None)))
    assert "Film" in lines
    assert "unsafe creatives" in lines
    assert "Film" not in render_junit(told)  # what other programs read keeps the machine's names


@pytest.mark.parametrize("why", ["a reason", "a reason that takes a while to tell, " * 5])
def test_of_a_long_note_what_to_do_is_kept(records: ModuleType, why: str) -> None:
    record = records.rejected()
    open_one = next(
        f for f in record.findings if f.status == "inconclusive" and f.severity == "block"
    )
    note = f"{why}; so many rows would do"
    changed = replace(open_one, needed=None, open_because="not shown", note=note)
    findings = tuple(changed if f is open_one else f for f in record.findings)
    text = render_summary(replace(record, findings=findings), records.DIGEST)
    assert "so many rows would do" in text.replace(GAP, " ")
    assert ("a reason" in text.replace(GAP, " ")) == (why == "a reason")
