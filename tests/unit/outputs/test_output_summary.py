"""summary.md: outcome first, nothing that data can write, never more than a MiB."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.outputs.markdown import code, prose
from prunegate.outputs.summary import LARGEST, render_summary

NAMES = ("rejected", "approved", "hostile", "undefined")


def outside_code(text: str) -> str:
    """What a Markdown reader would interpret."""
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("rejected", "## ❌ prunegate: REJECT, `brand-safety-vit`"),
        ("approved", "## ✅ prunegate: APPROVE, `brand-safety-vit`"),
        ("hostile", "## ⚠️ prunegate: INCONCLUSIVE, `odd-names`"),
    ],
)
def test_the_outcome_comes_first(records: ModuleType, name: str, first: str) -> None:
    text = render_summary(getattr(records, name)(), records.DIGEST)
    assert text.splitlines()[0] == first


@pytest.mark.parametrize("name", NAMES)
def test_data_writes_no_markup(records: ModuleType, name: str) -> None:
    text = outside_code(render_summary(getattr(records, name)(), records.DIGEST))
    assert not re.search(r"@\w|https?:|www\.|!\[|\]\(|[#!~&]\d", text)
    assert set(re.findall(r"<[^>]*>", text)) <= {
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_finding_is_one_row_of_six_cells(records: ModuleType, name: str) -> None:
    record = getattr(records, name)()
    lines = render_summary(record, records.DIGEST).splitlines()
    rows = [line for line in lines if line.startswith(("| ✅", "| ❌", "| ⚠️", "| 🚫"))]
    assert len(rows) == len(record.findings)
    assert {row.count("|") for row in rows} == {7}


def test_what_failed_is_in_the_open_and_the_rest_is_folded(records: ModuleType) -> None:
    opened, folded = render_summary(records.rejected(), records.DIGEST).split("<details>")
    assert "❌ shown to be worse" in opened
    assert "proven safe" not in opened
    assert folded.count("proven safe") == 6


@pytest.mark.slow
def test_a_summary_that_is_too_long_says_what_it_leaves_out(records: ModuleType) -> None:
    record = records.hostile()
    many = tuple(replace(record.findings[0], slice=f"s{n}") for n in range(4000))
    text = render_summary(replace(record, findings=many), records.DIGEST)
    assert len(text.encode()) <= LARGEST
    left = re.search(r"(\d+) more findings are in findings.csv", text)
    assert left is not None
    assert int(left[1]) + text.count("\n| ⚠️") == 4000
    assert text.endswith("UTC.\n")


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
        ("(content_type=video)", "`(content_type=video`)"),
    ],
)
def test_prose(text: str, shown: str) -> None:
    assert prose(text) == shown
