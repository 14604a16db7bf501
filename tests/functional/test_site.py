"""The site builds strictly, and no page of it asks anybody else for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.functional.pages import ROOT

LOADS = {"script", "link", "img", "iframe", "source", "object", "embed", "video", "audio", "form"}
ELSEWHERE = re.compile(r"^\s*(?:https?:)?//")


class Loads(HTMLParser):
    """What a page loads when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(given["content"])
        if tag in LOADS:
            names = ("src", "href", "srcset", "data", "action")
            self.found += [(tag, given[name]) for name in names if name in given]


pytestmark = pytest.mark.slow  # mkdocs builds them all


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    done = subprocess.run(
        build,
        check=False,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    seen = sorted(site.rglob("*.html"))
    assert len(seen) > 30
    for page in seen:
        parser = Loads()
        parser.feed(page.read_text(encoding="utf-8"))
        outside = [(tag, at) for tag, at in parser.found if ELSEWHERE.match(at)]
        assert not outside, f"{page.relative_to(site)}: {outside}"
        assert parser.policies, f"{page.relative_to(site)} has no content security policy"
        assert "http" not in parser.policies[0]


def test_no_style_loads_anything_from_elsewhere(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", text), sheet.name


def test_the_sample_reports_are_in_the_site(site: Path) -> None:
    for name, kept in (("rejected", "display-only"), ("approved", "representative")):
        sample = ROOT / "reports" / "sample" / kept / "report.html"
        assert (site / "sample" / f"{name}.html").read_bytes() == sample.read_bytes()
