"""Near the threshold: scores that were 32-bit floats, written with the digits of 64.

0.7 as such a float is 0.699999988, and a file that holds these digits as text has no 0.7 left:
the score counts as below a threshold of 0.7. Where such a float lies above its decimal, nothing is
lost.
"""

from __future__ import annotations

from collections.abc import Mapping

import narwhals as nw
import numpy as np

from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.table import Table
from prunegate.text.said import said


def rounded_below(score: nw.Expr, threshold: float) -> nw.Expr | None:
    """1 for a score that is the threshold to 32 bits and lies below it; None: no score can be.

    Args:
        score: 64-bit.
        threshold: that it is compared with.
    """
    lowest = _lowest(threshold)
    if lowest is None:
        return None
    near = (score >= lowest) & (score < threshold)
    return nw.when(near).then(nw.lit(1)).otherwise(nw.lit(0))


def _lowest(threshold: float) -> float | None:
    """The lowest number that 32 bits round to the threshold, if that lies above what they hold.

    >>> _lowest(0.5) is None, _lowest(0.1) is None, 0.69999995 < _lowest(0.7) < 0.7
    (True, True, True)
    """
    single = np.float32(threshold)
    if float(single) >= threshold or float(str(single)) < threshold:
        return None
    return (float(np.nextafter(single, np.float32(0))) + float(single)) / 2


def compared(table: Table, thresholds: Mapping[str, float | None]) -> dict[str, float]:
    """Of columns with their thresholds, those that hold 64-bit scores and have one."""
    return {
        column: threshold
        for column, threshold in thresholds.items()
        if threshold is not None
        and table.kinds.get(column) == "number"
        and column not in table.singles
    }


def near_threshold(column: str, rows: int, threshold: float) -> str:
    """The warning of a column with such scores."""
    digits = f"{float(np.float32(threshold)):.9f}"
    at = {"threshold": threshold, "digits": digits}
    return said("warning.near", column=shown(column), n=rows, **at)
