"""Words: the sentences of a verdict, from its facts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.slices import SliceCounts
from prunegate.counting.stratum import Stratum
from prunegate.counting.tallies import Sums, Tally
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import is_level
from prunegate.metrics.metric import Metric
from prunegate.policy.explain import explain_check
from prunegate.policy.schema import Minimum, Policy
from prunegate.text.nouns import one_of
from prunegate.text.numbers import number_of, plain, upper_bound_share
from prunegate.text.quantities import Quantity
from prunegate.text.said import joined, said
from prunegate.verdict.advice import without_request
from prunegate.verdict.finding import (
    BEATS_CONSTANT,
    Finding,
    Guarantee,
    OpenBecause,
    Outcome,
    SliceSummary,
    Uncovered,
    ValueBound,
)
from prunegate.verdict.quantities import Quantities


def undefined(metric: Metric, counts: SliceCounts, class_label: str | None = None) -> str:
    """Why a metric has no value on a slice."""
    name, answers = metric.phrase, counts.tally.answers
    if isinstance(counts.tally, PartialTally):
        return said("note.undefined_unlabelled", metric=name)
    if answers in _UNDEFINED:
        return said(_UNDEFINED[answers], metric=name)
    if answers == "numbers":
        return said("note.undefined_numbers", metric=name, why=_one_number(counts.tally))
    if counts.positives in (0, counts.rows):
        about = {"kind": "no" if counts.positives == 0 else "only", "rows": counts.rows}
        if class_label is None:
            return said("note.undefined_positives", metric=name, **about)
        return said("note.undefined_class", metric=name, label=class_label, **about)
    does = _one_decision(counts, class_label)
    return said("note.undefined_decision", metric=name, does=does)


_UNDEFINED = {"labels": "note.undefined_labels", "label sets": "note.undefined_sets"}
_SAME = ("same_labels", "same_baseline", "same_candidate")


def _one_number(tally: Tally) -> tuple[str, ...]:
    """What is the same everywhere, so that an order cannot be told."""
    order = tally.scores.order if isinstance(tally, Sums) and tally.scores else None
    squares = order.squares if order else ()
    found = [key for key, square in zip(_SAME, squares, strict=False) if not square]
    return tuple(said(f"note.{key}") for key in found or ("same_any",))


def _one_decision(counts: SliceCounts, class_label: str | None) -> str:
    """What a model does that a metric cannot be taken of."""
    flags = (sum(n for i, n in enumerate(counts.tally.eight) if i & bit) for bit in (1, 2))
    which = "all" if all(flags) else "none"
    if class_label is None:
        return said(f"note.flags_{which}")
    return said(f"note.chooses_{which}", label=class_label)


_SHORT = 5
"""Values of a mix that are named."""


def below_minimum(counts: SliceCounts) -> str:
    """That there is less evidence than the policy asks for."""
    if counts.strata is not None:
        return _lacking_strata(counts.strata)
    worth = counts.worth
    if worth is None:
        return said("note.minimum")
    rows, positives = math.floor(worth.rows), math.floor(worth.positives)
    return said("note.minimum_worth", rows=rows, positives=positives)


def _lacking_strata(strata: Sequence[Stratum]) -> str:
    """Which content that production sees the table has too few rows of."""
    short = [one for one in strata if one.lacking]
    found = [said("note.stratum", value=one.value, n=one.rows) for one in short[:_SHORT]]
    if len(short) > _SHORT:
        return said("note.strata_more", found=found, more=len(short) - _SHORT)
    return said("note.strata", found=found)


def uneven_groups(weight: int) -> str:
    """Why no number of rows of the same groups would settle a finding."""
    return said("note.uneven", n=weight)


MOST_OPEN = 50
"""Open limits that each get a sentence where there are a few more; of the rest there is a count."""


def reasons(policy: Policy, outcome: Outcome, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Why, in plain words: what failed, then what is open; or that everything holds.

    A rejection asks for no labels: they could not change it.
    """
    blocking = [f for f in findings if f.severity == "block"]
    if outcome == "approve":
        blocking = [f for f in blocking if f.check != BEATS_CONSTANT]
        where = number_of(len({f.slice for f in blocking}), "slice")
        waived = [f for f in blocking if f.status == "waived"]
        if waived:
            held = len(blocking) - len(waived)
            verb = "holds" if held == 1 else "hold"
            first = f"{held:,} of {len(blocking):,} blocking limits {verb}; the rest is waived."
            written = _quantities(policy, findings)
            return (first, *(_reason(policy, f, written) for f in waived))
        if len(blocking) == 1:
            return (f"The one blocking limit holds, on {where}.",)
        return (f"All {len(blocking):,} blocking limits hold on {where}.",)
    limits = [f for f in blocking if f.check != BEATS_CONSTANT]
    held_up = any(f.status != "pass" for f in blocking if f.check == BEATS_CONSTANT)
    if limits and not held_up and all(f.status == "waived" for f in limits):
        return ("Every blocking limit is waived, so nothing is shown to hold.",)
    failed = [f for f in blocking if f.status == "fail"]
    still_open = [f for f in blocking if f.status == "inconclusive"]
    written = _quantities(policy, findings)
    few = still_open if len(still_open) <= MOST_OPEN + 1 else still_open[:MOST_OPEN]
    told = (f if outcome == "inconclusive" else _unasked(f) for f in (*failed, *few))
    found = tuple(_reason(policy, f, written) for f in told)
    rest = len(still_open) - len(few)
    return (*found, f"{rest:,} more blocking limits are open.") if rest else found


FOR_LABELS: tuple[OpenBecause, ...] = ("uneven groups", "some labels")
"""What keeps a finding open whose note is nothing but a request for labels."""


def _unasked(finding: Finding) -> Finding:
    """An open finding whose note asks for nothing."""
    if finding.status != "inconclusive":
        return finding
    return replace(finding, note=unasked_note(finding))


def unasked_note(finding: Finding) -> str:
    """An open finding's note without what it asks for."""
    return "" if finding.open_because in FOR_LABELS else without_request(finding)


ABSENT = "the policy expects this slice and the data have no row of it"


def absent(minimum: Minimum) -> str:
    """That an expected slice has no row, and what the minimum evidence asks for."""
    if minimum.rows == minimum.positives == 1:
        return joined((ABSENT, said("note.absent_one")))
    asked = said("rows", n=minimum.rows)
    if minimum.positives > 1:
        told = said("note.absent_positives", rows=asked, positives=minimum.positives)
        return joined((ABSENT, told))
    return joined((ABSENT, said("note.absent_rows", rows=asked)))


def absence_reasons(names: Sequence[str]) -> tuple[str, ...]:
    """Why slices that no blocking rule looks at hold an approve back: they are not there."""
    return tuple(f"{name}: {ABSENT}." for name in names)


def _reason(policy: Policy, finding: Finding, written: Quantities) -> str:
    about = {"claims": "Stated figures", BEATS_CONSTANT: f"The reference on {finding.slice}"}
    if finding.check in about:
        return f"{about[finding.check]}: {finding.note or 'not shown'}."
    where = _where(finding)
    if finding.candidate is None:
        return f"{where}: {finding.note or 'not defined'}."
    figures = f"{where} {_figures(policy, finding, written[finding.metric])}"
    if finding.status == "waived":
        return f"{figures}; {finding.note}."
    if finding.status == "fail" and METRICS[finding.metric].operational and finding.note:
        return f"{figures} ({finding.note})."
    if finding.status == "fail":
        return f"{figures}."
    return f"{figures}; not proven: {finding.note}." if finding.note else f"{figures}; not proven."


def _where(finding: Finding) -> str:
    of = "" if finding.class_label is None else f" of class {finding.class_label}"
    where = f"{METRICS[finding.metric].phrase}{of} on {finding.slice}"
    return where[0].upper() + where[1:]


def _quantities(policy: Policy, findings: Sequence[Finding]) -> Quantities:
    return Quantities.of(findings, policy.cost.currency if policy.cost else "")


def _figures(policy: Policy, finding: Finding, quantity: Quantity) -> str:
    """What was found and what is allowed."""
    allowed = explain_check(policy.rules[finding.rule], finding.check, quantity.currency)
    after = quantity.level(finding.candidate)
    bound = _BOUNDS[finding.values_are]
    shown = f"{_flips(finding)}{_rests_on(finding)}"
    if is_level(finding.check):
        return f"is {bound}{plain(after)}{shown}; the policy asks for {allowed}"
    before = quantity.bare(quantity.level(finding.baseline))  # the second value has the unit too
    before, after = f"{bound}{plain(before)}", f"{bound}{plain(after)}"
    return f"went from {before} to {after}{shown}; allowed: {allowed}"


_BOUNDS: dict[ValueBound | None, str] = {
    None: "",
    "at_most": "at most ",
    "at_least": "at least ",
    "about": "about ",
}
"""What stands before a value."""


def _rests_on(finding: Finding) -> str:
    """Of estimates, how many labelled rows they are made from."""
    if finding.estimated_from is None:
        return ""
    return f", estimated from {number_of(finding.estimated_from, 'labelled row')}"


def _flips(finding: Finding) -> str:
    if finding.lost is None or finding.gained is None:
        return ""
    least = "at least " if finding.n_is_least else ""
    return f" (lost {finding.lost:,}, gained {finding.gained:,} of {least}{finding.n:,})"


def losing(policy: Policy, findings: Sequence[Finding], places: Sequence[int]) -> tuple[str, ...]:
    """That slices lost something beyond chance, although no more than the policy allows.

    Args:
        policy: the policy.
        findings: all of a verdict.
        places: of those that are about such a loss.
    """
    written = _quantities(policy, findings)
    return tuple(
        f"{_where(f)} {_figures(policy, f, written[f.metric])}: a real loss, also after allowing "
        f"for all that was looked at (95 % interval of the change by itself: "
        f"{_range(f, written[f.metric])}), within what is allowed."
        for f in (findings[place] for place in places)
    )


def only_warned(policy: Policy, findings: Sequence[Finding], finding: Finding) -> str:
    """That a rule or stated figures do not hold, or are not shown to, and that it only warns."""
    if any(f.severity == "block" and f.status == "fail" for f in findings):
        finding = _unasked(finding)
    said = _reason(policy, finding, _quantities(policy, findings)).removesuffix(".")
    if finding.check == "claims":
        return f"{said} (these figures only warn)."
    return f"{said} (this rule only warns)."


def of_undeclared(summary: SliceSummary) -> str:
    """That the data hold a value that the policy does not list for its key."""
    rows = number_of(summary.rows, "row")
    return f"{summary.name} is not declared in the policy ({rows}, judged all the same)"


def of_unjudged(policy: Policy, summary: SliceSummary) -> str:
    """That a slice was not judged, why, and what is known of it all the same."""
    minimum, task = policy.evidence.minimum, policy.task.traits
    noun = one_of(task.noun)
    has, lacks = number_of(summary.rows, noun), number_of(minimum.rows, noun)
    if task.yes_no:
        has += f", {number_of(summary.positives, 'positive')}"
        lacks += f" and {number_of(minimum.positives, 'positive')}"
    elif task.decided:
        one = "label" if task.sets else "class"
        has, lacks = (
            f"{has}, {summary.positives:,} of the rarest {one}",
            f"{lacks} and {minimum.positives:,} of every {one}",
        )
    flips = ""
    if summary.lost:
        flips = f"; the baseline alone is right on {summary.lost:,} of its rows"
        flips += f", the candidate alone on {summary.gained or 0:,}"
    what = f"{summary.name} is not declared in the policy and was not judged"
    return f"{what} ({has}; the policy's minimum evidence is {lacks}){flips}."


def of_more_unjudged(summaries: Sequence[SliceSummary]) -> str:
    """That many slices more were not judged."""
    rows, lost = sum(s.rows for s in summaries), sum(s.lost or 0 for s in summaries)
    kind = "warning.more_unjudged_lost" if lost else "warning.more_unjudged"
    return said(kind, n=len(summaries), rows=said("rows", n=rows), lost=lost)


def _range(finding: Finding, quantity: Quantity) -> str:
    """Both ends of the interval, with the unit once."""
    low, high = finding.ci_low, finding.ci_high
    if high is None:
        return f"{plain(quantity.change_in_words(low))} to no end"
    start = "no end" if low is None else quantity.bare(quantity.change(low))
    return plain(f"{start} to {quantity.change_in_words(high)}")


def statement(policy: Policy, guarantee: Guarantee | None) -> str:
    """The guarantee of this gate in words, and what it does not cover; or that there is none."""
    if guarantee is None:
        return said("statement.none")
    rows = said("statement.rows")
    sentence = said(
        "statement.at_most" if guarantee.exact else "statement.about",
        share=upper_bound_share(guarantee.alpha, digits=3),
        units=rows if policy.group is None else said("statement.groups", group=policy.group),
    )
    if guarantee.leaves_out:
        kinds = joined(said(f"statement.{_UNCOVERED[kind]}") for kind in guarantee.leaves_out)
        return joined((sentence, said("statement.left_out", kinds=kinds)), " ")
    return sentence


_UNCOVERED: dict[Uncovered, str] = {
    "point rules": "point",
    "figures": "figures",
    "warning rules": "warning",
    "stated figures": "claims",
    "unjudged slices": "unjudged",
    "rare losses": "rare",
}
"""The message of what a guarantee leaves out."""


def looked_at(tally: Tally) -> str:
    """How many of all rows were labelled and why that is enough; nothing where every row was."""
    if not isinstance(tally, PartialTally):
        return ""
    told = said("statement.looked_at", labelled=tally.labelled, rows=tally.rows)
    return joined((told, _unsure(tally.doubted)), " ")


def _unsure(rows: int) -> str:
    """What becomes of rows that nobody could label."""
    if not rows:
        return ""
    return said("statement.unsure_1" if rows == 1 else "statement.unsure", n=rows)
