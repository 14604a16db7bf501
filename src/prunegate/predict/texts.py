"""Texts as the token numbers that a classifier takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prunegate.errors import TableError
from prunegate.predict.tokens import Ids, Tokens
from prunegate.text.said import said


@dataclass(frozen=True, kw_only=True)
class TextSet:
    """Texts that have been cut into tokens."""

    noun: ClassVar[str] = "texts"

    ids: tuple[Ids, ...]
    """Token numbers of each text."""
    pad: int
    """Fills up short texts of a batch, on the right and masked."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text."""
        return np.fromiter(map(len, self.ids), np.int64, len(self.ids))

    def inputs(self, rows: NDArray[np.integer]) -> dict[str, Tensor]:
        """Return input_ids and attention_mask, int64 [B, tokens of the longest], on the CPU."""
        chosen = [self.ids[row] for row in rows.tolist()]
        longest = max(map(len, chosen), default=0)
        ids = np.full((len(chosen), longest), self.pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, text in enumerate(chosen):
            ids[place, : len(text)] = text
            mask[place, : len(text)] = 1
        return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}

    def batches(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Yield row numbers, longest texts first, so that texts of one batch are of one length."""
        order = np.argsort(-self.lengths, kind="stable").astype(np.int64)
        for start in range(0, len(order), size):
            yield order[start : start + size]

    def typical(self, count: int) -> NDArray[np.int64]:
        """Return ``count`` rows around the middle length."""
        order = np.argsort(self.lengths, kind="stable").astype(np.int64)
        first = max(0, (len(order) - count) // 2)
        return order[first + np.arange(count) % min(count, len(order))]

    def subset(self, rows: NDArray[np.integer]) -> TextSet:
        """Return some of the texts, in the order given."""
        return TextSet(ids=tuple(self.ids[row] for row in rows.tolist()), pad=self.pad)


def open_texts(texts: Sequence[str], tokens: Tokens) -> tuple[TextSet, tuple[str, ...]]:
    """Cut texts into tokens.

    Args:
        texts: At least one.
        tokens: Of the model.

    Returns:
        The texts, and warnings about those that were cut short.

    Raises:
        TableError: no texts, or one without any token.
    """
    if not texts:
        raise TableError("no texts; the table has to list at least one.")
    ids, short = tokens.classified(texts)
    if empty := sum(not len(one) for one in ids):
        raise TableError(
            f"{empty} text(s) have no token that the model knows; take out their rows."
        )
    cut = sum(short)
    warning = said("warning.cut_texts", n=cut, whole=len(texts), most=tokens.longest)
    return TextSet(ids=tuple(ids), pad=tokens.pad), (warning,) if cut else ()
