"""The data contract: what labelled data must be before any model is loaded.

The profile (counts per split and slice) is taken by ``profile.py``, judged by Great Expectations
(``expectations.py``), and told here: every broken clause at once, in plain words, with what to do.
A clause is broken by what is absent, too; there is no way to pass by having no data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prunegate.data.contract.counts import Count
from prunegate.data.contract.expectations import CountLimit, judge_counts_limits
from prunegate.data.contract.expected import JudgedExpectations, MetExpectation
from prunegate.data.contract.mix import mix_count, mix_warning
from prunegate.data.contract.profile import gate_mix, profile
from prunegate.data.labelled.overlap import repeated_content
from prunegate.data.labelled.rows import LabelledRows, in_split
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.lookalikes import hints_of_lookalikes
from prunegate.data.predictions.many_values import MOST, KeyValues, hints, key_values
from prunegate.errors import ContractError, InternalError, TooFewRowsError
from prunegate.policy.schema import Policy, SliceSpec
from prunegate.text.nouns import one_of


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One thing that the data must be."""

    name: str
    """For example ``gate.content_type=video.rows``."""
    words: str
    """What is counted, for people."""
    observed: float | None
    """The count, a distance or another number; None where there is none."""
    expected: str
    """For example ``at least 300`` or ``none``."""
    holds: bool
    advice: str
    """What to do where it does not hold."""
    examples: tuple[str, ...] = ()
    """Some of what was counted, for a broken clause."""
    evidence: bool = False
    """Whether it asks for enough evidence alone; broken it makes a verdict inconclusive."""


@dataclass(frozen=True, kw_only=True)
class ContractReport:
    """Every clause, whether it holds or not."""

    holds: bool
    """All clauses hold, and there is at least one."""
    clauses: tuple[Clause, ...]
    warnings: tuple[str, ...] = ()
    """What is allowed and still worth knowing."""
    expected: JudgedExpectations | None = None
    """What Great Expectations said of the user's own expectations; None: there are none."""

    @property
    def lacks_evidence(self) -> bool:
        """Whether nothing is broken but that slices have too few rows."""
        broken = [clause for clause in self.clauses if not clause.holds]
        return bool(broken) and all(clause.evidence for clause in broken)

    @property
    def broken(self) -> tuple[str, ...]:
        """Every clause that does not hold, a line each."""
        return tuple(_line(clause) for clause in self.clauses if not clause.holds)

    def require(self) -> None:
        """Pass if the contract holds.

        Raises:
            TooFewRowsError: nothing is broken but that slices have too few rows.
            ContractError: something else is; both list every broken clause.
        """
        if self.holds:
            return
        broken = self.broken
        verb = "is" if len(broken) == 1 else "are"
        lines = "\n".join(broken)
        kind = TooFewRowsError if self.lacks_evidence else ContractError
        raise kind(
            f"{len(broken)} of {len(self.clauses)} clauses {verb} broken in the data contract; no "
            f"model was loaded:\n{lines}"
        )


def check_contract(rows: LabelledRows, policy: Policy, hashes: Sequence[str]) -> ContractReport:
    """Judge labelled rows against the data contract that the policy implies.

    Args:
        rows: As ``labelled_table.read_rows`` returns them.
        policy: Names slices, steps (hence splits), and the minimum evidence.
        hashes: sha256 of each row's content, in the rows' order.

    Raises:
        InternalError: Great Expectations failed, dropped an expectation or contradicted us.
    """
    if len(hashes) != len(rows):
        raise InternalError(f"{len(rows)} rows came with {len(hashes)} hashes")
    judged = policy.model_copy(update={"slices": _by_values(policy)})
    lines = _gate_values(rows, judged)
    many = tuple(_too_many(found) for found in key_values(judged, lines) if found.number > MOST)
    repeated = repeated_content(rows, hashes)
    noun = one_of(rows.reads)
    warning = f"{repeated} {noun}(s) repeat the content of another {noun} of the same split"
    far = mix_warning(policy, gate_mix(rows, policy)) if policy.data.tolerance is None else None
    told = (
        *((warning,) if repeated else ()),
        *hints(judged, lines),
        *hints_of_lookalikes(judged, lines),
        *((far,) if far else ()),
    )
    return report_of(profile(rows, policy, hashes), told, many)


def report_of(
    counts: Sequence[Count], warnings: Sequence[str] = (), broken: Sequence[Clause] = ()
) -> ContractReport:
    """What Great Expectations says of counts: a clause for each, and those broken already.

    Raises:
        InternalError: it failed, dropped an expectation or contradicted us.
    """
    verdicts = judge_counts_limits([_limit(count) for count in counts])
    clauses = (*map(_clause, counts, verdicts), *broken)
    return ContractReport(
        holds=bool(clauses) and all(verdicts) and not broken,
        clauses=clauses,
        warnings=tuple(warnings),
    )


def _by_values(policy: Policy) -> tuple[SliceSpec, ...]:
    """The slicings by values as they stand, none of them put into intervals."""
    return tuple(one for one in policy.slices if not policy.intervals.keys() & set(one.keys))


def _gate_values(rows: LabelledRows, policy: Policy) -> list[dict[str, str | None]]:
    """Every combination of slicing values that the rows to be judged on have."""
    columns = [rows.columns[key] for key in policy.keys]
    chosen = zip(in_split(rows, "gate"), *columns, strict=True)
    found = dict.fromkeys(tuple(values) for there, *values in chosen if there)
    return [dict(zip(policy.keys, values, strict=True)) for values in found]


def _too_many(found: KeyValues) -> Clause:
    return Clause(
        name="slices.values",
        words=f"values of {found.said} in the gate split",
        observed=found.number,
        expected=f"at most {MOST:,}",
        holds=False,
        advice=found.advice,
    )


def require_mix(policy: Policy, rows: Mapping[str, int]) -> None:
    """Refuse rows whose mix is further from production's than the policy's tolerance.

    Args:
        policy: the policy.
        rows: by the value of the mix's key.

    Raises:
        ContractError: they are.
    """
    count = mix_count(policy, rows)
    if count is not None:
        report_of((count,)).require()


def with_expectations(report: ContractReport, judged: JudgedExpectations) -> ContractReport:
    """A report with a clause for each of the user's own expectations.

    Args:
        report: on what the policy implies.
        judged: what became of the expectations.
    """
    clauses = [_expected_clause(place, one) for place, one in enumerate(judged.expectations)]
    return replace(
        report,
        holds=report.holds and judged.holds,
        clauses=(*report.clauses, *clauses),
        expected=judged,
    )


def _expected_clause(place: int, one: MetExpectation) -> Clause:
    about = f" of {', '.join(map(shown, one.columns))}" if one.columns else ""
    by_row = one.unexpected is not None
    mostly = one.arguments.get("mostly", 1.0)
    looked = "" if one.rows else "; there was no value to look at"
    return Clause(
        name=f"expect.{place}.{one.name}",
        words=f"{'rows that break ' if by_row else ''}{one.name}{about}",
        observed=one.unexpected if by_row else one.observed,
        expected=(
            f"at most {round(100 * (1 - mostly), 6):g} % of {one.rows:,} rows{looked}"
            if by_row and mostly < 1
            else (f"none of {one.rows:,} rows{looked}" if by_row else _ranged(one) + looked)
        ),
        holds=one.holds,
        advice="correct the data, or 'data: expect:' in the policy",
        examples=() if one.holds else tuple(map(shown, one.examples)),
    )


def _ranged(one: MetExpectation) -> str:
    """What a whole column was expected to be, in the arguments' own words."""
    given = {
        name: value
        for name, value in one.arguments.items()
        if value is not None and value is not False and not name.startswith("column")
    }
    return ", ".join(f"{name} {shown(value)}" for name, value in given.items()) or "to be met"


def require_expected(judged: JudgedExpectations) -> None:
    """Refuse a table that does not meet the user's own expectations.

    Raises:
        ContractError: listing those that it does not meet.
    """
    nothing = ContractReport(holds=True, clauses=())
    with_expectations(nothing, judged).require()


def _limit(count: Count) -> CountLimit:
    if count.at_least is None:
        return CountLimit(value=count.value, at_least=0, at_most=count.at_most or 0)
    return CountLimit(value=count.value, at_least=count.at_least, at_most=math.inf)


def _clause(count: Count, holds: bool) -> Clause:
    return Clause(
        name=count.name,
        words=count.words,
        observed=count.value,
        expected=_expected(count),
        holds=holds,
        advice=count.advice,
        examples=() if holds else count.examples,
        evidence=count.evidence,
    )


def _expected(count: Count) -> str:
    if count.at_most is not None:
        return f"at most {count.at_most:g}"
    return "none" if count.at_least is None else f"at least {count.at_least}"


def _line(clause: Clause) -> str:
    shown = f" ({', '.join(clause.examples)})" if clause.examples else ""
    observed = "none" if clause.observed is None else clause.observed
    return f"  {clause.words}: {observed}{shown}, expected {clause.expected}; {clause.advice}"
