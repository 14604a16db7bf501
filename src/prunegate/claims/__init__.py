"""Stated figures against arithmetic, the architecture and what was measured.

Pure: no torch, no I/O; figures and records come in as values, answers go out as values.
"""

from prunegate.claims.check import check_claims
from prunegate.claims.checked import CheckedFigure, Claims
from prunegate.claims.measured import Measured

__all__ = ["CheckedFigure", "Claims", "Measured", "check_claims"]
