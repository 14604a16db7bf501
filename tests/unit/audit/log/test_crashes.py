"""Many writers, one sealer, and SIGKILL at random moments: no acknowledged entry is ever lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prunegate_test_logs import new_log, sealed
from tests.depth import times

from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.folder import read_checkpoint
from prunegate.audit.log.tiles import stored_entries
from prunegate.audit.log.verify import verify_log

LOGS = Path(__file__).with_name("logs.py")
KILLS = Path(__file__).with_name("kills.py")
SOURCE = Path(__file__).parents[4] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}

PEND = """
import hashlib, importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("logs", sys.argv[1])
logs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(logs)
from prunegate.audit.log.pending import add_pending
for number in range(int(sys.argv[3]), int(sys.argv[4])):
    path = add_pending(logs.entry(number), Path(sys.argv[2]))
    print(path.name, flush=True)
"""
SEAL = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("logs", sys.argv[1])
logs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(logs)
print("ready", flush=True)
while True:
    logs.sealed(Path(sys.argv[2]))
"""


def start(script: str, audit: Path, *span: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(LOGS), str(audit), *map(str, span)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


def acknowledged(process: subprocess.Popen[str]) -> set[str]:
    """Names of the entries that a writer was told to be safe; a cut last line is none."""
    out, _ = process.communicate()
    return {line for line in out.split("\n") if len(line) == 64}


def check_nothing_lost(audit: Path, wanted: set[str]) -> None:
    import hashlib

    sealed(audit)
    found = verify_log(audit, read_entry)
    held = [
        hashlib.sha256(content).hexdigest()
        for _, content in stored_entries(audit, found.checkpoint.size)
    ]
    assert len(held) == len(set(held))
    assert wanted <= set(held)
    assert (found.pending, found.leftovers) == (0, 0)
    assert not list(audit.rglob(".partial-*"))


@pytest.mark.slow  # hundreds of entries, each with its fsyncs
def test_four_writers_and_a_sealer_at_once_lose_nothing(tmp_path: Path) -> None:
    audit = new_log(tmp_path)
    each = times(100, thorough=300)
    writers = [start(PEND, audit, each * n, each * (n + 1)) for n in range(4)]
    sealer = start(SEAL, audit)
    wanted = set().union(*(acknowledged(writer) for writer in writers))
    assert sealer.poll() is None, "the sealer has given up"
    sealer.terminate()
    sealer.communicate()
    assert len(wanted) == 4 * each
    check_nothing_lost(audit, wanted)
    assert read_checkpoint(audit).checkpoint.size == 4 * each


@pytest.mark.slow  # many kills, each with the fsyncs before it
def test_kills_lose_nothing(tmp_path: Path) -> None:
    """In each round a writer and a sealer run and both are killed at a random moment."""
    rounds = times(30, thorough=100)
    audit = new_log(tmp_path)
    command = [sys.executable, str(KILLS), str(LOGS), str(audit), str(rounds)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    wanted = set(done.stdout.split())
    assert len(wanted) > rounds
    check_nothing_lost(audit, wanted)
