"""The words of a label list: what each limit takes, beside every row labelled, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prunegate.planning.label_draw import DrawnLabels, for_reference_alone
from prunegate.planning.label_plan import LimitLabels
from prunegate.planning.label_power import AGREED, DIFFERING
from prunegate.planning.label_reference import ReferenceLabels
from prunegate.text.escape import named
from prunegate.text.numbers import count, plain, share

WORDS = {
    "none": "decisions alone",
    "differs": "rows that differ",
    "agreed": "rows that differ, a sample that both decide alike",
    "flagged": "rows that either model flags",
    "random": "a random sample of all rows",
}
"""What a limit rests on."""


def label_lines(drawn: DrawnLabels, out: Path) -> list[str]:
    """What was drawn, as lines of text."""
    listed, todo = len(drawn.frame.rows), len(drawn.to_label)
    head = f"{count(listed)} of {count(drawn.rows)} rows decide this policy"
    if todo < listed:
        head += (
            f"; {count(listed - todo)} have their label already, {count(todo)} are to be labelled"
        )
    first = out.parent if drawn.frame.round > 1 else out
    rounds = [first, *(first / f"round-{n}" for n in range(2, drawn.frame.round + 1))]
    labels = " ".join(f"--labels {place}/to-label.csv" for place in rounds)
    files = f"{labels} --labelling {out}/labelling.json"
    return [
        head,
        "",
        *(_line(limit) for limit in drawn.limits),
        *_of_reference(drawn),
        "",
        *_assumed(drawn),
        *_in_order(drawn),
        f"label in {out}/label.html (or fill in to-label.csv beside it), then judge with"
        if todo
        else "nothing is left to label; judge with",
        f"  prunegate gate POLICY --predictions FILE {files}",
    ]


def _line(limit: LimitLabels) -> str:
    of = "" if limit.class_label is None else f" of {named(limit.class_label)}"
    what = f"{limit.metric.replace('_', ' ')}{of} {limit.check} on {named(limit.slice)}"
    labels = f"{count(limit.labels)} of {count(limit.rows)} ({WORDS[limit.needs]})"
    power = "" if limit.power is None else f": power {_share(limit.power)}"
    if limit.at_random is not None and limit.power is not None:
        power += f"; at random {count(limit.labels)} would give {_share(limit.at_random)}"
    return f"  {what}: {labels}{power}"


def _of_reference(drawn: DrawnLabels) -> Iterator[str]:
    """What it costs to show that the baseline knows anything."""
    if not drawn.reference:
        return
    alone = for_reference_alone(row.why for row in drawn.frame.rows)
    yield (
        f"  that the baseline knows anything: {count(alone)} of the rows are on the list for this "
        "alone"
    )
    for one in drawn.reference:
        ways = ("that both flag", "that neither flags")
        if one.class_label is not None:
            given = named(one.class_label)
            ways = (f"to which both give {given}", f"to which neither gives {given}")
        told = f"{count(one.both)} random rows {ways[0]}, {count(one.neither)} {ways[1]}"
        yield f"    on {named(one.slice)}: {told}{_hopeless(one)}"


def _hopeless(one: ReferenceLabels) -> str:
    """That no labels are likely to show it, and what to do."""
    if one.constant:
        return (
            ": no labels can tell, because the baseline decides all rows alike; look at its scores "
            "and 'task: threshold' first"
        )
    return "" if one.likely else ": not enough for one whose recall and precision are 85 %"


def _in_order(drawn: DrawnLabels) -> Iterator[str]:
    """That the round before this one is judged first."""
    if (number := drawn.frame.round) > 1:
        yield (
            f"judge round {number - 1} first: a round that is passed over counts as a look all the "
            "same, and cannot be judged after this one"
        )


def _share(chance: float) -> str:
    return plain(share(chance))


def _assumed(drawn: DrawnLabels) -> Iterator[str]:
    if any(limit.needs in ("agreed", "flagged") for limit in drawn.limits):
        yield (
            f"power if nothing changed, and {DIFFERING:.0%} of the rows that differ and "
            f"{AGREED:.0%} of those that both flag are positive; that is not known yet"
        )
    levels = [limit for limit in drawn.limits if limit.check in ("at_least", "at_most")]
    if any(limit.needs in ("agreed", "random") for limit in levels):
        yield "power of a floor or a cap for a candidate half way between it and perfect"
    if any(limit.needs == "random" and limit not in levels for limit in drawn.limits):
        yield (
            "power of a change on random rows for models whose recall and precision are 85 %; "
            "--random N draws N rows of each slice instead"
        )
