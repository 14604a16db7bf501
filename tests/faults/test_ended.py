"""Commands that are ended at some moment: a few here, many with ``make faults``."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.cases import CASES
from tests.faults.ended import DONE, SIGNALS, called, named, prepared, wrong_after
from tests.warm_process import serving

pytestmark = pytest.mark.slow

FEW = {"keygen": 2, "seal": 1, "report": 1, "gate": 1, "label": 1}
"""Moments for each signal; ``make faults`` tries every kind of command at many, and those that load
a model library, too."""
NOBODY = 65534


@pytest.fixture(scope="module")
def breakable(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    if "COVERAGE_PROCESS_CONFIG" not in os.environ:
        yield request.getfixturevalue("warm_program")
        return
    plugin = Path(__file__).with_name("moment.py")
    with pytest.MonkeyPatch.context() as patch:
        # Under coverage a process writes down what it reached: no moments of the commands.
        patch.delenv("COVERAGE_PROCESS_CONFIG")
        with serving(tmp_path_factory.mktemp("moments"), plugin) as found:
            yield found


@pytest.mark.parametrize("name", FEW)
def test_what_is_left_is_nothing_or_whole_and_the_next_run_works(
    breakable: Path, tmp_path: Path, name: str
) -> None:
    ready = prepared(breakable, CASES[name], tmp_path / "case")
    draw = random.Random(name)  # noqa: S311  # moments, not secrets
    for sent in SIGNALS:
        for number in range(FEW[name]):
            moment = draw.randint(1, ready.touches)
            wrong = wrong_after(breakable, ready, tmp_path / f"{sent}{number}", sent, moment)
            assert not wrong, f"{sent} at touch {moment} of {ready.touches}: {wrong}"


@pytest.mark.skipif(os.getuid() != 0, reason="becoming another user takes root's rights")
@pytest.mark.parametrize("name", ["report", "gate"])
def test_a_folder_that_may_not_be_written_is_said_in_one_line(breakable: Path, name: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="read-only-"))
    try:
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o777)
        folder.chmod(0o755)  # root's, to be read by all
        arguments = named(CASES[name], "out")
        done = called(breakable, folder, arguments, FAULT_USER=str(NOBODY))
        assert done.code == 2, done.told
        assert "Permission denied" in done.told
        assert len(done.told.splitlines()) == 1
        assert {one.name for one in folder.iterdir()} == {"tmp"}
        assert called(breakable, folder, arguments).code in DONE
    finally:
        shutil.rmtree(folder)
