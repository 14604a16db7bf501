"""A disk that fills up: one clear error, nothing half-written, and the next run with room works.

The disk is real: a tmpfs of some hundred kilobytes, which only root can mount.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fuzz.targets import CORPUS

DISK_BYTES = 600_000
TABLE = CORPUS / "csv-table" / "plain.csv"
POLICY = CORPUS / "policy" / "two-slices.yaml"
RECORD = CORPUS / "record" / "inconclusive.json"
COMMANDS = {
    "gate": ("gate", POLICY, "--predictions", TABLE, "--out", "out", "--audit", "audit"),
    "report": ("report", RECORD, "--out", "page.html"),
    "audit": ("audit", "init", "--origin", "agency.example/log", "--key", "log.key"),
}
DONE = (0, 4)
"""Exit codes of these commands where all was written."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs takes root's rights")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _run(program: Path, disk: Path, *arguments: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *map(str, arguments)], cwd=disk, capture_output=True, text=True, check=False
    )


def _fill(disk: Path, free: int) -> Path:
    """Leave ``free`` bytes, to the page."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    used = sum(path.stat().st_size for path in disk.rglob("*") if path.is_file())
    filler.write_bytes(bytes(DISK_BYTES // 4096 * 4096 - (used + 4095) // 4096 * 4096 - free))
    return filler


def _files(disk: Path) -> set[str]:
    return {path.relative_to(disk).as_posix() for path in disk.rglob("*")}


@pytest.mark.slow
@pytest.mark.parametrize("free", [0, 8192, 65536])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_leaves_nothing_half_written(
    warm_program: Path, disk: Path, name: str, free: int
) -> None:
    if name == "audit":
        assert (
            _run(
                warm_program, disk, "audit", "keygen", "--kind", "ed25519", "-o", "log.key"
            ).returncode
            == 0
        )
    filler = _fill(disk, free)
    before = _files(disk)
    done = _run(warm_program, disk, *COMMANDS[name])
    if done.returncode in DONE:
        assert free, "nothing was written, and nobody said so"
        return
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert {one for one in _files(disk) - before if not one.startswith("audit")} == set()
    filler.unlink()
    again = _run(warm_program, disk, *COMMANDS[name])
    assert again.returncode in DONE, again.stderr
    assert not [one for one in _files(disk) if "partial" in one]
