"""Every way in which a verdict may be wrong: one finding, or the verdict as a whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from prunegate.audit.opinion.distances import LEVELS
from prunegate.metrics.catalogue import METRICS
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Verdict

Judged = tuple[Policy, Verdict]


def operational(finding: Finding) -> bool:
    return finding.metric in METRICS and METRICS[finding.metric].kind == "operational"


def is_tested(finding: Finding) -> bool:
    return finding.evidence == "proven" and not operational(finding)


def passes_test(finding: Finding) -> bool:
    return is_tested(finding) and finding.status == "pass"


def estimated(finding: Finding) -> bool:
    """Decided by an interval that the finding does not show, or by none because of noise."""
    return operational(finding) and (finding.method != "figure" or finding.note != "")


def undefined_fails(finding: Finding, policy: Policy) -> bool:
    of_rule = finding.rule < len(policy.rules)  # the reference comes after them
    return of_rule and policy.rules[finding.rule].on_undefined == "fail"


def beyond(finding: Finding) -> float:
    """A candidate's value well outside of the limit, in the direction that is a loss."""
    low = finding.check in ("at_least", "max_drop", "min_gain")
    if METRICS[finding.metric].better == "lower" and finding.check == "min_gain":
        low = False
    if METRICS[finding.metric].better == "lower" and finding.check == "max_gain":
        low = True
    return 0.0 if low else max(1.0, 3 * (finding.baseline or 0.0))


ONE: dict[str, tuple[Callable[[Finding, Policy], bool], Callable[[Finding, Policy], Any]]] = {
    "an open finding passes": (
        lambda f, _p: f.status == "inconclusive" and not estimated(f),
        lambda _f, _p: {"status": "pass"},
    ),
    "a fail passes": (
        lambda f, p: f.status == "fail" and not (estimated(f) and undefined_fails(f, p)),
        lambda _f, _p: {"status": "pass"},
    ),
    "a pass fails": (
        lambda f, _p: f.status == "pass" and (is_tested(f) or clear(f)) and not estimated(f),
        lambda _f, _p: {"status": "fail"},
    ),
    "an open finding fails": (
        lambda f, _p: (
            f.status == "inconclusive" and is_tested(f) and (f.p_harm_adjusted or 0.0) > 0.5
        ),
        lambda _f, _p: {"status": "fail"},
    ),
    "a finding is waived": (lambda f, _p: f.status != "pass", lambda _f, _p: {"status": "waived"}),
    "a fail has little harm": (
        lambda f, _p: f.status == "fail" and is_tested(f) and f.p_harm_adjusted is not None,
        lambda _f, p: {"p_harm_adjusted": math.nextafter(p.evidence.alpha, 1)},
    ),
    "p is missing": (lambda f, _p: passes_test(f), lambda _f, _p: {"p_value": None}),
    "p is NaN": (lambda f, _p: passes_test(f), lambda _f, _p: {"p_value": math.nan}),
    "p is just above alpha": (
        lambda f, _p: passes_test(f),
        lambda _f, p: {"p_value": math.nextafter(p.evidence.alpha, 1)},
    ),
    "p is negative": (lambda f, _p: passes_test(f), lambda _f, _p: {"p_value": -1e-9}),
    "an open p is above one": (
        lambda f, _p: is_tested(f) and f.p_value is not None and f.status != "pass",
        lambda _f, _p: {"p_value": 1.5},
    ),
    "a pass has no candidate": (
        lambda f, _p: f.status == "pass",
        lambda _f, _p: {"candidate": None},
    ),
    "a candidate is NaN": (lambda _f, _p: True, lambda _f, _p: {"candidate": math.nan}),
    "a candidate is infinite": (lambda _f, _p: True, lambda _f, _p: {"candidate": math.inf}),
    "a share is above one": (
        lambda f, _p: f.candidate is not None and not operational(f),
        lambda f, _p: {"candidate": 1.5, "difference": shifted(f, 1.5)},
    ),
    "a pass has no baseline": (
        lambda f, _p: f.status == "pass" and f.check not in LEVELS,
        lambda _f, _p: {"baseline": None},
    ),
    "a pass has no difference": (
        lambda f, _p: f.status == "pass" and f.check not in LEVELS,
        lambda _f, _p: {"difference": None},
    ),
    "a pass has no limit": (lambda f, _p: f.status == "pass", lambda _f, _p: {"limit": None}),
    "a difference has the wrong sign": (
        lambda f, _p: bool(f.difference),
        lambda f, _p: {"difference": -f.difference},  # type: ignore[operator]  # given, as just seen
    ),
    "a pass is far beyond its limit": (
        lambda f, _p: f.status == "pass" and not estimated(f) and inside(f),
        lambda f, _p: {"candidate": beyond(f), "difference": shifted(f, beyond(f))},
    ),
    "a limit is another": (lambda _f, _p: True, lambda f, _p: {"limit": f.limit + 1e-9}),
    "a limit is of another kind": (
        lambda f, _p: f.limit_kind == "absolute",
        lambda _f, _p: {"limit_kind": "relative"},
    ),
    "a check is another": (
        lambda f, _p: f.check == "max_drop",
        lambda _f, _p: {"check": "max_rise"},
    ),
    "a metric is another": (
        lambda f, _p: f.metric == "recall",
        lambda _f, _p: {"metric": "accuracy"},
    ),
    "a metric is unknown": (lambda _f, _p: True, lambda _f, _p: {"metric": "luck"}),
    "a slice is another": (lambda _f, _p: True, lambda f, _p: {"slice": f.slice + "x"}),
    "a rule is none": (lambda _f, _p: True, lambda _f, p: {"rule": len(p.rules) + 1}),
    "a block is a warning": (
        lambda f, _p: f.severity == "block",
        lambda _f, _p: {"severity": "warn"},
    ),
    "proven is called point": (
        lambda f, _p: f.evidence == "proven",
        lambda _f, _p: {"evidence": "point"},
    ),
    "a pass is about no rows": (
        lambda f, _p: f.status == "pass" and not operational(f),
        lambda _f, _p: {"n": 0},
    ),
    "harm is not adjusted": (
        lambda f, _p: f.p_harm_adjusted is not None and f.p_harm_adjusted > f.p_harm + 1e-9,  # type: ignore[operator]  # both given
        lambda f, _p: {"p_harm_adjusted": f.p_harm},
    ),
    "harm is adjusted to none": (
        lambda f, _p: f.p_harm_adjusted is not None,
        lambda _f, _p: {"p_harm_adjusted": None},
    ),
    "harm that was not tested is adjusted": (
        lambda f, _p: f.p_harm_adjusted is None,
        lambda _f, _p: {"p_harm_adjusted": 1.0},
    ),
}
"""What may go wrong with one finding: on which ones, and the fields it changes."""


def clear(finding: Finding) -> bool:
    """Whether a point pass is not just at its limit, where a float cannot tell the sides apart."""
    moved = finding.check not in LEVELS and finding.limit_kind == "absolute"
    if finding.check == "max_ratio" or finding.candidate is None:
        return False
    if moved:
        return abs(abs(finding.difference or 0.0) - finding.limit) > 1e-6
    return finding.check in LEVELS and abs(finding.candidate - finding.limit) > 1e-6


def inside(finding: Finding) -> bool:
    """Whether ``beyond`` is really outside: limits that nothing can miss are left alone."""
    if finding.check == BEATS_CONSTANT:
        return False  # it is about the baseline
    if finding.check in LEVELS:
        return 0 < finding.limit < 1
    if finding.check == "max_ratio":
        return bool(finding.baseline) and finding.limit < 3
    if finding.check == "max_gain":
        return (
            (finding.baseline or 0.0) > 0.5
            and finding.limit_kind == "absolute"
            and (finding.limit < 0.5)
        )
    return (finding.baseline or 0.0) > 0.5 and finding.limit_kind != "error_ratio"


def shifted(finding: Finding, candidate: float) -> float | None:
    return None if finding.baseline is None else candidate - finding.baseline


def one_changed(kind: str, judged: Judged, draw: np.random.Generator) -> Verdict | None:
    policy, verdict = judged
    fits, change = ONE[kind]
    places = [i for i, f in enumerate(verdict.findings) if fits(f, policy)]
    if not places:
        return None
    place = int(draw.choice(places))
    findings = list(verdict.findings)
    findings[place] = replace(findings[place], **change(findings[place], policy))
    return replace(verdict, findings=tuple(findings))


def dropped(_policy: Policy, verdict: Verdict, draw: np.random.Generator) -> Verdict:
    place = draw.integers(len(verdict.findings))
    return replace(verdict, findings=(*verdict.findings[:place], *verdict.findings[place + 1 :]))


def doubled(_policy: Policy, verdict: Verdict, draw: np.random.Generator) -> Verdict:
    place = draw.integers(len(verdict.findings))
    return replace(verdict, findings=(*verdict.findings, verdict.findings[place]))


def one_for_another(_policy: Policy, verdict: Verdict, draw: np.random.Generator) -> Verdict | None:
    if len(verdict.findings) < 2:
        return None
    first, second = draw.choice(len(verdict.findings), 2, replace=False)
    findings = list(verdict.findings)
    findings[first] = findings[second]
    return replace(verdict, findings=tuple(findings))


def nothing_found(_policy: Policy, verdict: Verdict, _draw: np.random.Generator) -> Verdict:
    return replace(verdict, findings=())


def other_outcome(_policy: Policy, verdict: Verdict, draw: np.random.Generator) -> Verdict:
    others = [o for o in ("approve", "reject", "inconclusive") if o != verdict.outcome]
    return replace(verdict, outcome=others[draw.integers(2)])  # type: ignore[arg-type]  # one of the three


def emptied_slice(
    policy: Policy, verdict: Verdict, draw: np.random.Generator, *, rows: int = 0
) -> Verdict | None:
    """The rows of a slice on which something passed turn out to be too few."""
    names = {f.slice for f in verdict.findings if f.status == "pass" and not operational(f)}
    if not names:
        return None
    name = draw.choice(sorted(names))
    small = [
        replace(s, rows=rows, positives=0, cells=(rows, *(0,) * 7)) if s.name == name else s
        for s in verdict.slices
    ]
    return replace(verdict, slices=tuple(small))


def too_small_slice(policy: Policy, verdict: Verdict, draw: np.random.Generator) -> Verdict | None:
    return emptied_slice(policy, verdict, draw, rows=policy.evidence.minimum.rows - 1)


def forgotten_slice(_policy: Policy, verdict: Verdict, draw: np.random.Generator) -> Verdict | None:
    """A declared slice is gone without a trace, with all that was found on it."""
    names = [s.name for s in verdict.slices[1:] if s.declared]
    name = names[draw.integers(len(names))]
    return replace(
        verdict,
        slices=tuple(s for s in verdict.slices if s.name != name),
        findings=tuple(f for f in verdict.findings if f.slice != name) or verdict.findings,
    )


def undeclared_slice(
    _policy: Policy, verdict: Verdict, draw: np.random.Generator
) -> Verdict | None:
    """An absent slice is not held against the verdict, because it counts as undeclared."""
    names = [s.name for s in verdict.slices[1:] if s.declared]
    name = names[draw.integers(len(names))]
    slices = [replace(s, declared=s.declared and s.name != name) for s in verdict.slices]
    return replace(verdict, slices=tuple(slices))


WHOLE = {
    "a finding is dropped": dropped,
    "a finding is there twice": doubled,
    "a finding stands for another": one_for_another,
    "nothing was found": nothing_found,
    "the outcome is another": other_outcome,
    "a slice that passes is empty": emptied_slice,
    "a slice that passes is too small": too_small_slice,
    "a declared slice is forgotten": forgotten_slice,
    "a declared slice counts as undeclared": undeclared_slice,
}
"""What may go wrong with a verdict as a whole; None where it cannot."""


def mutated(kind: str, judged: Judged, seed: int) -> Verdict | None:
    draw = np.random.default_rng(seed)
    if kind in ONE:
        return one_changed(kind, judged, draw)
    changed: Verdict | None = WHOLE[kind](*judged, draw)
    return changed
