"""Classifiers that look at a text's last token and know no padding: one text after the other.

Decoders with a classifier on top (``GPT2ForSequenceClassification`` and its like) find the end of a
text by the pad token that their config names; where it names none, transformers takes no batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from prunegate.models.batch import logits_of


class InTurn(nn.Module):
    """A classifier of texts that is given the rows of a batch in turn, without their padding."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self.whole = whole
        self.train(whole.training)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        """Return logits [B, classes] of token numbers and mask, [B, T]."""
        rows = [
            logits_of(
                self.whole,
                {"input_ids": ids[seen == 1][None], "attention_mask": seen[seen == 1][None]},
            )
            for ids, seen in zip(input_ids, attention_mask, strict=True)
        ]
        return SimpleNamespace(logits=torch.cat(rows))


def in_turn(module: nn.Module, example: Mapping[str, Tensor]) -> nn.Module:
    """The module itself, or around it what gives it one text at a time, where it takes no batch.

    Args:
        module: a classifier of texts of transformers.
        example: two rows.
    """
    if getattr(getattr(module, "config", None), "pad_token_id", None) is not None:
        return module
    try:
        with torch.inference_mode():
            module(**example)
    except ValueError:
        return InTurn(module)
    return module
