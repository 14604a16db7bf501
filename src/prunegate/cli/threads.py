"""Threads that share: how long torch's idle threads spin, set before torch is imported.

By default a thread that waits for the others spins almost for ever. On a machine where another job
wants one of the cores, a training step of the demo's model then takes 2.5 s instead of 0.035 s.
Spinning briefly costs nothing measurable on an idle machine, and 0.14 s a step on a busy one.

Where more processes want to run than there are cores, two threads of one training still wait for
each other: a demo took 32 minutes of CPU time instead of 6. There it trains on one.
"""

from __future__ import annotations

import os

from prunegate.text.numbers import fixed

SPINS = "10000"
"""Rounds of the OpenMP runtime's waiting loop before a thread goes to sleep."""
THREADS = "OMP_NUM_THREADS"
"""Names how many threads torch uses; it has to be set before torch is imported."""


def patient_threads() -> None:
    """Let idle threads sleep soon, unless the user has decided otherwise."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def one_thread_where_busy(load: float | None = None, cores: int | None = None) -> str:
    """Use one thread where the machine's load is above its cores; what to tell of it, else empty.

    A number of threads that the user has chosen stays.

    Args:
        load: processes that want to run, the mean of the last minute; None: the machine's.
        cores: None: those that this process may use.
    """
    busy = _load() if load is None else load
    there = _cores() if cores is None else cores
    if busy <= there or THREADS in os.environ:
        return ""
    os.environ[THREADS] = "1"
    return f"the machine is busy (load {fixed(busy, 1)} on {there} cores): training on one thread"


def _load() -> float:
    """The mean load of the last minute; 0 where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
