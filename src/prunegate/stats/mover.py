"""Former home of the precision and F1 tests; see `prunegate.stats.ratio_score`.

MOVER was measured to approve up to 30 % (precision) and 48 % (F1) of candidates at the margin
when few rows differ, so its names now lead to the score test. Import
`prunegate.stats.ratio_score` instead.
"""

from __future__ import annotations

from prunegate.stats.ratio_score import (
    interval_f1,
    interval_precision,
    test_f1,
    test_precision,
)

__all__ = ["interval_f1", "interval_precision", "test_f1", "test_precision"]
