"""README and docs as pages with blocks of code, for the tests that hold them to what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SHELLS = ("sh", "bash", "console", "shell")

_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$",
    flags=re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page."""

    page: str
    """Its path from the root of the repository."""
    language: str
    code: str
    mark: str
    """The comment right above it, which says why it does not run here; empty: it runs."""

    @property
    def lines(self) -> list[str]:
        """Lines without the words after two spaces and a hash, and without a prompt."""
        told = (re.split(r"\s{2,}#", line)[0].strip() for line in self.code.splitlines())
        return [line.removeprefix("$ ") for line in told if line and not line.startswith("#")]


def pages() -> list[str]:
    """Every page that people read, by its path from the root."""
    found = ["README.md", "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
    return [str(page if isinstance(page, str) else page.relative_to(ROOT)) for page in found]


def text_of(page: str) -> str:
    """A page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, *languages: str) -> list[Block]:
    """Its blocks in some languages; in any, where none are named."""
    found = [
        Block(
            page=page,
            language=match["language"],
            code=match["code"],
            mark=(match["mark"] or "").strip(),
        )
        for match in _BLOCK.finditer(text_of(page))
    ]
    return [block for block in found if not languages or block.language in languages]


def shell_blocks() -> list[Block]:
    """The shell blocks of all pages."""
    return [block for page in pages() for block in blocks(page, *SHELLS)]
