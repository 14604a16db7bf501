"""A page is bound to its record and its pictures: any change is noticed, and the place is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.audit.canonical import canonical_bytes, digest
from prunegate.audit.read import kept_form
from prunegate.audit.record import DecisionRecord
from prunegate.errors import EvidenceError
from prunegate.gate import gate
from prunegate.policy.load import read_policy
from prunegate.report import render
from prunegate.report.embedded_record import carried_record, digests_of, embedded
from prunegate.report.flips import pictures_shown
from prunegate.report.verify_page import verify_content, verify_file

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.02}]
"""
HOSTILE = "</template><script>alert(1)</script><!--\u202e\u2028&lt;\U0001f600"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory, records: ModuleType) -> DecisionRecord:
    """A small rejection with a hostile name and two pictures."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "p.yaml").write_text(POLICY, encoding="utf-8")
    rows = [
        f'"{HOSTILE}",unsafe,0.9,0.1',
        *(f"r{i},unsafe,0.9,{0.9 if i % 2 else 0.1}" for i in range(60)),
    ]
    lines = "\n".join(("id,label,baseline,candidate", *rows, "n,safe,0.1,0.2"))
    (folder / "t.csv").write_text(lines, encoding="utf-8")
    made = gate(read_policy(folder / "p.yaml"), folder / "t.csv").record
    shown = pictures_shown(made, pictures(made, records))
    assert len(shown) == 2
    return replace(made, pictures=digests_of(shown))


def pictures(record: DecisionRecord, records: ModuleType) -> dict[str, bytes]:
    return {flip.id: records.picture(9 * n) for n, flip in enumerate(record.flips[:2])}


@pytest.fixture(scope="module")
def page(record: DecisionRecord, records: ModuleType) -> str:
    """The report of it."""
    kept = kept_form(canonical_bytes(record)).record
    return render(kept, digest=digest(record), pictures=pictures(record, records))


def statuses(content: bytes, suffix: str) -> dict[str, str]:
    return {check.name: check.status for check in verify_content(content, suffix).checks}


def broken(content: bytes, suffix: str = ".html") -> str:
    found = verify_content(content, suffix)
    assert found.exit_code == 6
    return next(check.detail for check in found.checks if check.status == "broken")


def test_a_page_that_nobody_touched_holds_and_is_told_to_be_unsigned(page: str) -> None:
    found = verify_content(page.encode(), ".html")
    assert found.exit_code == 0
    assert {c.name: c.status for c in found.checks} == {
        **dict.fromkeys(("record", "verdict", "pictures", "page"), "holds"),
        **dict.fromkeys(("digest", "signature", "log", "approvals"), "missing"),
    }
    assert verify_content(page.encode()).kind == "report"
    assert found.requiring(["log"]).exit_code == 6


def test_a_page_without_charts_is_made_again_without_them(
    record: DecisionRecord, page: str
) -> None:
    kept = kept_form(canonical_bytes(record)).record
    without = render(kept, digest=digest(record), pictures={}, charts=False)
    found = verify_content(without.encode())
    assert found.exit_code == 0
    assert "charts could not be drawn" in next(c.detail for c in found.checks if c.name == "page")
    mark = '<meta name="prunegate-charts" content="undrawn">\n'
    assert mark in without
    assert mark not in page
    assert "line" in broken(without.replace(mark, "").encode())
    assert "line" in broken(page.replace("<meta", mark + "<meta", 1).encode())


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.found.append(tag)


def test_the_page_carries_the_records_very_bytes_and_nothing_breaks_out(
    page: str, record: DecisionRecord
) -> None:
    text = carried_record(page)
    assert canonical_bytes(json.loads(text)) == canonical_bytes(record)
    assert text.isascii()
    assert not set("<>&") & set(text)
    tags = Tags(page).found
    plain = Tags(page.replace(text, "")).found
    assert tags == plain  # nothing of the record became an element
    assert tags.count("template") == 1
    assert "script" not in tags
    assert "script-src" not in page  # so that default-src 'none' forbids every script
    assert "default-src 'none'" in page


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_a_record_says_comes_back(text: str) -> None:
    content = canonical_bytes({"a": text})
    inside = carried_record(str(embedded(content)))
    assert json.loads(inside) == {"a": text}
    assert inside.isascii()
    assert not set("<>&") & set(inside)


@pytest.fixture(scope="module")
def _drawn_once() -> Iterator[None]:
    """Rendering is a function of the record and its pictures: what was drawn once is kept."""
    drawn: dict[object, str] = {}

    def kept(record: DecisionRecord, **given: Any) -> str:
        key = (given["digest"], tuple(sorted(given["pictures"])))
        if key not in drawn:
            drawn[key] = render(record, **given)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prunegate.report.verify_page.render", kept)
        yield


EDITS = ("flip", "insert", "delete", "double")


@given(place=st.floats(0, 1, exclude_max=True), edit=st.sampled_from(EDITS), to=st.integers(1, 127))
@settings(max_examples=times(16, thorough=100), deadline=None)
@pytest.mark.usefixtures("_drawn_once")
def test_one_changed_character_anywhere_in_a_page_is_noticed(
    page: str, place: float, edit: str, to: int
) -> None:
    content = bytearray(page.encode())
    at = int(place * len(content))
    if edit == "flip":
        content[at] ^= to
    elif edit == "insert":
        content.insert(at, to)
    elif edit == "delete":
        del content[at]
    else:
        content.insert(at, content[at])
    assert broken(bytes(content))


def test_every_kind_of_place_in_a_page_is_noticed_and_named(page: str) -> None:
    assert re.search(r"line \d+: here stands “.*” ?, where|line 1", broken(b"<" + page.encode()))
    assert "REJECT" in page or "INCONCLUSIVE" in page
    said = broken(re.sub("REJECT|INCONCLUSIVE", "APPROVE", page).encode())
    assert re.search(r"line \d+: here stands “.*APPROVE", said)
    assert "where the record gives" in broken(page[:-1].encode())
    assert "not UTF-8" in broken(page.encode().replace(b"sheet", b"\xff", 1))
    assert "carries no record" in broken(page.replace('id="record"', 'id="other"').encode())
    history = b'<!DOCTYPE html><meta name="prunegate-history" content="1">'
    assert "prunegate audit verify" in broken(history)
    again = page.replace("</body>", f"{embedded(b'{}')}</body>")
    assert "more than one record" in broken(again.encode())
    assert "line 3: here stands" in broken(page.replace('charset="utf-8"', 'charset="UTF-8"', 1).encode().replace(b"<head>\n", b"<head>", 1))  # fmt: skip  # noqa: E501


def test_a_picture_that_was_put_in_exchanged_or_taken_out_is_noticed(
    page: str, records: ModuleType
) -> None:
    import base64

    one, two, other = (base64.b64encode(records.picture(shade)).decode() for shade in (0, 9, 77))
    assert "none that the record names" in broken(page.replace(one, other).encode())
    exchanged = page.replace(one, "X").replace(two, one).replace("X", two)
    assert "was changed after it was made" in broken(exchanged.encode())
    gone = page.replace(f'src="data:image/png;base64,{one}"', "")
    assert "was changed after it was made" in broken(gone.encode())


def test_a_page_without_its_pictures_says_so(record: DecisionRecord) -> None:
    kept = kept_form(canonical_bytes(record))
    plain = render(kept.record, digest=kept.digest, pictures={})
    found = verify_content(plain.encode(), ".html")
    assert found.exit_code == 0
    (said,) = [check.detail for check in found.checks if check.name == "pictures"]
    assert said.startswith("0 of 2 that the record names")


def test_a_page_with_a_section_from_elsewhere_is_not_called_forged(record: DecisionRecord) -> None:
    page = render(record, digest=digest(record), pictures={})
    head = '<meta name="generator" content="prunegate">\n'
    more = '<meta name="prunegate-sections" content="rules calm">\n'
    said = broken(page.replace(head, head + more).encode())
    assert said.startswith("cannot be made again here")
    assert "sections that this build does not have (calm)" in said
    known = broken(page.replace(head, head + more.replace(" calm", "")).encode())
    assert "was changed after it was made" in known


def test_a_page_of_another_version_is_not_called_forged(record: DecisionRecord) -> None:
    packages = {**record.tool.packages, "jinja2": "1.0"}
    older = replace(record, tool=replace(record.tool, version="0.0.9", packages=packages))
    page = render(older, digest=digest(older), pictures={})
    assert verify_content(page.encode(), ".html").exit_code == 0  # the same bytes: nothing to say
    said = broken(page.replace("Where it comes from", "Where it came from").encode())
    assert said.startswith("cannot be made again here")
    assert "prunegate 0.0.9 (here" in said
    assert "jinja2 1.0 (here" in said
    assert "verify the record.json" in said


def test_a_record_by_itself_is_checked_against_what_names_it(
    record: DecisionRecord, page: str, tmp_path: Path
) -> None:
    content = canonical_bytes(record)
    path = tmp_path / "record.json"
    path.write_bytes(content)
    assert {c.name: c.status for c in verify_file(path).checks}["digest"] == "missing"
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    assert {c.name: c.status for c in verify_file(path).checks}["digest"] == "holds"
    path.write_bytes(content.replace(b'"created":"20', b'"created":"19'))
    found = verify_file(path)
    assert found.exit_code == 6
    assert "report.html beside it carries" in found.checks[2].detail
    for place in (tmp_path / digest(record), tmp_path / digest(record)[:12] / "r.json"):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
        assert {c.name: c.status for c in verify_file(place).checks}["digest"] == "holds"
        place.write_bytes(path.read_bytes())
        assert verify_file(place).exit_code == 6


NASTY = [
    b"",
    b"{",
    b"[" * 100_000,
    b'{"format":"urn:prunegate:record:v1","x":1e999}',
    b'{"format":"urn:prunegate:record:v1","x":"\\ud800"}',
    b'{"format":"urn:prunegate:record:v1","x":9999999999999999999}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("content", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("suffix", [".json", ".html", ""])
def test_what_is_neither_page_nor_record_does_not_hold(content: bytes, suffix: str) -> None:
    found = verify_content(content, suffix)
    assert found.exit_code == 6
    assert found.outcome is None
    inside = b'<template id="record">' + content + b"</template>"
    assert verify_content(inside, ".html").exit_code == 6


def test_more_than_one_record_is_refused() -> None:
    with pytest.raises(EvidenceError, match="more than one record"):
        carried_record('<template id="record">a<template id="record">b</template>')
