"""Decision records to report on; see ``records.py`` beside this file."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def vega_lite(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The charts that a test has drawn; each is Vega-Lite, as the language's own schema has it.

    The schema is altair's copy.
    """
    import altair as alt

    from prunegate.report import svg

    specifications: list[str] = []
    draw = svg.drawn_svg

    def kept(specification: str) -> str:
        specifications.append(specification)
        return draw(specification)

    monkeypatch.setattr(svg, "drawn_svg", kept)
    yield specifications
    assert specifications
    for specification in specifications:
        alt.LayerChart.from_dict(json.loads(specification))  # refuses what is none


@pytest.fixture(scope="session")
def records() -> ModuleType:
    """The module of fixed records."""
    return _by_path("records")


@pytest.fixture(scope="session")
def many_records() -> ModuleType:
    """The module of records of any number of slices."""
    return _by_path("many_records")


@pytest.fixture(scope="session")
def kinds_records() -> ModuleType:
    """The module of records of other kinds of task."""
    return _by_path("kinds_records")


def _by_path(file: str) -> ModuleType:
    """A module of records; test folders are no packages, so by its path."""
    name = f"prunegate_test_{file}"
    if name not in sys.modules:
        path = Path(__file__).with_name(f"{file}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
