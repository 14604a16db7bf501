"""How long a large log takes to seal, verify and prove, and how much memory that needs.

Run: python tests/benchmarks/audit_log_speed.py [ENTRIES]. Aims at 100,000 entries: verify under
5 s, prove under 50 ms, memory flat (the same at a tenth of the size).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

LOGS = Path(__file__).parents[1] / "unit" / "audit" / "log" / "logs.py"
STEPS = ("seal", "verify", "prove")


@cache
def _logs() -> Any:
    spec = importlib.util.spec_from_file_location("logs", LOGS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _decision(number: int) -> bytes:
    """An entry that is a whole decision, as ``gate`` writes them."""
    import hashlib

    content: bytes = _logs().entry(
        number,
        record=hashlib.sha256(b"record %d" % number).hexdigest(),
        outcome="approve",
        statement="Every limit was proven to hold.",
        policy={"name": "benchmark", "digest": {"sha256": "0" * 64}},
    )
    return content


def fill(audit: Path, entries: int) -> None:
    """Lay pending entries down without the fsyncs that pend would spend on each."""
    import hashlib

    logs = _logs()
    logs.begin_log(audit, logs.ORIGIN, logs.key())
    (audit / "pending").mkdir()
    for number in range(entries):
        content = _decision(number)
        (audit / "pending" / hashlib.sha256(content).hexdigest()).write_bytes(content)


def step(name: str, audit: Path, entries: int) -> dict[str, float]:
    """One step in a process of its own: seconds, and the growth of its peak memory in MiB."""
    import hashlib
    import resource

    from prunegate.audit.entry_forms import require_form
    from prunegate.audit.log.entry import read_entry
    from prunegate.audit.log.prove import find_entry, prove_entry
    from prunegate.audit.log.verify import verify_log
    from prunegate.audit.signing.signers import signed_reader
    from prunegate.audit.waivers.backing import waived_something

    logs = _logs()
    middle = entries // 2
    content = _decision(middle)

    def verify() -> object:  # as ``audit verify`` asks for it
        return verify_log(audit, signed_reader((), require_form), keep=waived_something)

    def prove_by(wanted: str) -> Callable[[], object]:
        return lambda: prove_entry(audit, *find_entry(audit, wanted, read_entry))

    jobs: dict[str, dict[str, Callable[[], object]]] = {
        "seal": {"seal": lambda: logs.sealed(audit)},
        "verify": {"verify": verify},
        "prove": {
            "prove_by_number": prove_by(str(middle)),
            "prove_by_entry_digest": prove_by(hashlib.sha256(content).hexdigest()),
            "prove_by_subject": prove_by(hashlib.sha256(b"record %d" % middle).hexdigest()),
        },
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = {}
    for key, job in jobs[name].items():
        start, cpu = time.perf_counter(), _cpu_s()
        job()
        took[f"{key}_s"] = round(time.perf_counter() - start, 4)
        took[f"{key}_cpu_s"] = round(_cpu_s() - cpu, 4)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {**took, f"{name}_mib": round(grown / 1024, 1)}


def _cpu_s() -> float:
    """Seconds of CPU of this process and of those that it waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def main() -> None:
    """Print a line for a tenth of the entries and one for all of them."""
    if len(sys.argv) == 4:
        print(json.dumps(step(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))  # noqa: T201
        return
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for size in (entries // 10, entries):
        with tempfile.TemporaryDirectory() as folder:
            audit = Path(folder) / "audit"
            fill(audit, size)
            figures: dict[str, float] = {"entries": size}
            for name in STEPS:
                command = [sys.executable, __file__, name, str(audit), str(size)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                figures |= json.loads(done.stdout)
            print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
