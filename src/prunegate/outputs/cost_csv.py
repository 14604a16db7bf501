"""The monthly table of a projection as CSV, for a spreadsheet: bare numbers, exact amounts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields

from prunegate.cost.projection import Month, Projection


def render_cost_csv(projection: Projection) -> str:
    """Every month of the expected volumes, then of the scenarios; a missing value is empty."""
    names = [field.name for field in fields(Month)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["scenario", "currency", *names])
    courses: list[tuple[str, Sequence[Month]]] = [("expected", projection.months)]
    courses += [(scenario.name, scenario.months) for scenario in projection.scenarios]
    for scenario, months in courses:
        for month in months:
            cells = [getattr(month, name) for name in names]
            writer.writerow(
                [scenario, projection.currency, *("" if c is None else c for c in cells)]
            )
    return text.getvalue()
