"""A short piece of work without garbage collection.

Importing makes objects by the hundred thousand, and judging a table some more, of which hardly one
is garbage that only a collection finds; Python looks through all of them again and again
meanwhile, which takes a sixth of the time of imports and a tenth of a whole gate.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage inside; afterwards as before."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
