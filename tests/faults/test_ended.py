"""Commands that are ended at some moment: a few here, many with ``make faults``."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from tests.faults.ended import CASES, DONE, SIGNALS, called, named, prepared, wrong_after

pytestmark = pytest.mark.slow

FEW = {"keygen": 2, "seal": 1, "report": 1, "gate": 1, "label": 1}
"""Moments for each signal; ``make faults`` tries every kind of command at many, and those that load
a model library, too."""
NOBODY = 65534


@pytest.mark.parametrize("name", FEW)
def test_what_is_left_is_nothing_or_whole_and_the_next_run_works(
    warm_program: Path, tmp_path: Path, name: str
) -> None:
    ready = prepared(warm_program, CASES[name], tmp_path / "case")
    draw = random.Random(name)  # noqa: S311  # moments, not secrets
    for sent in SIGNALS:
        for number in range(FEW[name]):
            moment = draw.randint(1, ready.touches)
            wrong = wrong_after(warm_program, ready, tmp_path / f"{sent}{number}", sent, moment)
            assert not wrong, f"{sent} at touch {moment} of {ready.touches}: {wrong}"


@pytest.mark.skipif(os.getuid() != 0, reason="becoming another user takes root's rights")
@pytest.mark.parametrize("name", ["report", "gate"])
def test_a_folder_that_may_not_be_written_is_said_in_one_line(
    warm_program: Path, name: str
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="read-only-"))
    try:
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o777)
        folder.chmod(0o755)  # root's, to be read by all
        arguments = named(CASES[name], "out")
        done = called(warm_program, folder, arguments, FAULT_USER=str(NOBODY))
        assert done.code == 2, done.told
        assert "Permission denied" in done.told
        assert len(done.told.splitlines()) == 1
        assert {one.name for one in folder.iterdir()} == {"tmp"}
        assert called(warm_program, folder, arguments).code in DONE
    finally:
        shutil.rmtree(folder)
