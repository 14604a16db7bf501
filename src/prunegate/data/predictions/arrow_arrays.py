"""NumPy's arrays as Arrow's and back, without a copy, and without pandas.

``pyarrow.array`` looks whether it was given a pandas object, and ``to_numpy`` whether one is
wanted; both import pandas for that: a fifth of a second that judging a file needs for nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def as_arrow(values: NDArray[Any]) -> pa.Array:
    """An array of numbers [N], none missing."""
    whole = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(whole.dtype)
    return pa.Array.from_buffers(kind, len(whole), [None, pa.py_buffer(whole)])


def as_numpy(values: pa.Array) -> NDArray[Any]:
    """The numbers of an array; of one that is missing, any."""
    kind = values.type.to_pandas_dtype()
    found = np.frombuffer(values.buffers()[1], dtype=kind)
    return found[values.offset : values.offset + len(values)]
