"""Changes: a figure before, one after, and what is said of the way between them.

A difference of two shares is taken from the shares as they are written, because everybody can take
it: 91 % to 89 % is 2 points. Only where its digits are finer than theirs, or where the figures say
that each was rounded by itself, is their rounding allowed for. A quotient (-29 %, 1.4x) always
allows for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.claims import sentences
from prunegate.claims.checked import CheckedFigure
from prunegate.claims.ranges import Range
from prunegate.policy import written_figure as units
from prunegate.policy.claims import Stated, StatedChange, StatedMetric
from prunegate.policy.written_figure import Written
from prunegate.text.said import said

GROWS = ("throughput",)
"""What is better when it is more: ``times`` is after over before."""
_TIMES = ("latency", "time_to_first_token", "time_per_token")
ONE = Range.exactly(1)


def pairs(stated: Stated) -> Iterator[tuple[str, StatedChange]]:
    """Every stated pair by name, the metrics first."""
    for metric in stated.metrics:
        yield stated_metric_name(metric), metric
    for name in ("parameters", "flops", "size", *_TIMES, "throughput", "price"):
        pair = getattr(stated, name)
        if pair is not None:
            yield name.replace("_", " "), pair


def stated_metric_name(metric: StatedMetric) -> str:
    """``recall``, or ``recall on content_type=video``."""
    return metric.name if metric.slice == "overall" else f"{metric.name} on {metric.slice}"


def changes(stated: Stated) -> Iterator[CheckedFigure]:
    """Check every stated change whose two ends are stated."""
    for name, pair in pairs(stated):
        found = pair.figures
        if "before" not in found or "after" not in found:
            continue
        for key in ("change", "times"):
            if key in found:
                yield _check(name, key, pair, found)


def _check(name: str, key: str, pair: StatedChange, found: dict[str, Written]) -> CheckedFigure:
    claim, before, after = found[key], found["before"], found["after"]
    figure, uses = f"{name}: {key}", (f"{name}: before", f"{name}: after")
    try:
        if key == "times":
            expected, exact = _times(name, before, after)
        elif claim.unit == units.PERCENT:
            expected, exact = _relative(before, after)
        else:
            expected, exact = _difference(pair, claim, before, after)
    except ZeroDivisionError:
        reason = said("claim.maybe_zero", before=before.text, after=after.text)
        return CheckedFigure(
            figure=figure,
            stated=claim.text,
            status="not checked",
            basis="arithmetic",
            sum=reason,
            uses=uses,
        )
    right = agrees(claim, expected)
    told = {"before": before.text, "after": after.text, "way": _way(exact, claim)}
    way = said("claim.way", **told)
    if expected.low != expected.high:
        way = said("claim.way_open", range=sentences.range_in_words(expected, claim), **told)
    return CheckedFigure(
        figure=figure,
        stated=claim.text,
        status="right" if right else "contradicted",
        basis="arithmetic",
        sum=sentences.against(way, claim.text),
        uses=uses,
    )


def agrees(claim: Written, expected: Range) -> bool:
    """Whether a stated change can be the expected one; without a sign, in either direction."""
    stated = Range.of(claim)
    either = claim.direction == 0 and claim.unit != units.TIMES
    return stated.meets(expected) or (either and stated.meets(-expected))


def _times(name: str, before: Written, after: Written) -> tuple[Range, Range]:
    top, bottom = (after, before) if name in GROWS else (before, after)
    exact = Range.exactly(top.value) / Range.exactly(bottom.value)
    return _of(name, top) / _of(name, bottom), exact


def _relative(before: Written, after: Written) -> tuple[Range, Range]:
    exact = Range.exactly(after.value) / Range.exactly(before.value) - ONE
    return Range.of(after, count=True) / Range.of(before, count=True) - ONE, exact


def _of(name: str, figure: Written) -> Range:
    return Range.of(figure, count=name in ("parameters", "flops"))


def _difference(
    pair: StatedChange, claim: Written, before: Written, after: Written
) -> tuple[Range, Range]:
    exact = Range.exactly(after.value - before.value)
    as_written = isinstance(pair, StatedMetric) and pair.rounded == "written"
    if as_written and claim.half >= max(before.half, after.half):
        return exact, exact
    metric = isinstance(pair, StatedMetric)
    return Range.of(after, count=not metric) - Range.of(before, count=not metric), exact


def _way(exact: Range, claim: Written) -> str:
    """``a drop of 2 points``, ``1.41x``."""
    if claim.unit == units.TIMES:
        return said("claim.value", value=sentences.like(exact.low, claim))
    if exact.low == 0:
        return said("claim.no_change")
    kind = "drop" if exact.low < 0 else "rise"
    return said(f"claim.{kind}", value=sentences.like(abs(exact.low), claim))
