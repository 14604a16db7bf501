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
from prunegate.text.numbers import number_of, plain, upper_bound_share
from prunegate.text.quantities import Quantity
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
    start = f"{metric.phrase} is not defined"
    if isinstance(counts.tally, PartialTally):
        return (
            f"{start}: rows of the slice that it needs have no label, or nobody could tell theirs; "
            "where they were marked unsure, let somebody else label them"
        )
    if counts.tally.answers == "labels":
        return f"{start}: a model never chooses one of the slice's classes"
    if counts.tally.answers == "label sets":
        return f"{start}: a label has no rows in the slice, or a model never decides for it"
    if counts.tally.answers == "numbers":
        return f"{start}: {_one_number(counts.tally)}"
    if counts.positives in (0, counts.rows):
        kind = "no" if counts.positives == 0 else "only"
        named = f"{kind} positive rows"
        if class_label is not None:
            named = f"{kind} rows of class {class_label}"
        return f"{start}: the slice has {named} ({counts.rows:,} rows in all)"
    return (
        f"{start}: a model {_one_decision(counts, class_label)} in the slice, and how many further "
        "rows would change that cannot be told"
    )


_SAME = (
    "the labels are the same in every row",
    "the baseline gives one score only",
    "the candidate gives one score only",
)


def _one_number(tally: Tally) -> str:
    """What is the same everywhere, so that an order cannot be told."""
    order = tally.scores.order if isinstance(tally, Sums) and tally.scores else None
    squares = order.squares if order else ()
    found = [words for words, square in zip(_SAME, squares, strict=False) if not square]
    return " and ".join(found) or "the labels, or a model's scores, are the same in every row"


def _one_decision(counts: SliceCounts, class_label: str | None) -> str:
    """What a model does that a metric cannot be taken of."""
    flags = (sum(n for i, n in enumerate(counts.tally.eight) if i & bit) for bit in (1, 2))
    if all(flags):
        return "flags everything" if class_label is None else f"always chooses class {class_label}"
    return "flags nothing" if class_label is None else f"never chooses class {class_label}"


_SHORT = 5
"""Values of a mix that are named."""


def below_minimum(counts: SliceCounts) -> str:
    """That there is less evidence than the policy asks for."""
    if counts.strata is not None:
        return _lacking_strata(counts.strata)
    note, worth = "below the policy's minimum evidence", counts.worth
    if worth is None:
        return note
    rows, positives = math.floor(worth.rows), math.floor(worth.positives)
    return f"{note} (with their weights the rows are worth {rows:,}, the positives {positives:,})"


def _lacking_strata(strata: Sequence[Stratum]) -> str:
    """Which content that production sees the table has too few rows of."""
    short = [one for one in strata if one.lacking]
    told = ", ".join(f"{one.value} ({number_of(one.rows, 'row')})" for one in short[:_SHORT])
    more = f" and {len(short) - _SHORT:,} more" if len(short) > _SHORT else ""
    return f"production sees content that the data have too few rows of: {told}{more}"


def uneven_groups(weight: int) -> str:
    """Why no number of rows of the same groups would settle a finding."""
    rows = number_of(weight, "independent row")
    return (
        f"a few large groups hold so many of the rows, which weigh no more than {rows}, too few to "
        "show it whatever they say; more rows of these groups do not help, label rows of others"
    )


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
        return f"{ABSENT}; the policy's minimum evidence, 1 row, would prove nothing"
    asked = number_of(minimum.rows, "row")
    if minimum.positives > 1:
        asked += f" and {minimum.positives:,} positives"
    return f"{ABSENT}; the policy's minimum evidence asks for {asked}"


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
    noun = task.noun.removesuffix("s")
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
    flips = f"; the baseline alone is right on {lost:,} of them" if lost else ""
    one = len(summaries) == 1
    which = "1 more slice is" if one else f"{len(summaries):,} more slices are"
    counted = number_of(rows, "row") + ("" if one else ", counted once in each")
    return f"{which} not declared and {'was' if one else 'were'} not judged ({counted}){flips}."


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
        return (
            "No error rate is guaranteed: no blocking limit of this verdict was tested; what "
            "decides are estimates and figures alone."
        )
    alpha = upper_bound_share(guarantee.alpha, digits=3)
    about = "at most " if guarantee.exact else "about "
    units = "rows" if policy.group is None else f"values of {policy.group}"
    sentence = (
        f"If any slice is really worse than its limit, this gate approves {about}{alpha} of the "
        f"time (independent {units}, fresh data)."
    )
    if guarantee.leaves_out:
        left_out = "; ".join(_UNCOVERED[kind] for kind in guarantee.leaves_out)
        sentence += f" Not covered: {left_out}."
    return sentence


_UNCOVERED: dict[Uncovered, str] = {
    "point rules": "rules with evidence: point, which the estimate alone decides",
    "figures": "figures of size, time and cost, which are measured or counted",
    "warning rules": "rules that only warn",
    "stated figures": "stated figures, which arithmetic decides",
    "unjudged slices": "slices that were not judged",
    "rare losses": (
        "losses that a few documents bear: where 1 in 200 carries all of it, up to 26.5 % of such "
        "candidates were approved (simulated, 300 documents)"
    ),
}
"""What a guarantee leaves out, in words."""


def looked_at(tally: Tally) -> str:
    """How many of all rows were labelled and why that is enough; nothing where every row was."""
    if not isinstance(tally, PartialTally):
        return ""
    return (
        f" Labels of {tally.labelled:,} of {tally.rows:,} rows were looked at: a change shows in "
        "rows that the models decide differently, and what the others bear on rests on random "
        "samples of them."
        f"{_unsure(tally.doubted)}"
    )


def _unsure(rows: int) -> str:
    """What becomes of rows that nobody could label."""
    if not rows:
        return ""
    which = "1 row was" if rows == 1 else f"{rows:,} rows were"
    return (
        f" {which[0].upper()}{which[1:]} looked at and could not be labelled: a limit holds, or is "
        "broken, only where it is so whatever their labels are."
    )
