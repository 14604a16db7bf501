"""Write the reference pages of the docs from what they describe: ``python tools/reference``.

Commands from click, the policy from its JSON Schema, the record from its own. With ``--check``
nothing is written, and the exit code is 1 where a page is not what it would be.
"""

from __future__ import annotations

import sys
from pathlib import Path

from command_line import command_line
from schema_page import policy_page, record_page

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def main() -> int:
    """Write or check every page."""
    pages = {
        "command-line.md": command_line(),
        "policy.md": policy_page(),
        "record.md": record_page(),
    }
    stale = [name for name, text in pages.items() if _stored(FOLDER / name) != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/reference/{name} is not current; run: make reference")  # noqa: T201
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).write_text(pages[name], encoding="utf-8")
        print(f"wrote docs/reference/{name}")  # noqa: T201  # a script that says what it did
    return 0


def _stored(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
