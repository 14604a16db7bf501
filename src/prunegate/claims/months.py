"""Months: a volume times a price is the bill, and the difference of two bills is the saving."""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.claims import sentences
from prunegate.claims.checked import CheckedFigure
from prunegate.claims.ranges import Range
from prunegate.policy.claims import Stated, StatedMonth
from prunegate.policy.written_figure import Written, written
from prunegate.text.said import said


def months(stated: Stated) -> Iterator[CheckedFigure]:
    """Check every stated monthly amount whose price, or whose two bills, are stated."""
    prices = stated.price.figures if stated.price is not None else {}
    for month in stated.monthly:
        for key in ("before", "after"):
            text = getattr(month, key)
            if text is not None and key in prices:
                yield _bill(month, key, written(text), prices[key])
        if month.saving is not None and month.before is not None and month.after is not None:
            yield _saving(month, written(month.saving))


def month_name(month: StatedMonth) -> str:
    """``monthly at 800,000``."""
    volume = written(month.volume)
    return f"monthly at {sentences.like(volume.value, volume)}"


def _bill(month: StatedMonth, key: str, claim: Written, price: Written) -> CheckedFigure:
    volume = written(month.volume)
    expected = Range.of(volume, count=True) * Range.of(price)
    count = sentences.like(volume.value, volume)
    cost = sentences.claimed_money(price.value, price.currency)
    total = sentences.claimed_money(volume.value * price.value, price.currency)
    told = said("claim.bill", count=count, cost=cost, sum=total)
    return _checked(month, key, claim, (told, expected), ("price: " + key,))


def _saving(month: StatedMonth, claim: Written) -> CheckedFigure:
    before, after = written(str(month.before)), written(str(month.after))
    expected = Range.of(before) - Range.of(after)
    exact = sentences.claimed_money(before.value - after.value, claim.currency)
    told = said("claim.saving", before=before.text, after=after.text, sum=exact)
    name = month_name(month)
    return _checked(month, "saving", claim, (told, expected), (f"{name}: before", f"{name}: after"))


def _checked(
    month: StatedMonth,
    key: str,
    claim: Written,
    expected: tuple[str, Range],
    uses: tuple[str, ...],
) -> CheckedFigure:
    told, found = expected
    right = Range.of(claim).meets(found)
    if not right and found.low != found.high:
        low, high = (
            sentences.claimed_money(end, claim.currency) for end in (found.low, found.high)
        )
        told = said("claim.open", told=told, low=low, high=high)
    name = month_name(month)
    return CheckedFigure(
        figure=f"{name}: {key}",
        stated=claim.text,
        status="right" if right else "contradicted",
        basis="arithmetic",
        sum=told if right else sentences.against(told, claim.text),
        uses=(*uses, f"{name}: volume"),
    )
