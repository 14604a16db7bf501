"""The words of a label list: what each limit takes, beside every row labelled, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from prunegate.metrics.checks import is_level
from prunegate.outputs.label_list import FRAME, TO_LABEL
from prunegate.planning.label_draw import DrawnLabels, for_reference_alone
from prunegate.planning.label_plan import LimitLabels
from prunegate.planning.label_power import AGREED, DIFFERING
from prunegate.planning.label_reference import ReferenceLabels
from prunegate.planning.label_shortfalls import Shortfall
from prunegate.text.escape import escaped, named, shell_words, visible
from prunegate.text.numbers import count, plain, share

WORDS = {
    "none": "decisions alone",
    "differs": "rows that differ",
    "agreed": "rows that differ, a sample that both decide alike",
    "flagged": "rows that either model flags",
    "random": "a random sample of all rows",
}
"""What a limit rests on."""


def label_lines(
    drawn: DrawnLabels,
    out: Path,
    judged: Sequence[str] = ("POLICY", "--predictions", "FILE"),
    before: Sequence[Path] = (),
) -> list[str]:
    """What was drawn, as lines of text.

    Args:
        drawn: the list.
        out: where it lies.
        judged: the policy and its predictions, as arguments of ``prunegate gate``.
        before: the labels of the rounds before.
    """
    listed, todo = len(drawn.frame.rows), len(drawn.to_label)
    head = f"{count(listed)} of {count(drawn.rows)} rows decide this policy"
    if drawn.shortfalls:
        head = f"{count(listed)} of {count(drawn.rows)} rows are on the list and cannot decide it"
    elif _is_less(drawn):
        head = f"{count(listed)} of {count(drawn.rows)} rows are on the list"
    if todo < listed:
        head += (
            f"; {count(listed - todo)} have their label already, {count(todo)} are to be labelled"
        )
    labels = [part for path in (*before, out / TO_LABEL) for part in ("--labels", str(path))]
    files = [*judged, *labels, "--labelling", str(out / FRAME)]
    page = escaped(f"{out}/label.html")
    return [
        head,
        "",
        *(_line(limit, drawn) for limit in drawn.limits),
        *_of_reference(drawn),
        *_together(drawn),
        *map(_lacks, drawn.shortfalls),
        *(f"note: {visible(noticed)}" for noticed in drawn.noticed),
        "",
        *_assumed(drawn),
        *_in_order(drawn),
        f"label in {page} (or fill in to-label.csv beside it), then judge with"
        if todo
        else "nothing is left to label; judge with",
        f"  {shell_words(['prunegate', 'gate', *files])}",
    ]


def not_blind(words: Sequence[str]) -> str:
    """That names of rows give labels away, as a warning."""
    some = ", ".join(named(word) for word in words[:_SHOWN])
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return (
        f"warning: labelling is not blind: {some}{more} in ids or in the places of pictures is a "
        "label, or goes with the baseline's decisions; give the rows ids, and the pictures file "
        "names, that say nothing (label.html hides the places of pictures, not the ids)"
    )


_SHOWN = 3


def _line(limit: LimitLabels, drawn: DrawnLabels) -> str:
    of = "" if limit.class_label is None else f" of {named(limit.class_label)}"
    what = f"{limit.metric.replace('_', ' ')}{of} {limit.check} on {named(limit.slice)}"
    labels = f"{count(limit.labels)} of {count(limit.rows)} ({WORDS[limit.needs]})"
    power = "" if limit.power is None else f": power {_share(limit.power)}"
    stopped = any(one.slice == limit.slice for one in drawn.shortfalls)  # random rows as well
    if limit.at_random is not None and limit.power is not None and not stopped:
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


def _together(drawn: DrawnLabels) -> Iterator[str]:
    """The power of all blocking limits together, and why it is less than was asked for."""
    known, joint = _blocking_powers(drawn), _joint(drawn)
    if joint is None:
        return
    absent = any(one.kind == "absent" for one in drawn.shortfalls)
    if len(known) > 1 or absent:
        most = 0.0 if absent else min(known)
        ends = _share(joint), _share(most)
        told = ends[0] if ends[0] == ends[1] else f"between {ends[0]} and {ends[1]}"
        limits = "the blocking limit alone"
        if len(known) > 1:
            limits = f"all {len(known):,} blocking limits together"
        yield f"  {limits}: power {told}"
    wanted = drawn.wanted
    if wanted is None or drawn.shortfalls or not _is_less(drawn):
        return
    less = f"  less than the {_share(wanted.power)} asked for (--power): "
    left = 0 if wanted.budget is None else wanted.budget - len(drawn.frame.rows)
    if wanted.budget is not None:
        over = f" ({count(left)} labels are left over: the next step of a sample takes more)"
        yield f"{less}--budget ends it{over if left else ''}"
    elif wanted.random is not None and any(one.needs == "random" for one in drawn.limits):
        yield f"{less}--random sets the samples"
    else:
        yield (
            f"{less}more labels of these rows hardly help; more rows do, most of which need none"
        )


_NEARLY = 0.005
"""Power that is no more than a rounding below what was asked for."""


def _blocking_powers(drawn: DrawnLabels) -> list[float]:
    """The powers of the blocking limits, as far as they are known."""
    return [one.power for one in drawn.limits if one.blocks and one.power is not None]


def _joint(drawn: DrawnLabels) -> float | None:
    """The least power of all blocking limits together; None: that of one is not known."""
    known = _blocking_powers(drawn)
    if not known or len(known) < sum(one.blocks for one in drawn.limits):
        return None
    if any(one.kind == "absent" for one in drawn.shortfalls):
        return 0.0
    return max(0.0, 1 - sum(1 - power for power in known))


def _is_less(drawn: DrawnLabels) -> bool:
    """Whether the power is less than was asked for."""
    joint = _joint(drawn)
    if joint is None or drawn.wanted is None:
        return False
    return joint < drawn.wanted.power - _NEARLY


def _lacks(one: Shortfall) -> str:
    """What keeps limits open on a slice, whatever the labels say."""
    where = f"  on {named(one.slice)} nothing can be shown with this list: "
    if one.kind == "absent":
        return f"{where}the policy expects it and the table has no row of it"
    if one.kind == "rows":
        return (
            f"{where}it has {count(one.expected)} rows, and 'evidence: minimum' asks for "
            f"{count(one.wanted)}"
        )
    return (
        f"{where}'evidence: minimum' asks for {count(one.wanted)} positives, and labels of these "
        f"rows are expected to tell of {count(one.expected)}; ask for fewer, label every row, or "
        "give more rows"
    )


def _in_order(drawn: DrawnLabels) -> Iterator[str]:
    """That the round before this one is judged first."""
    if (number := drawn.frame.round) > 1:
        yield (
            f"if round {number - 1} was not judged yet, judge it first: a round that is passed "
            "over counts as a look all the same, and cannot be judged after this one"
        )
        new = {next(iter(row.values())) for row in drawn.to_label}
        why = {row.why for row in drawn.frame.rows if row.id in new}
        if why == {("reference",)}:
            yield (
                "all that is new here is for showing that the baseline knows anything: where that "
                "is shown already, this round decides nothing more, and its look is better kept"
            )


def _share(chance: float) -> str:
    return plain(share(chance))


def _assumed(drawn: DrawnLabels) -> Iterator[str]:
    if any(limit.needs in ("agreed", "flagged") for limit in drawn.limits):
        yield (
            f"power if nothing changed, and {_share(DIFFERING)} of the rows that differ and "
            f"{_share(AGREED)} of those that both flag are positive; that is not known yet"
        )
    levels = [limit for limit in drawn.limits if is_level(limit.check)]
    if any(limit.needs in ("agreed", "random") for limit in levels):
        yield "power of a floor or a cap for a candidate half way between it and perfect"
    if any(limit.needs == "random" and limit not in levels for limit in drawn.limits):
        yield (
            "power of a change on random rows for models whose recall and precision are 85 %; "
            "--random N draws N rows of each slice instead"
        )
