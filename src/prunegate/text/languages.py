"""Languages: which catalogues of sentences there are; a folder more in ``catalogue`` is one more.

A catalogue is TOML: messages with ``{placeholders}``, the same files and keys in every language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from operator import attrgetter
from typing import Any

ENGLISH = "en"


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are a catalogue for, by their two letters."""
    folder = resources.files("prunegate.text") / "catalogue"
    return tuple(sorted(one.name for one in folder.iterdir() if one.is_dir()))


def catalogue(language: str) -> str:
    """The TOML text of one language: all of its files, one after the other."""
    folder = resources.files("prunegate.text") / "catalogue" / language
    found = sorted(folder.iterdir(), key=attrgetter("name"))
    return "\n".join(one.read_text(encoding="utf-8") for one in found)


@cache
def messages(language: str) -> Mapping[str, str]:
    """Every message of one language by its dotted key."""
    return _flat(tomllib.loads(catalogue(language)))


def _flat(tables: Mapping[str, Any], at: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in tables.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{at}{name}.")
        else:
            found[f"{at}{name}"] = value
    return found
