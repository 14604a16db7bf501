"""Number hints: what somebody probably meant whose cells hold no number, or none that can be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+\s*")
_PERCENT = re.compile(r"\s*[0-9.,]+\s*%\s*")


def number_hint(values: Sequence[Any], *, share: bool) -> str:
    """What to do about cells that are no usable number; empty where nothing suggests itself.

    Args:
        values: some of the cells.
        share: whether numbers from 0 to 1 are asked for.

    >>> number_hint(["0,75", "0,2"], share=True)
    'write decimals with a point'
    """
    texts = [value for value in values if isinstance(value, str)]
    if texts and all(map(_COMMA.fullmatch, texts)):
        return "write decimals with a point"
    if texts and all(map(_PERCENT.fullmatch, texts)):
        return "write 0.75 for 75 %"
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not share or not numbers:
        return ""
    if min(numbers) < 0:
        return (
            "if these are logits, write 'data: scores: {activation: sigmoid}' in the policy, or "
            "softmax where there is a score for each class"
        )
    return "if these are per cent, divide them by 100" if 2 < max(numbers) <= 100 else ""
