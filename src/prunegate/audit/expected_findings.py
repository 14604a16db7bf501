"""Expected findings: which ones a policy asks for, worked out anew from it and the slices alone.

The second opinion's own reading of a policy. Nothing here may call the code of ``verdict``: what it
would get wrong, it would get wrong twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prunegate.claims.checked import Claims
from prunegate.metrics.catalogue import METRICS
from prunegate.policy.naming import slice_name, value_text
from prunegate.policy.schema import Policy, Rule
from prunegate.verdict.finding import Finding, SliceSummary

OVERALL = "overall"
CLAIMS = "claims"
BEATS = "beats_constant"
"""The check of findings on the reference, which stand after the rules and the claims."""


class Place(NamedTuple):
    """What a finding is about; no two findings share it."""

    rule: int
    slice: str
    """A slice's name, or the rule's own word where none of its slices is judged."""
    check: str
    label: str | None = None
    """A class of a multiclass task, a label of a multilabel one; None: the finding is not about
    one alone."""


def place_in_findings(finding: Finding) -> Place:
    """Where a finding belongs."""
    return Place(finding.rule, finding.slice, finding.check, finding.class_label)


def expected_places(
    policy: Policy, slices: Sequence[SliceSummary], claims: Claims | None = None
) -> frozenset[Place]:
    """The place of every finding that the policy asks for, given the slices and checks at hand."""
    places = {*_on_claims(policy, claims), *on_reference(policy, slices)}
    return frozenset(places) | frozenset(
        Place(index, target, check, label)
        for index, rule in enumerate(policy.rules)
        for target, label in (*_asked(policy, rule, slices), *_never_seen(policy, rule, slices))
        for check in rule.limits
    )


def _on_claims(policy: Policy, claims: Claims | None) -> Iterator[Place]:
    """One for each contradiction, after the rules; one for all where there is none."""
    if policy.claims is None:
        return
    wrong = claims.labels if claims is not None else ()
    for label in wrong or (None,):
        yield Place(len(policy.rules), OVERALL, CLAIMS, label)


def on_reference(policy: Policy, slices: Sequence[SliceSummary]) -> dict[Place, tuple[str, str]]:
    """The places of findings on the reference, each with its severity and its evidence.

    All rows and every judged slice that a rule on rows speaks about, where labels differ.
    """
    reference = policy.evidence.reference
    if reference == "off" or policy.task.traits.documents:
        return {}
    labels: tuple[str | None, ...] = policy.task.labels or (None,)
    return {
        place: how for label in labels for place, how in _on_label(policy, slices, label).items()
    }


def _on_label(
    policy: Policy, slices: Sequence[SliceSummary], label: str | None
) -> dict[Place, tuple[str, str]]:
    """The same for one label of several; None: rows have one answer."""
    reference = policy.evidence.reference
    index = len(policy.rules) + (1 if policy.claims is not None else 0)
    found: dict[str, tuple[str, str]] = {}
    for rule in policy.rules:
        listed = isinstance(rule.classes, tuple) and label is not None
        if listed and label not in [value_text(value) for value in rule.classes]:
            continue
        form = METRICS[rule.metric].forms.get(policy.task.kind)
        if form is None or not form.against_labels:
            continue
        for name in (OVERALL, *_targets(rule, slices)):
            severity, evidence = found.get(name, ("warn", "point"))
            if reference == "required" and rule.severity == "block":
                severity = "block"
            if rule.evidence == "proven":
                evidence = "proven"
            found[name] = (severity, evidence)
    judged = [s for s in slices if s.rows and (s.declared or s.judged)]
    told = {s.name for s in judged if _labels_differ(policy, s, label)}
    return {Place(index, name, BEATS, label): how for name, how in found.items() if name in told}


def cells_of_label(summary: SliceSummary, label: str) -> tuple[int, ...]:
    """The eight joint counts of one label of several, as a slice's summary shows them."""
    found = {one.label: one.cells for one in summary.label_cells or ()}
    return found.get(label, ())


def _labels_differ(policy: Policy, summary: SliceSummary, label: str | None) -> bool:
    if label is not None:
        cells = cells_of_label(summary, label)
        return len(cells) == 8 and 0 < sum(cells[4:]) < sum(cells)
    if policy.task.traits.yes_no:  # a row without a label may have either
        return max(sum(summary.cells[:4]), sum(summary.cells[4:])) < summary.rows
    return policy.task.traits.estimated or len(summary.classes) > 1


def _asked(
    policy: Policy, rule: Rule, slices: Sequence[SliceSummary]
) -> Iterator[tuple[str, str | None]]:
    for target in _targets(rule, slices):
        for label in _labels(policy, rule, target, slices):
            yield target, label


def _never_seen(
    policy: Policy, rule: Rule, slices: Sequence[SliceSummary]
) -> Iterator[tuple[str, str]]:
    """Classes listed by a rule, under the selector none of whose judged slices has them."""
    if rule.classes in ("macro", "micro", "each"):
        return
    known = {summary.name for summary in slices}
    for selector, targets in _by_selector(rule, slices):
        there = [name for name in targets if name in known]
        found = {label for name in there for label in _labels(policy, rule, name, slices)}
        for value in rule.classes:
            if there and value_text(value) not in found:
                yield selector, value_text(value)


def absent_slices(policy: Policy, slices: Sequence[SliceSummary]) -> set[str]:
    """Slices that the policy names and that are not among the declared ones at hand."""
    return set(_declared(policy)) - {summary.name for summary in slices if summary.declared}


def _targets(rule: Rule, slices: Sequence[SliceSummary]) -> Iterator[str]:
    """Slices that a rule speaks about; a selector that finds none to judge stands for itself."""
    if METRICS[rule.metric].operational:
        yield OVERALL
        return
    for selector, judged in _by_selector(rule, slices):
        yield from judged or [selector]


def _by_selector(rule: Rule, slices: Sequence[SliceSummary]) -> Iterator[tuple[str, list[str]]]:
    """Judged slices of each selector that names any not named before, or none at all."""
    named: set[str] = set()
    for selector in rule.selects:
        found = {s.name: s.declared or s.judged for s in slices if _selected(selector, s)}
        new = found.keys() - named
        named |= new
        if new or not found:
            yield selector, [name for name in new if found[name]]


def _labels(
    policy: Policy, rule: Rule, target: str, slices: Sequence[SliceSummary]
) -> Iterator[str | None]:
    """Classes that a rule judges one by one on a slice; an undeclared slice may lack some."""
    known = {summary.name: summary for summary in slices}
    if rule.classes in ("macro", "micro") or target not in known:
        yield None
        return
    if rule.classes == "each":
        wanted = {*known[OVERALL].classes, *map(value_text, policy.task.classes)}
        wanted |= set(policy.task.labels)
    else:
        wanted = set(map(value_text, rule.classes))
    yield from wanted if known[target].declared else wanted.intersection(known[target].classes)


def _selected(selector: str, summary: SliceSummary) -> bool:
    if selector == OVERALL:
        return summary.name == OVERALL
    if selector == "all":
        return summary.strata is None  # the mix is asked for by its name
    return selector in (summary.slicing, summary.name)


def _declared(policy: Policy) -> Iterator[str]:
    yield OVERALL
    for spec in policy.slices:
        if spec.name is not None:
            yield spec.name
        for value in spec.expect:
            parts = value if isinstance(value, tuple) else (value,)
            yield slice_name(spec.keys, [value_text(part) for part in parts])
