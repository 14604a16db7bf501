"""The committed sample is current: what this build makes of its records is what lies there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.benchmarks.demo_seeds import ARMS, row

from prunegate.audit.read import stored_record
from prunegate.audit.recompute import require_follows
from prunegate.outputs.write import write_files
from prunegate.report.embedded_record import pictures_on

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"


def test_the_sample_ends_as_the_demo_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """By the count that ``demo_seeds.py`` keeps of other seeds."""
    assert row(0, SAMPLE) == dict.fromkeys(ARMS, True)
    told = capsys.readouterr().out.splitlines()
    assert "recall overall -6.4, recall video -25.0" in told[0]
    assert told[1].split() == ["0", "representative", "approve"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["display-only", "representative"])
def test_the_sample_is_what_this_build_makes_of_its_records(name: str, tmp_path: Path) -> None:
    kept = SAMPLE / name
    record = stored_record(kept / "record.json").record
    assert require_follows(record, name) >= 0
    page = (kept / "report.html").read_text(encoding="utf-8")
    write_files(record, pictures_on(page, record.pictures), tmp_path)
    for file in ("record.json", "report.html", "summary.md"):
        assert (tmp_path / file).read_bytes() == (kept / file).read_bytes(), file
