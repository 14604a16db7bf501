"""Whose reports have the pictures that users see; in all others each picture is an empty one."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
DRAW = {
    *("edge", "gate", "sign_off", "test_audit_page", "test_cost_command", "test_demo_command"),
    *("test_docs_commands", "test_label_page", "test_report_golden", "test_report_in_browser"),
    *("test_run_command", "test_sample", "test_spark_engine"),
}
"""Files and folders: of tests that look at pictures, or that make pages again which another test
of the session made."""


def is_drawn(path: Path) -> bool:
    """Whether reports that the tests of a file make have pictures."""
    return bool(DRAW.intersection(Path(part).stem for part in path.relative_to(HERE).parts))
