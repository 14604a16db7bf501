"""The page as a whole: one inert, accessible, self-contained document."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.errors import InternalError
from prunegate.report import render

pytestmark = pytest.mark.slow

NAMES = ("rejected", "approved", "hostile", "undefined")
_VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Checks that elements nest, and collects what the laws are about."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({key for key, _ in attrs}) == len(attrs), f"an attribute twice on <{tag}>"
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        """All words outside of tags and styles."""
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="session")
def pages(records: ModuleType) -> dict[str, str]:
    """Every record's report."""
    return {
        name: render(getattr(records, name)(), digest=records.DIGEST, pictures=records.pictures())
        for name in NAMES
    }


@pytest.fixture(params=NAMES)
def page(request: pytest.FixtureRequest, pages: dict[str, str]) -> str:
    """One report after the other."""
    return pages[request.param]


def test_the_page_is_well_formed(page: str) -> None:
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    Page(page)


def test_nothing_runs_and_nothing_is_loaded(page: str) -> None:
    parsed = Page(page)
    assert not {tag for tag, _ in parsed.tags} & {
        "script",
        "link",
        "iframe",
        "object",
        "form",
        "base",
    }
    for tag, attributes in parsed.tags:
        assert not [key for key in attributes if key.startswith("on")], tag
        assert (attributes.get("href") or "#").startswith("#"), tag
        assert (attributes.get("src") or "data:").startswith("data:")
    styles = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert styles is not None
    assert not re.search(r"url\(|@import|@font-face|expression", styles[1])
    addresses = re.findall(r"https?://[^\"'\s<]+", page)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}


def test_the_browser_is_told_so(page: str) -> None:
    policy = next(a["content"] for t, a in Page(page).tags if "http-equiv" in a)
    assert str(policy).startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


def test_nothing_invisible_is_in_the_page(page: str) -> None:
    allowed = {"\n", "\u00a0"}
    assert {c for c in page if not c.isprintable()} <= allowed


def test_nothing_undefined_is_blank_or_python(page: str) -> None:
    text = Page(page).text
    assert not re.search(r"\b(None|nan|inf|Undefined|Markup)\b", text)


def test_no_table_cell_is_empty(page: str) -> None:
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", page, re.DOTALL)
    assert cells
    empty = [c for c in cells if not re.sub(r"<[^>]*>", "", c).strip()]
    assert len(empty) == page.count("<thead><tr><td></td>")


def test_headings_go_down_one_step_at_a_time(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Page(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))


def test_landmarks_names_and_ids(page: str) -> None:
    tags = Page(page).tags
    names = [tag for tag, _ in tags]
    assert [names.count(landmark) for landmark in ("header", "main", "footer")] == [1, 1, 1]
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(set(ids)) == len(ids)
    for _, attributes in tags:
        for target in (attributes.get("aria-labelledby") or "").split():
            assert target in ids
    for tag, attributes in tags:
        if tag == "th":
            assert attributes.get("scope") in ("col", "row", "rowgroup")
        if tag == "img":
            assert attributes.get("alt")
        if tag == "svg":
            assert "aria-hidden" in attributes or "aria-labelledby" in attributes


def test_the_page_fits_into_an_e_mail(page: str) -> None:
    assert len(page.encode()) < 1_000_000


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rejected", "NO. Keep the current model."),
        ("approved", "YES. It may replace the current model."),
        ("undefined", "NOT YET. Keep the current model for now."),
    ],
)
def test_the_decision_comes_first_and_in_words(pages: dict[str, str], name: str, said: str) -> None:
    text = Page(pages[name]).text
    assert said in text
    assert text.index(said) < text.index("The rules")
    assert text.count("3f9a 1c52 b7e0") >= 3


def test_only_what_the_record_has_is_shown(pages: dict[str, str]) -> None:
    optional = ("control", "flips", "cost", "heads", "measures", "recipe", "warnings")
    for part in optional:
        assert f'id="{part}"' in pages["rejected"]
        assert f'id="{part}"' not in pages["approved"]


def test_a_page_without_pictures_has_no_empty_frames(records: ModuleType) -> None:
    page = render(records.rejected(), digest=records.DIGEST, pictures={})
    assert "no picture" not in page
    assert "<img" not in page


def test_hostile_words_are_shown_and_do_nothing(pages: dict[str, str]) -> None:
    page = pages["hostile"]
    assert "&lt;img src=x onerror=alert(1)&gt;\\u202egnp.exe\\u0000\\u000a" in page
    assert "<img" not in page


def test_a_waived_finding_is_shown_as_waived(records: ModuleType) -> None:
    record = records.rejected()
    waived = replace(record, findings=(replace(record.findings[0], status="waived"),))
    text = Page(render(waived, digest=records.DIGEST, pictures={})).text
    assert "0 of 1 hold" not in text
    assert "proven safe content_type" not in text
    assert text.count("waived") >= 2


@pytest.mark.parametrize("digest", ["", "abc", "A" * 64, '"' * 64])
def test_a_digest_that_is_none_is_refused(records: ModuleType, digest: str) -> None:
    with pytest.raises(InternalError, match="sha256"):
        render(records.approved(), digest=digest, pictures={})


@pytest.mark.slow
@settings(max_examples=times(6, thorough=30), deadline=None)
@given(text=st.text(st.characters(), min_size=1, max_size=30))
def test_any_name_leaves_the_page_well_formed(records: ModuleType, text: str) -> None:
    record = records.approved()
    odd = replace(
        record, warnings=(text,), reasons=(text,), statement=text,
        policy=replace(record.policy, purpose=text, owner=text, sentences=(text,)),
        findings=tuple(replace(f, slice=text, note=text, method=text) for f in record.findings),
        slices=tuple(replace(s, name=f"content_type={text}") for s in record.slices),
    )  # fmt: skip
    page = render(odd, digest=records.DIGEST, pictures={})
    assert [tag for tag, _ in Page(page).tags].count("section") == 8
    assert {c for c in page if not c.isprintable()} <= {"\n", "\u00a0"}


def test_the_same_record_gives_the_same_page(records: ModuleType, pages: dict[str, str]) -> None:
    again = render(records.rejected(), digest=records.DIGEST, pictures=records.pictures())
    assert again == pages["rejected"]
