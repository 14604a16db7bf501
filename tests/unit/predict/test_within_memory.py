"""Memory that ends in a batch: halve it and go on, and give up only on a single row."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from prunegate.predict.score import within_memory

pytestmark = pytest.mark.models


@pytest.mark.parametrize("room", [1, 3, 5, 64])
@pytest.mark.parametrize("error", [MemoryError, RuntimeError])
def test_the_batch_is_halved_until_it_fits(room: int, error: type[Exception]) -> None:
    tried = []

    def work(batch: int) -> np.ndarray:
        tried.append(batch)
        if batch > room:
            raise error
        return np.arange(3.0)

    assert_array_equal(within_memory(work, 64), np.arange(3.0))
    assert all(after == before // 2 for before, after in pairwise(tried))
    assert max(one for one in tried if one <= room) == tried[-1]


def test_a_single_row_that_does_not_fit_is_told() -> None:
    def work(_: int) -> np.ndarray:
        raise MemoryError

    with pytest.raises(MemoryError):
        within_memory(work, 8)
