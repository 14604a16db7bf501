"""What a command leaves that is ended at a random moment: python tests/benchmarks/killed.py [TIMES]

Ends ``gate`` by SIGTERM, SIGINT and SIGKILL, and prints for each how it ended, what it left, and
whether the next run took that away and came to its verdict.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from prunegate.io.partial import PARTIAL

POLICY = """\
prunegate: 1
name: killed
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.02}]
"""
TIMES = 10
LONGEST_S = 8.0
"""A gate on two busy cores takes about as long."""


def main() -> None:
    """Print one line a signal."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else TIMES
    draw = random.Random(0)  # noqa: S311  # moments, not secrets
    sys.stdout.write(
        f"{'signal':8} {'times':>5}  exit codes, partial outputs left, left after the next run\n"
    )
    for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with tempfile.TemporaryDirectory() as name:
            sys.stdout.write(f"{sent.name:8} {times:5}  {_ended(Path(name), sent, times, draw)}\n")


def _ended(folder: Path, sent: signal.Signals, times: int, draw: random.Random) -> str:
    (folder / "p.yaml").write_text(POLICY, encoding="utf-8")
    rows = (
        f"{i},{('safe', 'unsafe')[i % 2]},{0.2 + 0.6 * (i % 2)},{0.2 + 0.6 * (i % 2)}"
        for i in range(4000)
    )
    table = "\n".join(("id,label,baseline,candidate", *rows))
    (folder / "t.csv").write_text(table, encoding="utf-8")
    arguments = ["gate", "p.yaml", "--predictions", "t.csv", "--audit", "audit"]
    command = [sys.executable, "-m", "prunegate", *arguments]
    codes: Counter[int] = Counter()
    left = 0
    for number in range(times):
        process = subprocess.Popen(
            [*command, "--out", f"out{number}"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(draw.uniform(0.2, LONGEST_S))
        except subprocess.TimeoutExpired:
            process.send_signal(sent)
        codes[process.wait()] += 1
        left += _partial(folder) > 0
    last = subprocess.run([*command, "--out", "last"], cwd=folder, capture_output=True, check=False)
    told = ", ".join(f"{code} x {count}" for code, count in sorted(codes.items()))
    return f"{told}; left after {left}; then {last.returncode}, left {_partial(folder)}"


def _partial(folder: Path) -> int:
    return sum(1 for _ in folder.rglob(f"{PARTIAL}*"))


if __name__ == "__main__":
    main()
