"""Nouns that are counted: each of ours with both of its forms."""

from __future__ import annotations

from collections.abc import Mapping

_ONE: Mapping[str, str] = {
    "rows": "row",
    "positives": "positive",
    "documents": "document",
    "images": "image",
    "texts": "text",
    "tensors": "tensor",
    "heads": "head",
    "neurons": "neuron",
    "filters": "filter",
    "layers": "layer",
}
NOUNS: frozenset[str] = frozenset(_ONE)
"""Every noun of ours whose number is told, as it is where there are several."""


def one_of(noun: str) -> str:
    """What one of several is called; a noun that is none of ours stays as it is.

    >>> one_of("rows"), one_of("chess")
    ('row', 'chess')
    """
    return _ONE.get(noun, noun)
