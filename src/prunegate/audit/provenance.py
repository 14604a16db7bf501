"""Provenance: what computed a verdict, without a word about whose machine it was."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from prunegate._version import __version__
from prunegate.audit.record import Tool
from prunegate.text.escape import escaped

MOMENT = "%Y-%m-%dT%H:%M:%SZ"
"""How a moment in UTC is written, to the second."""
_JUDGING = (
    *("duckdb", "great-expectations", "jinja2", "narwhals", "numpy", "pandas", "pyarrow"),
    *("pydantic", "ruamel.yaml", "scipy", "vl-convert-python"),
)
_COMPRESSING = ("pillow", "safetensors", "torch", "transformers")


def tool(*, compressing: bool) -> Tool:
    """The program and the libraries that the result depends on."""
    names = (*_JUDGING, *(_COMPRESSING if compressing else ()))
    return Tool(
        name="prunegate",
        version=__version__,
        python=platform.python_version(),
        platform=f"{sys.platform} {platform.machine()}",
        packages={name: found for name in names if (found := _version(name))},
    )


def made_elsewhere(made: Tool, packages: Sequence[str]) -> str:
    """In which versions the program that made a record differs from this one; empty: in none.

    Args:
        made: what the record names.
        packages: libraries that the result in question depends on.
    """
    named = {"prunegate": made.version, **{name: made.packages.get(name) for name in packages}}
    here = {"prunegate": __version__, **{name: _version(name) for name in packages}}
    other = [name for name in named if named[name] != here[name]]
    return ", ".join(
        f"{name} {escaped(named[name] or 'of no known version')} (here {here[name] or 'none'})"
        for name in other
    )


def now() -> str:
    """The time in UTC, to the second; ``SOURCE_DATE_EPOCH`` fixes it for reproducible output."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(fixed), UTC) if fixed else datetime.now(UTC)
    return moment.strftime(MOMENT)


@cache
def _version(name: str) -> str | None:
    """What is installed; no program changes its own libraries, and each look reads a file."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
