"""Faults: commands that are ended at many random moments: python tests/faults/faults.py --times 20

Prints a line for every command and signal: how many moments were tried, of how many there are, and
what was wrong after any of them; the exit code is 1 where something was.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.faults.cases import CASES, WITH_MODELS  # noqa: E402
from tests.faults.ended import SIGNALS, Prepared, prepared, wrong_after  # noqa: E402
from tests.warm_process import serving  # noqa: E402


def main() -> int:
    """Try every command; the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=20, help="moments for each signal")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("commands", nargs="*", default=list(CASES))
    given = options.parse_args()
    draw = random.Random(given.seed)  # noqa: S311  # moments, not secrets
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "warm").mkdir()
        names = ("moment.py", *(("models.py",) if set(given.commands) & set(WITH_MODELS) else ()))
        plugins = [Path(__file__).with_name(one) for one in names]
        with serving(place / "warm", *plugins) as program:
            for command in given.commands:
                ready = prepared(program, CASES[command], place / command)
                for sent in SIGNALS:
                    wrong += _try(program, ready, (command, sent), draw, given.times)
    _say(f"{wrong} wrong")
    return int(wrong > 0)


def _try(
    program: Path, ready: Prepared, what: tuple[str, str], draw: random.Random, times: int
) -> int:
    """Try some moments, each once; how many were wrong."""
    command, sent = what
    moments = sorted(draw.sample(range(1, ready.touches + 1), min(times, ready.touches)))
    found = 0
    for moment in moments:
        place = ready.folder.parent / f"{sent}-{moment}"
        told = wrong_after(program, ready, place, sent, moment)
        shutil.rmtree(place)
        if told:
            found += 1
            _say(f"  {command} {sent} at touch {moment}: {'; '.join(told)}")
    _say(f"{command:8} {sent:8} {len(moments):4} of {ready.touches:4} moments, {found} wrong")
    return found


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
