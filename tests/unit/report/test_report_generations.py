"""What models wrote is shown side by side, and whatever it holds does nothing."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import parse_record
from prunegate.audit.record import Flip
from prunegate.audit.written_texts import Generation
from prunegate.report import render
from prunegate.report.flips import flips
from prunegate.report.generations_table import MOST, generations, inert_lines

pytestmark = pytest.mark.slow

HOSTILE = (
    "</dd></dl><script>alert(1)</script><img src=x onerror=alert(1)>",
    "safe\u202eexe \u2066 \u200b \x1b[31m\x00\x07",
    "'\" onmouseover=alert(1) {{ 7 * 7 }} {% raw %} &lt;b&gt;",
    "z\u0335\u0336\u0337\u0338\u0339" * 40,
    "\n\n\r\n\t=cmd|' /C calc'!A0",
)


def generation(**given: Any) -> Generation:
    texts = {"prompt": "p", "reference": "r", "baseline": "b", "candidate": "c"}
    return Generation(**{"id": "d", "slices": ("kind=x",), **texts, **given})


def shown(records: ModuleType, *found: Generation, **more: Any) -> str:
    record = replace(records.approved(), generations=found, **more)
    return render(record, digest=records.DIGEST, pictures={})


class Elements(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


def elements(page: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = Elements()
    parser.feed(page)
    return parser.seen


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["id", "prompt", "reference", "baseline", "candidate"])
def test_hostile_texts_add_no_element_and_nothing_invisible(
    records: ModuleType, text: str, field: str
) -> None:
    page = shown(records, generation(**{field: text}), generation(slices=(f"kind={text}",)))
    calm = shown(records, generation(**{field: "words"}), generation(slices=("kind=words",)))
    # Lines are ours to break; every other element and attribute is as for harmless words.
    ours = [("br", ()), ("bdi", ())]
    assert [e for e in elements(page) if e not in ours] == [
        e for e in elements(calm) if e not in ours
    ]
    assert "49" not in set(page.split()) - set(calm.split())
    for char in "\u202e\u2066\u200b\x1b\x00\x07":
        assert char not in page


def test_hostile_flip_texts_are_inert(records: ModuleType) -> None:
    found = tuple(
        Flip(id=f"f{n}", slices=(), label="x", baseline=0.9, candidate=0.1, lost=True, text=text)
        for n, text in enumerate(HOSTILE)
    )
    page = shown(records, flips=found)
    calm = shown(records, flips=tuple(replace(flip, text="words") for flip in found))
    assert elements(page) == elements(calm)
    for char in "\u202e\u2066\u200b\x1b\x00\x07":
        assert char not in page


def test_a_flip_shows_its_text_and_no_hole_for_a_picture(records: ModuleType) -> None:
    flip = Flip(id="f", slices=(), label="spam", baseline=0.9, candidate=0.1, lost=True, text="Buy")
    view = flips(replace(records.approved(), flips=(flip,)), {})
    assert view is not None
    assert (view.with_texts, view.with_pictures) == (True, False)
    assert "<bdi>Buy</bdi>" in shown(records, flips=(flip,))


def test_a_record_without_generations_has_no_section(records: ModuleType) -> None:
    assert generations(records.approved()) is None
    assert "What both models write" not in shown(records)


def test_what_is_alike_is_counted_and_what_is_left_out_is_said(records: ModuleType) -> None:
    many = [generation(id=f"d{n}", candidate="b" if n < 4 else "c") for n in range(MOST + 3)]
    view = generations(replace(records.approved(), generations=tuple(many)))
    assert view is not None
    assert view.counted == "27 documents, 4 of which both models continue alike; 24 are shown."
    assert [one.same for one in view.examples] == [True] * 4 + [False] * (MOST - 4)


@given(text=st.text(max_size=1500))
def test_lines_are_few_short_and_printable(text: str) -> None:
    found = inert_lines(text)
    assert len(found) <= 13
    assert all(line.isprintable() for line in found)
    assert found or not any(char.isalnum() for char in text[:12])


def test_a_record_with_generations_reads_back(records: ModuleType) -> None:
    record = replace(records.approved(), generations=(generation(baseline=HOSTILE[1]),))
    assert parse_record(canonical_bytes(record), "record.json").record == record
