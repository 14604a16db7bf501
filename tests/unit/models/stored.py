"""Changes of what stands in a stored model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

MakeCandidate = Callable[[], tuple[Path, Any]]
