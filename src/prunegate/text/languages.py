"""Languages: which catalogues of sentences there are; a file more in ``catalogue`` is one more.

A catalogue is TOML: messages with ``{placeholders}``, the same keys in every language.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

ENGLISH = "en"
_SUFFIX = ".toml"


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are a catalogue for, by their two letters."""
    folder = resources.files("prunegate.text") / "catalogue"
    names = (file.name for file in folder.iterdir())
    return tuple(sorted(n[: -len(_SUFFIX)] for n in names if n[-len(_SUFFIX) :] == _SUFFIX))


def catalogue(language: str) -> str:
    """The TOML text of one language."""
    folder = resources.files("prunegate.text") / "catalogue"
    return (folder / f"{language}{_SUFFIX}").read_text(encoding="utf-8")
