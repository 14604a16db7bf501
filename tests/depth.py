"""How deep a law is tried: usual numbers of examples, or many with ``make thorough``.

A law on random material stays the same law with fewer examples. Those whose examples cost much
(a whole verdict, a plan, a discovery) take few in ``make test`` and many in ``make thorough``,
which is meant for the night::

    from tests.depth import THOROUGH, times

    @settings(max_examples=times(6, thorough=40))

Bounds that a number of repeats enters are worked out from that number, or stay as they are.
"""

from __future__ import annotations

from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")
THOROUGH = settings.get_current_profile_name() == "thorough"


def times(usual: int, *, thorough: int) -> int:
    """How many examples, repeats or tables to try."""
    return thorough if THOROUGH else usual


def at_length(*cases: T) -> tuple[T, ...]:
    """Cases that repeat at length what the usual ones beside them state."""
    return cases if THOROUGH else ()
