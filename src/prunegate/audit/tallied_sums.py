"""Tallied sums: sums of numbers as texts, exactly, because JSON numbers end at 2**53."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from prunegate.counting.feature_sums import SECOND, THIRD, FeatureSums

_POWER = "/2^"
_SUM = re.compile(r"(?P<top>-?[0-9]{1,900})(?:/2\^(?P<bits>[0-9]{1,4})|/(?P<bottom>[0-9]{1,900}))?")


@dataclass(frozen=True, kw_only=True)
class TalliedQuantity:
    """Sums over the units of a slice (rows, or groups of rows) of one quantity's three features.

    The features are change (candidate minus baseline), baseline, and weight (1, or tokens). Every
    sum is a text: a whole number, or a fraction such as ``-5/2^36`` or ``1/10``.
    """

    name: str
    """value, error (the absolute error against the label), square (of it), log_loss or brier."""
    units: int
    first: tuple[str, ...]
    """Sums of the features, as finely as they are known."""
    rough: tuple[str, ...]
    """The same in the steps of the products."""
    second: tuple[str, ...]
    """Sums of the products of two features, in the order 00 01 02 11 12 22."""
    third: tuple[str, ...]
    """Of three, in the order 000 001 002 011 012 022 111 112 122 222."""


def quantity_of(name: str, moments: FeatureSums) -> TalliedQuantity:
    """The sums of one quantity, for a record."""
    return TalliedQuantity(
        name=name,
        units=moments.units,
        first=_texts(moments.first),
        rough=_texts(moments.rough),
        second=_texts(moments.second),
        third=_texts(moments.third),
    )


def moments_in(stored: TalliedQuantity) -> FeatureSums:
    """The sums that a record holds.

    Raises:
        ValueError: they are no such sums.
    """
    sums = {
        name: tuple(map(exact_sum, getattr(stored, name)))
        for name in ("first", "rough", "second", "third")
    }
    sizes = tuple(map(len, sums.values()))
    if sizes != (3, 3, len(SECOND), len(THIRD)):
        raise ValueError(f"{stored.name} has {sizes} sums")
    return FeatureSums(units=stored.units, **sums)


def _texts(sums: Iterable[Fraction]) -> tuple[str, ...]:
    return tuple(map(sum_text, sums))


def sum_text(number: Fraction) -> str:
    """The fraction in its lowest terms; a power of two below is written as one."""
    bits = number.denominator.bit_length() - 1
    if bits and number.denominator == 1 << bits:
        return f"{number.numerator}{_POWER}{bits}"
    return str(number)


def exact_sum(text: str) -> Fraction:
    """The fraction that a text stands for.

    Raises:
        ValueError: it is none.
    """
    found = _SUM.fullmatch(text)
    if found is None:  # nothing that Fraction would take a week to expand, such as 1e999999999
        raise ValueError(f"{text[:40]} is no sum")
    top, bits, bottom = found["top"], found["bits"], found["bottom"]
    return Fraction(int(top), 1 << int(bits) if bits else int(bottom or 1))
