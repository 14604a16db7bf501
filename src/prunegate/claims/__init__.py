"""Stated figures against arithmetic, the architecture and what was measured.

Pure: no torch, no I/O; figures and records come in as values, answers go out as values.
"""

from prunegate.claims.check import check
from prunegate.claims.checked import Checked, Claims
from prunegate.claims.measured import Measured

__all__ = ["Checked", "Claims", "Measured", "check"]
