"""Coverage-guided fuzzing of everything that reads a stranger's file.

``python tests/fuzz/fuzz.py`` runs every target of ``targets.py`` for a while, each in a process of
its own, from its committed corpus, and prints how many inputs were tried and what was found. Needs
the extra ``fuzz`` (atheris, which is libFuzzer for Python; on Linux). ``--runs`` instead of
``--seconds`` makes a run that depends on nothing but the seed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
LIMITS = ("-timeout=20", "-rss_limit_mb=3000", "-max_len=20000", "-print_final_stats=1")
"""Seconds and MB that one input may take, bytes that it may have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What fuzzing a target came to."""

    executions: int
    """Inputs that were tried."""
    finding: str
    """The input that a reader broke on and how, as text; empty: none was found."""


def fuzz(name: str, budget: str, seed: int = 1) -> Outcome:
    """Fuzz one target in a process of its own; ``budget`` is an option of libFuzzer's."""
    with TemporaryDirectory() as work:
        command = [sys.executable, str(Path(__file__)), "--child", name, budget, *LIMITS]
        command += [f"-seed={seed}", f"-artifact_prefix={work}/", f"{work}/new"]
        Path(work, "new").mkdir()
        done = subprocess.run(
            [*command, str(HERE / "corpus" / name)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        tried = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
        return Outcome(
            executions=int(tried[1]) if tried else 0,
            finding="" if done.returncode == 0 else _told(done.stderr, Path(work)),
        )


def _told(stderr: str, work: Path) -> str:
    broken = [repr(path.read_bytes()) for path in work.iterdir() if path.is_file()]
    lines = [line for line in stderr.splitlines() if not line.startswith("#")]  # of its progress
    return "\n".join([*broken, *lines[-30:]])


def _child(name: str, options: list[str]) -> None:
    """Become libFuzzer over one target."""
    import atheris

    with atheris.instrument_imports(include=["prunegate"]):
        from targets import TARGETS

        chosen = {target.name: target for target in TARGETS}[name]
        for seed in chosen.corpus():  # loads what the target loads, so that it is instrumented
            chosen.try_on(seed.read_bytes())
    from hostile_json import mutated

    def mutate(content: bytes, most: int, seed: int) -> bytes:
        changed = mutated(content, seed) if seed % 2 else None
        if changed is None or len(changed) > most:
            return atheris.Mutate(content, most)  # type: ignore[no-any-return]
        return changed

    def one(content: bytes) -> None:
        chosen.try_on(content)

    atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> int:
    """Print a line for each target; 1 if something was found."""
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--runs", type=int, help="inputs for each target, in place of seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("targets", nargs="*", help="all, if none is named")
    chosen = parser.parse_args()
    from targets import TARGETS

    budget = f"-runs={chosen.runs}" if chosen.runs else f"-max_total_time={chosen.seconds}"
    tried, found = 0, 0
    for name in chosen.targets or [target.name for target in TARGETS]:
        outcome = fuzz(name, budget, chosen.seed)
        tried += outcome.executions
        found += bool(outcome.finding)
        print(f"{name:20} {outcome.executions:>10,} {'FOUND' if outcome.finding else 'held'}")  # noqa: T201
        if outcome.finding:
            print(outcome.finding)  # noqa: T201
    print(f"{'all':20} {tried:>10,} {found} found")  # noqa: T201
    return int(bool(found))


if __name__ == "__main__":  # as a script this folder is the one that imports are looked up in
    sys.exit(main())
