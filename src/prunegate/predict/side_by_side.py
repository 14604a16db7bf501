"""Several texts written side by side, and which of them are what each would be alone.

A batch is padded on the left, so that every text goes on at its end; positions are counted from a
text's own first token and padding is masked. Sums are then taken in another order than for one text
alone, so rounding differs. What was written is therefore looked at whole, without a cache and with
padding on the right, which no token before it can see: where a token leads by less than rounding
could make up, the text counts as unknown, and has to be written alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from itertools import groupby

import torch
from torch import Tensor, nn

from prunegate.models.batch import logits_of
from prunegate.models.int8_layers import Int8
from prunegate.predict.documents import AT_ONCE

TOGETHER = 32
"""Texts written side by side, at most."""
_CLEAR = 1e3
"""A token leads clearly by so many units of rounding of the largest logit: 1e-4 in float32."""


def writes_in_batches(module: nn.Module) -> bool:
    """Whether texts of a module that keeps a cache may be written in batches.

    Not where it takes no positions, and not where rounding is coarse: activations of eight bits and
    weights of half precision carry the order of a sum into the answer.
    """
    takes = inspect.signature(module.forward).parameters
    return "position_ids" in takes and rounding(module) <= torch.finfo(torch.float32).eps


def rounding(module: nn.Module) -> float:
    """The relative step of the coarsest numbers that a module computes with."""
    weights = {one.dtype for one in module.parameters() if one.is_floating_point()}
    steps = [float(torch.finfo(one).eps) for one in weights]
    if any(isinstance(part, Int8) for part in module.modules()):
        steps.append(1 / 127)
    return max(steps, default=0.0)


def batches(lengths: Sequence[int], room: Sequence[int], size: int) -> Iterator[list[int]]:
    """Yield numbers of texts, longest first; those of a batch have the same room to go on.

    Args:
        lengths: tokens that each begins with.
        room: tokens that each may be continued by.
        size: texts of a batch, at most; fewer where they are long.
    """
    order = sorted(range(len(lengths)), key=lambda one: (room[one], -lengths[one]))
    for most, alike in groupby(order, key=lambda one: room[one]):
        left = list(alike)
        while left:
            fit = max(1, min(size, AT_ONCE // (lengths[left[0]] + most)))
            yield left[:fit]
            left = left[fit:]


def written_together(
    module: nn.Module, given: Sequence[Sequence[int]], most: int, end: int | None
) -> list[list[int] | None]:
    """Continue texts by their likeliest tokens, all at once; the module is in evaluation mode.

    Args:
        module: a language model that ``writes_in_batches`` holds for.
        given: the tokens that each begins with, at least one.
        most: new tokens of each, at most.
        end: the token after which nothing comes.

    Returns:
        The new tokens, the end token among them; None: written alone it might be another text.
    """
    said = _continued(module, given, most, end)
    leads = _clear(module, given, said)
    return [one if clear else None for one, clear in zip(said, leads, strict=True)]


def _continued(
    module: nn.Module, given: Sequence[Sequence[int]], most: int, end: int | None
) -> list[list[int]]:
    home = next(module.parameters()).device
    fed, seen = _padded(given, home, left=True)
    places = (seen.cumsum(dim=1) - 1).clamp(min=0)
    over = torch.zeros(len(given), dtype=torch.bool, device=home)
    steps: list[Tensor] = []
    past = None
    while len(steps) < most and not bool(over.all()):
        answer = module(
            input_ids=fed,
            attention_mask=seen,
            position_ids=places,
            past_key_values=past,
            use_cache=True,
        )
        past = answer.past_key_values
        token = answer.logits[:, -1].argmax(dim=-1)
        steps.append(token)
        if end is not None:
            over |= token == end
        fed, places = token[:, None], places[:, -1:] + 1
        seen = torch.cat([seen, torch.ones_like(fed)], dim=1)
    rows = torch.stack(steps, dim=1).tolist() if steps else [[] for _ in given]
    return [row[: row.index(end) + 1] if end in row else row for row in rows]


def _clear(
    module: nn.Module, given: Sequence[Sequence[int]], said: Sequence[Sequence[int]]
) -> list[bool]:
    """Whether each text's tokens lead clearly, seen whole; not finite is not clear."""
    home = next(module.parameters()).device
    whole = [[*one, *more] for one, more in zip(given, said, strict=True)]
    ids, seen = _padded(whole, home, left=False)
    logits = logits_of(module, {"input_ids": ids, "attention_mask": seen})
    found = []
    for of_one, one, more in zip(logits, given, said, strict=True):
        asked = of_one[len(one) - 1 : len(one) - 1 + len(more)]
        best = asked.topk(2, dim=-1)
        lead = best.values[:, 0] - best.values[:, 1]
        least = _CLEAR * torch.finfo(asked.dtype).eps * asked.abs().amax(dim=-1)
        same = best.indices[:, 0] == torch.tensor(more, device=home)
        found.append(bool((same & (lead > least)).all()))
    return found


def _padded(
    texts: Sequence[Sequence[int]], home: torch.device, *, left: bool
) -> tuple[Tensor, Tensor]:
    """Token numbers and mask, int64 [B, tokens of the longest]."""
    longest = max(map(len, texts))
    ids = torch.zeros((len(texts), longest), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        places = slice(longest - len(text), longest) if left else slice(0, len(text))
        ids[row, places] = torch.tensor(text, dtype=torch.int64)
        mask[row, places] = 1
    return ids.to(home), mask.to(home)
