"""Provenance: what computed a verdict, without a word about whose machine it was."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from prunegate import __version__
from prunegate.audit.record import Tool

_JUDGING = (
    *("duckdb", "great-expectations", "narwhals", "numpy", "pandas", "pyarrow", "pydantic"),
    *("ruamel.yaml", "scipy"),
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


def now() -> str:
    """The time in UTC, to the second; ``SOURCE_DATE_EPOCH`` fixes it for reproducible output."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(fixed), UTC) if fixed else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
