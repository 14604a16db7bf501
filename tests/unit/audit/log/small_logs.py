"""What lies in a small log."""

from __future__ import annotations

from pathlib import Path

from prunegate_test_logs import files


def names(audit: Path) -> set[str]:
    return {str(path.relative_to(audit)) for path in files(audit)}
