"""Calibration rows: rows counted by how sure a model is, in the engine (``calibration.py``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

from prunegate.counting.calibration import BINS_OF_SURENESS, STEPS, Calibration, Calibrations
from prunegate.counting.column_reading import N, Reading
from prunegate.counting.grouping import SlicingPart

Sureness = Sequence[tuple[nw.Expr, nw.Expr]]
"""Of baseline and candidate: how sure it is of a row, and 1 where it is right."""
_SURE, _RIGHT, _BIN = "prunegate__sure", "prunegate__right", "prunegate__bin"


def calibrations(reading: Reading, part: SlicingPart, models: Sureness) -> dict[str, Calibrations]:
    """Per slice of a slicing, both models' rows by bin."""
    baseline, candidate = (_of_model(reading, part, *model) for model in models)
    return {name: (one, candidate[name]) for name, one in baseline.items()}


def _of_model(
    reading: Reading, part: SlicingPart, sure: nw.Expr, right: nw.Expr
) -> dict[str, Calibration]:
    place = (nw.col(_SURE) * float(BINS_OF_SURENESS)).ceil()
    first = nw.when(place < 1).then(1.0).otherwise(place)  # of 0
    last = nw.when(first > BINS_OF_SURENESS).then(float(BINS_OF_SURENESS)).otherwise(first)
    rows = part.frame.select(
        *part.keys, sure.cast(nw.Float64).alias(_SURE), right.cast(nw.Int64).alias(_RIGHT)
    ).with_columns(last.cast(nw.Int64).alias(_BIN))
    counts = rows.group_by(*part.keys, _BIN).agg(
        nw.len().alias(N),
        nw.col(_RIGHT).sum(),
        (nw.col(_SURE) * float(STEPS)).round().cast(nw.Int64).sum().alias(_SURE),
    )
    with reading.table.reading():
        lines = counts.collect().rows(named=True)
    found: dict[str, dict[int, Mapping[str, Any]]] = {}
    for line in lines:
        found.setdefault(part.name(line), {})[int(line[_BIN])] = line
    return {name: _binned(bins) for name, bins in found.items()}


def _binned(lines: Mapping[int, Mapping[str, Any]]) -> Calibration:
    def every(column: str) -> tuple[int, ...]:
        places = range(1, BINS_OF_SURENESS + 1)
        return tuple(int(lines[place][column]) if place in lines else 0 for place in places)

    return Calibration(rows=every(N), right=every(_RIGHT), sure=every(_SURE))
