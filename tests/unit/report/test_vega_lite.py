"""Every chart keeps to the published language, which passes over what it does not know."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft7Validator
from tests.unit.report.test_report_search import found

from prunegate.report.svg import Chart
from prunegate.report.view import view

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def language() -> Draft7Validator:
    """The schema of layered charts, as it comes with Altair, which is not loaded for it."""
    altair = find_spec("altair")
    assert altair is not None
    assert altair.origin is not None
    place = max(Path(altair.origin).parent.glob("vegalite/v*/schema/vega-lite-schema.json"))
    schema = json.loads(place.read_text())
    return Draft7Validator({**schema, "$ref": "#/definitions/TopLevelLayerSpec"})


def charts(part: Any) -> list[Chart]:
    """All charts of a view, wherever they stand in it."""
    if isinstance(part, Chart):
        return [part]
    if isinstance(part, tuple | list):
        return [chart for one in part for chart in charts(one)]
    return charts(list(vars(part).values())) if hasattr(part, "__dataclass_fields__") else []


def test_every_chart_is_of_the_language(records: ModuleType, language: Draft7Validator) -> None:
    record = replace(records.rejected(), search=found())
    shown = charts(view(record, digest=records.DIGEST, pictures={}))
    assert {"forest-1", "heads", "cost", "search"} <= {chart.name for chart in shown}
    for chart in shown:
        specification = json.loads(chart.specification)
        assert list(language.iter_errors(specification)) == []
        specification["layer"][0]["mark"]["type"] = "heap"
        assert not language.is_valid(specification)
