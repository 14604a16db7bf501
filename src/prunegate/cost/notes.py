"""Notes: what a reader has to know about projected amounts, in sentences.

Above all where a saving comes in steps: whole instances carry so much, and where the same number
carries both models there is nothing to save, however much faster the candidate is.
"""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.cost.bills import HOURS, Graduated, Rented
from prunegate.cost.measurement import Measurements
from prunegate.cost.tariff import Tariff, steady_enough
from prunegate.cost.volumes import Course


def notes(bills: Tariff, volumes: Course, measurements: Measurements | None) -> tuple[str, ...]:
    """The sentences, the most important first; empty where the amounts explain themselves."""
    return tuple(_notes(bills, volumes, measurements))


def _notes(bills: Tariff, volumes: Course, measurements: Measurements | None) -> Iterator[str]:
    if not steady_enough(bills.basis, measurements):
        yield (
            "The machine was too busy while it measured: these amounts are no evidence, measure "
            "again on a quiet one."
        )
    if isinstance(bills.baseline, Rented) and isinstance(bills.candidate, Rented):
        yield (
            "Instances are whole, so a saving comes in steps. Their number follows the month's "
            f"average load ({HOURS} hours); what is not utilised is left for peaks."
        )
        for volume in dict.fromkeys(volume for _, volume in (volumes[0], volumes[-1])):
            yield _step(bills.baseline, bills.candidate, volume)
    if isinstance(bills.baseline, Graduated) and len(bills.baseline.tiers) > 1:
        yield "Tiers are graduated: each price is for the part of a month's volume in its tier."


def _step(baseline: Rented, candidate: Rented, volume: int) -> str:
    """Why there is a saving at a volume, or none."""
    before, after = baseline.instances(volume), candidate.instances(volume)
    at = f"At {volume:,} inferences a month"
    if before != after:
        return f"{at} the baseline takes {_counted(before)} and the candidate {after:,}."
    if before == 0:
        return f"{at} nothing runs, so there is nothing to save."
    least = ", the least that runs," if before == baseline.minimum > 1 else ""
    carry = "carries" if before == 1 else "carry"
    both = "both models" if before == 1 else "either model"
    return f"{at} {_counted(before)}{least} {carry} {both}, so there is nothing to save."


def _counted(instances: int) -> str:
    return "one instance" if instances == 1 else f"{instances:,} instances"
