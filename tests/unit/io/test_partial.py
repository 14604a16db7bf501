"""What is in the making: left by the living, taken away after the dead, and by signals at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prunegate.io.partial import PARTIAL, SUFFIX, partial_file, partial_folder, sweep

STANDING = """
import signal, sys
from pathlib import Path
for sent in (signal.SIGTERM, signal.SIGHUP):  # whoever started the tests may ignore them (nohup)
    signal.signal(sent, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
import click
import prunegate.cli as cli
from prunegate.outputs.staging import staged

@click.command()
def command():
    with staged(Path("above/out"), Path("."), force=False) as staging:
        (staging.folder / "half").write_text("half")
        print("begun", flush=True)
        if sys.stdin.read(1):
            staging.publish("")

cli.standing = command
cli.COMMANDS.add(cli.LazyCommand(name="standing", module="prunegate.cli", attribute="standing"))
sys.argv = ["prunegate", "standing"]
cli.main()
"""


def standing(folder: Path) -> subprocess.Popen[str]:
    """A command that stands in the middle of its work until it is given a letter."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", STANDING],
        cwd=folder,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize(
    ("sent", "code", "told"),
    [
        (signal.SIGTERM, 143, "ended by SIGTERM; nothing half-written was left"),
        (signal.SIGHUP, 129, "ended by SIGHUP; nothing half-written was left"),
        (signal.SIGINT, 130, "aborted; nothing half-written was left"),
    ],
)
def test_who_is_asked_to_end_leaves_nothing(
    tmp_path: Path, sent: signal.Signals, code: int, told: str
) -> None:
    process = standing(tmp_path)
    process.send_signal(sent)
    assert process.communicate()[1].strip() == told
    assert process.returncode == code
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_command_left_goes_with_the_next_one(tmp_path: Path) -> None:
    killed, living = standing(tmp_path), standing(tmp_path)
    killed.kill()
    killed.communicate()
    above = tmp_path / "above"
    assert len(list(above.iterdir())) == 2
    with partial_folder(above) as making:
        assert len(list(above.iterdir())) == 2  # the living one's and this
        assert making.is_dir()
    living.communicate("x")
    assert living.returncode == 0
    assert [path.name for path in above.iterdir()] == ["out"]


def test_only_what_is_ours_and_without_an_owner_is_swept(tmp_path: Path) -> None:
    theirs = [tmp_path / ".partial-download", tmp_path / "data.prunegate", tmp_path / "prunegate-a"]
    for path in theirs:
        path.write_bytes(b"")
    dead = [tmp_path / f"{PARTIAL}1{SUFFIX}", tmp_path / f"{PARTIAL}2{SUFFIX}"]
    dead[0].write_bytes(b"")
    dead[1].mkdir()
    (dead[1] / "deep").mkdir()
    link = tmp_path / f"{PARTIAL}3{SUFFIX}"
    link.symlink_to(theirs[0])
    os.mkfifo(tmp_path / f"{PARTIAL}4{SUFFIX}")
    with partial_file(tmp_path) as (file, living):
        assert sweep(tmp_path) == 3
        assert living.exists()
        file.write(b"whole")
        file.flush()
        living.replace(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert sorted(tmp_path.iterdir()) == sorted([*theirs, link, tmp_path / "file"])
