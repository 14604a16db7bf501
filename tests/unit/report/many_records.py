"""Decision records of any number of slices and of every outcome, for the laws of the whole page."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

from prunegate.audit.read import StoredRecord
from prunegate.audit.record import DecisionRecord, Flip
from prunegate.report.page_one.answer import GivenAnswer, SignOffShown
from prunegate.verdict.finding import Finding, SliceSummary
from prunegate.verdict.waiver import Waiver

WORDS = {
    "title": "Unsafe-creative filter",
    "words": {"positive": "unsafe creatives", "items": "creatives"},
    "labels": {"content_type": {"video": "Video", "ugc": "User-generated"}},
}
ASKED = {"approvals": {"required": [{"role": "client", "count": 1}], "max_age_days": 30}}
SIGNED = SignOffShown(
    at="2026-02-05T09:00:00Z", ships=True, stopped=False, missing=(), until="2026-03-06T10:00:00Z",
    given=(
        GivenAnswer(
            person="Ann Smith", role="client", decision="approve", day="2026-02-04T10:00:00Z"
        ),
    ),
)  # fmt: skip
"""What an audit trail says of a page that was agreed to."""
_KINDS = ("video", "ugc", "story", "display", "audio")


def _name(number: int) -> str:
    key = _KINDS[number] if number < len(_KINDS) else f"kind-{number:03d}-of-some-longer-name"
    return f"content_type={key}"


def _recall(records: ModuleType, name: str, status: str, number: int) -> Finding:
    lost = {"fail": 177 - number % 90, "inconclusive": 40, "pass": 9}[status]
    found: Finding = records.change(
        rule=0, slice=name, n=2000, right=1800, lost=lost, gained=12, margin=0.02
    )
    open_ = status == "inconclusive"
    return replace(
        found, status=status, open_because="not shown" if open_ else None,
        needed=2210 + number if open_ else None, needed_unit="positives" if open_ else None,
        needed_for="power" if open_ else None,
        note=f"label about {2300} more positives" if open_ else "",
    )  # fmt: skip


def _precision(records: ModuleType, name: str) -> Finding:
    found: Finding = records.change(
        rule=2, metric="precision", slice=name, n=1900, right=1780, lost=30, gained=26, margin=0.04
    )
    return replace(found, status="pass", lost=None, gained=None)


def _summary(name: str) -> SliceSummary:
    cells = (2700, 90, 60, 150, 150, 12, 177, 1661)
    return SliceSummary(
        name=name, slicing="overall" if name == "overall" else "content_type", declared=True,
        judged=True, rows=sum(cells), positives=2000, cells=cells, lost=267, gained=72,
    )  # fmt: skip


def many(records: ModuleType, count: int, outcome: str, **policy: Any) -> DecisionRecord:
    """A record of so many slices, a third of them broken or open where the outcome says so."""
    worst = {"reject": "fail", "inconclusive": "inconclusive", "approve": "pass"}[outcome]
    names = [_name(n) for n in range(count)]
    statuses = [worst if n % 3 == 0 else "pass" for n in range(count)]
    recall = [_recall(records, name, s, n) for n, (name, s) in enumerate(zip(names, statuses))]  # noqa: B905
    whole = _recall(records, "overall", worst if outcome != "reject" else "inconclusive", 0)
    precision = [_precision(records, name) for name in ("overall", *names)]
    base = records.rejected()
    document = {**base.policy.document, "name": "filter", **WORDS, **ASKED, **policy}
    flips = tuple(
        Flip(id=f"video-{n:05d}", slices=(names[n % min(count, 14)],), label="unsafe", lost=True,
             baseline=0.99 - 0.01 * n, candidate=0.01 + 0.003 * n)
        for n in range(14)
    )  # fmt: skip
    return replace(
        base, outcome=outcome, exit_code={"approve": 0, "reject": 3, "inconclusive": 4}[outcome],
        findings=(whole, *recall, *precision), slices=tuple(map(_summary, ("overall", *names))),
        policy=replace(base.policy, name="filter", document=document), flips=flips, warnings=(),
        revalidate_on="2026-08-03", reasons=("Recall decides.",),
    )  # fmt: skip


def waived(records: ModuleType) -> DecisionRecord:
    """Approved because one finding was let pass for a time."""
    record = many(records, 5, "approve")
    found = replace(record.findings[1], status="waived")
    waiver = Waiver(
        entry="e1" * 32, rule=0, slice=found.slice, check="max_drop", class_label=None,
        without="fail", terms="t2" * 32, candidate=("b2" * 32,), reason="A shoot is under way.",
        owner="Ann", author="Ann", approver="Bob", key="SHA256:x", asked="2026-02-01T00:00:00Z",
        created="2026-02-02T00:00:00Z", expires="2026-03-01T00:00:00Z",
    )  # fmt: skip
    findings = (record.findings[0], found, *record.findings[2:])
    return replace(record, findings=findings, waivers=(waiver,))


def predictions_only(records: ModuleType) -> DecisionRecord:
    """A gate on a predictions file: no models, no cost, nothing measured, no words of its own."""
    record = many(records, 5, "approve")
    document = {k: v for k, v in record.policy.document.items() if k not in (*WORDS, *ASKED)}
    return replace(
        record, command="gate", baseline=None, candidate=None, compression=None, control=None,
        cost=None, measurements=None, revalidate_on=None, flips=(),
        policy=replace(record.policy, document=document),
    )  # fmt: skip


def fullest(
    records: ModuleType, outcome: str = "reject", language: str = "en", count: int = 300
) -> DecisionRecord:
    """As much as page one can hold: every part there is, each with its longest words."""
    record = many(records, count, outcome)
    long = "a kind of content with quite a long name of its own, longer than anybody would type"
    figures = tuple(
        records.figure(rule=3 + n, metric=metric, check="max_ratio",
                       status="fail" if outcome == "reject" else "pass",
                       baseline=41.21, candidate=38.5, limit=0.75)
        for n, metric in enumerate(("latency_p95_ms", "cost_per_1k", "model_bytes"))
    )  # fmt: skip
    busy = {"status": "inconclusive", "open_because": "unusable"}
    few = 1 if outcome == "reject" else 3  # a page of 300 broken kinds is large enough
    lost = _recall(records, _name(count - 1), "inconclusive", 0)
    warns = (
        replace(figures[0], rule=6, severity="warn", status="fail"),
        replace(figures[1], rule=7, severity="warn", **busy),
        replace(lost, rule=8, status="pass", note="", p_loss=1e-9, p_loss_adjusted=1e-6),
    )
    document = {
        **record.policy.document,
        "title": "T" + "he filter of unsafe creatives " * 10,
        "words": {"positive": "unsafe creatives of every kind " * 4, "items": "creatives " * 9},
        "labels": {"content_type": dict.fromkeys(_KINDS, long)},
        "approvals": {"required": [{"role": f"role-{n}-with-a-name"} for n in range(9)]},
        "report": {"language": language},
    }
    return replace(
        record, findings=(*record.findings, *figures, *warns[:few]),
        warnings=tuple(f"{n}: {long}; {long}." for n in range(4)),
        policy=replace(record.policy, purpose="Flag. " * 60, document=document),
        flips=tuple(replace(f, text="word " * 60) for f in record.flips),
        measurements=records.measurements(quiet=False),
    )  # fmt: skip


def stored(record: DecisionRecord, number: int) -> StoredRecord:
    """A record under a digest that is not its own, which takes long to work out."""
    return StoredRecord(record=record, content=b"", digest=f"{number:08x}" * 8)


def compared(records: ModuleType, number: int, slices: int, **policy: Any) -> list[StoredRecord]:
    """So many candidates of one policy, each a little smaller than the one before."""
    outcomes = ("reject", "approve", "inconclusive")
    made = {one: many(records, slices, one, **policy) for one in outcomes[:number]}
    return [
        stored(
            replace(
                made[outcomes[n % 3]], created=f"2026-02-{1 + n % 28:02d}T10:00:00Z",
                candidate=replace(records.rejected().candidate, digest=f"{n:04x}" * 16,
                                  model_bytes=1_538_204 - 9_000 * n),
            ),
            n + 1,
        )
        for n in range(number)
    ]  # fmt: skip
