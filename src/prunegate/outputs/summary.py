"""summary.md: the decision for a merge request, short enough to be read there.

One line says how it stands; what failed or is open follows, at most 20 rows; then a line of money
and one of claims, what a reader should be warned of, and how sure all this is. A hidden marker in
the first line lets a bot keep one comment up to date. Whatever a record holds, the page stays under
60,000 characters, because GitHub refuses comments above 65,536.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from prunegate.audit.record import DecisionRecord
from prunegate.outputs.markdown import code, prose
from prunegate.outputs.nothing_judged import marker
from prunegate.outputs.short_words import ShortWords, Standing, urgent
from prunegate.report.headline import saving
from prunegate.report.own_threshold import in_english
from prunegate.report.page_one.standing import is_tested
from prunegate.report.partly_labelled import labels_in_words
from prunegate.report.production_told import production_lines
from prunegate.report.signers import signers
from prunegate.report.speech import speech
from prunegate.report.units import CLAIMS
from prunegate.report.warnings import warnings
from prunegate.text import numbers
from prunegate.text.escape import shorten
from prunegate.text.languages import ENGLISH
from prunegate.text.money import money
from prunegate.text.numbers import plain, upper_bound_share
from prunegate.text.time import moment, short_code
from prunegate.verdict.finding import Finding, Guarantee

LARGEST = 60_000
"""Characters of a summary."""
ROWS = 20
"""Findings that have a row; findings.csv has all."""
_WARNINGS = 3
_LONGEST = 240
"""Characters of one warning."""
_SIGNS = {"approve": "✅", "reject": "❌", "inconclusive": "⚠️"}
_MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "❔", "waived": "🚫"}
_SIGNED = re.compile(r"[−+≤≥] ?[\w$€£.,%/ ]+")
_HEAD = "| | slice | metric | before → after | limit | to do |\n|---|---|---|---|---|---|"


def render_summary(record: DecisionRecord, digest: str) -> str:
    """The record as Markdown for a merge request.

    Args:
        record: the decision.
        digest: sha256 of the record's canonical bytes, in hexadecimal.
    """
    words = ShortWords.for_people(record)
    shown = urgent(record.findings)
    blocks = [
        f"{marker(record.policy.name)}\n{_status(record, words, shown)}",
        *_threshold(record),
        *_table(words, shown),
        *_facts(record),
        *_warned(record),
        f"Report {code(short_code(digest))}, record {code(digest)}, {moment(record.created)}.",
    ]
    return "\n\n".join(blocks) + "\n"


def _status(record: DecisionRecord, words: ShortWords, shown: Sequence[Finding]) -> str:
    """``❌ **REJECT** `name`: recall on video −7.0 points (limit −2) · 3 open · 9 hold · ⚠ 0``."""
    standing = Standing.of(record)
    parts = []
    failed = [f for f in shown if f.severity == "block" and f.status == "fail"]
    if failed:
        parts = [_first(words, failed[0])]
        parts += [f"{standing.broken - 1} more broken"] if standing.broken > 1 else []
    elif record.outcome != "approve" and not standing.open:
        parts = [prose(shorten(reason, _LONGEST)) for reason in record.reasons[:1]]
    parts += [f"{standing.open} open", f"{standing.hold} hold"]
    parts += [f"{standing.waived} waived"] if standing.waived else []
    parts.append(f"⚠ {standing.warned}")
    head = f"{_SIGNS[record.outcome]} **{record.outcome.upper()}** {code(record.policy.name)}"
    line = f"{head}: {' · '.join(parts)}"
    asked = signers(record) if record.outcome == "approve" else ()
    if asked:
        line += f"\n\nBefore it ships: signed by {prose(', '.join(one.words for one in asked))}."
    return line


def _threshold(record: DecisionRecord) -> Iterator[str]:
    """What the candidate has to be shipped with, where that is another threshold."""
    told = in_english(record)
    if told:
        yield prose(told)


def _first(words: ShortWords, finding: Finding) -> str:
    if finding.check == CLAIMS:
        return prose(words.line(finding))
    size = words.difference(finding)
    share = words.units.change_in_words(finding.metric, finding.difference) if size else ""
    value = share or words.change(finding)
    where = "" if finding.slice == "overall" else f" on {code(words.slice(finding.slice))}"
    return f"{prose(words.metric(finding))}{where} {prose(value)} (limit {_limit(words, finding)})"


def _table(words: ShortWords, shown: Sequence[Finding]) -> list[str]:
    if not shown:
        return []
    rows = "\n".join(_row(words, finding) for finding in shown[:ROWS])
    more = len(shown) - ROWS
    return [f"{_HEAD}\n{rows}", *([f"{more:,} more: findings.csv"] if more > 0 else [])]


def _row(words: ShortWords, finding: Finding) -> str:
    warn = " ⚠" if finding.severity == "warn" else ""
    change, size = words.change(finding), words.difference(finding)
    cells = (
        f"{_MARKS[finding.status]}{warn}",
        code(words.slice(finding.slice)),
        prose(words.metric(finding)),
        prose(f"{change} ({size})" if size else change),
        _limit(words, finding),
        prose(words.to_do(finding).replace("~", "about ")),
    )
    return f"| {' | '.join(cells)} |"


def _limit(words: ShortWords, finding: Finding) -> str:
    """The limit; a sign before a number is our own."""
    shown = plain(words.limit(finding))
    return shown if _SIGNED.fullmatch(shown) else prose(shown)


def _facts(record: DecisionRecord) -> Iterator[str]:
    """A line of money, one of claims, one of the guarantee, where there are such."""
    lines = [
        *_labels(record),
        *_production(record),
        *_money(record),
        *_claims(record),
        *_guaranteed(record),
    ]
    if lines:
        yield "  \n".join(lines)


def _labels(record: DecisionRecord) -> Iterator[str]:
    """How many rows are labelled, where not all are."""
    told = labels_in_words(record, speech(ENGLISH))
    if told:
        yield prose(f"{told}.")


def _production(record: DecisionRecord) -> Iterator[str]:
    """What production's mix makes of the figures, in one line."""
    told = production_lines(record, speech(ENGLISH))
    if told:
        yield prose(plain(" ".join((told[0], "; ".join(told[1:]))).strip()))


def _money(record: DecisionRecord) -> Iterator[str]:
    cost = record.cost
    if cost is None:
        return
    before: str | None
    after: str | None
    if cost.months:
        last = cost.months[-1]
        before, after = last.baseline, last.candidate
        per = f"a month at {numbers.count(last.volume)} inferences"
    else:
        before, after = cost.cost_per_1k_baseline, cost.cost_per_1k_candidate
        per = "for 1,000 inferences"
    if before is None and after is None:
        return
    would = "" if record.outcome == "approve" else "; not realised"
    amounts = f"{money(before, cost.currency)} → {money(after, cost.currency)}"
    yield f"Cost: {prose(f'{amounts} {per} ({saving(before, after)}{would})')}"


def _claims(record: DecisionRecord) -> Iterator[str]:
    if record.claims is None:
        return
    wrong = record.claims.contradictions
    right = sum(check.status == "right" for check in record.claims.checks)
    others = len(record.claims.checks) - right - len(wrong)
    counted = f"{len(wrong)} wrong, {right} right, {others} not checked"
    named = f": {prose(shorten(f'{wrong[0].figure}: {wrong[0].sum}', _LONGEST))}" if wrong else ""
    yield f"Stated figures: {counted}{named}"


def _guaranteed(record: DecisionRecord) -> Iterator[str]:
    """How sure the tests are; or that nothing was tested."""
    found = record.guarantee
    if not is_tested(record):
        if record.outcome == "inconclusive":
            return
        yield "Error rate: none, because nothing was tested: what was seen decides as it is."
        return
    if found is None:
        return
    about = "at most" if found.exact else "about"
    sure = f"{about} {upper_bound_share(found.alpha, digits=3)} of candidates worse than a limit"
    attempt = record.attempt
    which = f", attempt {attempt.number:,}" if attempt and attempt.number > 1 else ""
    yield prose(f"Error rate: {sure} pass{which}{left_out(record, found)}.")


def left_out(record: DecisionRecord, guarantee: Guarantee) -> str:
    """What a record's guarantee does not cover, in few words."""
    waived = any(f.status == "waived" for f in record.findings)
    kinds = ", ".join([*guarantee.leaves_out, *(["waived limits"] if waived else [])])
    return f"; not covered: {kinds}" if kinds else ""


def _warned(record: DecisionRecord) -> Iterator[str]:
    found = warnings(record, others=_WARNINGS, losses=0)
    lines = [f"- ⚠ {prose(shorten(text, _LONGEST))}" for text in found.others]
    if found.more_others:
        lines.append(f"- and {len(found.more_others):,} more, in the report")
    if found.more_losses:
        noun = "loss" if len(found.more_losses) == 1 else "losses"
        lines.append(f"- {len(found.more_losses):,} real {noun} within limits, in the report")
    if lines:
        yield "\n".join(lines)
