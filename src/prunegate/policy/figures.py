"""Limits as people read them: ``drop of at most 2 points``, ``at most 0.75 times the baseline’s``.

The one place where a limit becomes words: policy, plan, console, page, summary and JUnit take it
from here. Exact: a limit is shown with every digit that the file gave it, because a rounded limit
is another limit. Texts are a page's; what is kept or printed goes through ``text.numbers.plain``.
"""

from __future__ import annotations

from decimal import Decimal

from prunegate.metrics.checks import Bound, Check
from prunegate.text.quantities import Quantity, allowed_part, allowed_times


def limit_in_words(check: Check, bound: Bound, quantity: Quantity, *, whole: bool = False) -> str:
    r"""A limit in a few words, or as the end of a ``whole`` sentence.

    >>> from prunegate.metrics.checks import CHECKS
    >>> limit_in_words(CHECKS["max_drop"], Bound(value=0.01), Quantity(kind="rate"))
    'drop of at most 1\xa0point'
    """
    amount = allowed(check, bound, quantity)
    if bound.kind == "error_ratio":
        return f"{'to have ' if whole else ''}at most {amount}"
    against = check.form == "margin" and bound.kind == "absolute"
    phrase = check.sentence if whole else check.brief
    extent = f"{amount} against the baseline" if whole and against else amount
    return phrase.replace("'", "’").format(extent)


def allowed(check: Check, bound: Bound, quantity: Quantity) -> str:
    """The bare amount of a limit: ``2 points``, ``0.75 times``, ``85 %``."""
    if bound.kind == "error_ratio":
        return f"{growth(bound)} the baseline’s errors"
    if bound.kind == "relative":
        return allowed_part(bound.value)
    if check.form == "factor":
        return allowed_times(bound.value)
    write = quantity.allowed_level if check.form == "level" else quantity.allowed_change
    return write(bound.value)


def growth(bound: Bound) -> str:
    """How many times as many errors a growth of the error rate allows: 0.5 is ``1.5 times``."""
    return allowed_times(float(Decimal(repr(float(bound.value))) + 1))
