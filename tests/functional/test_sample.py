"""The committed sample is current: what this build makes of its records is what lies there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.benchmarks.demo_seeds import ARMS, folder_of, main, row

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import kept_form, stored_record
from prunegate.audit.recompute import require_follows
from prunegate.outputs.write import write_files
from prunegate.report.embedded_record import pictures_on
from prunegate.report.render import render

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"


def test_the_sample_ends_as_the_demo_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """By the count that ``demo_seeds.py`` keeps of other seeds."""
    assert row(0, SAMPLE) == dict.fromkeys(ARMS, True)
    told = capsys.readouterr().out.splitlines()
    assert "recall overall -6.4, recall video -25.0" in told[0]
    assert told[1].split() == ["0", "representative", "approve"]


def test_a_search_counts_where_the_gate_approves_what_it_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One seed of two: what a kept search leaves is the sample's record, then nothing."""
    for seed, kept in ((3, SAMPLE / "representative" / "record.json"), (4, None)):
        folder = folder_of(seed, tmp_path / "default", search=True)
        folder.mkdir(parents=True)
        (folder / "attempts.json").write_text('{"attempts": [1, 2]}')
        if kept is not None:
            shutil.copy(kept, folder)
    words = ["demo_seeds.py", "--search", "--seeds", "3", "4", "--folder", str(tmp_path)]
    monkeypatch.setattr("sys.argv", words)
    assert main() == 1
    first, second, told = capsys.readouterr().out.splitlines()
    assert "approve" in first
    assert "78.3 % of the parameters" in first
    assert "nothing passes" in second
    assert told == "search approved in 1 of 2"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["display-only", "representative"])
def test_the_sample_is_what_this_build_makes_of_its_records(name: str, tmp_path: Path) -> None:
    kept = SAMPLE / name
    record = stored_record(kept / "record.json").record
    assert require_follows(record, name) >= 0
    page = (kept / "report.html").read_text(encoding="utf-8")
    stored = kept_form(canonical_bytes(record))
    pictures = pictures_on(page, record.pictures)
    again = render(record, digest=stored.digest, pictures=pictures, content=stored.content)
    write_files(stored, again, tmp_path)
    for file in ("record.json", "report.html", "summary.md"):
        assert (tmp_path / file).read_bytes() == (kept / file).read_bytes(), file
