"""``prunegate audit page``: what a person reads of the log, and what makes no page."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from prunegate import cli
from prunegate.audit import history_read
from prunegate.audit.approvals.sign_off import RestsOn
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.history import Spell, Terms
from prunegate.audit.history_read import ReadHistory, read_history
from prunegate.audit.log.pending import add_pending
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.ssh_signature import fingerprint, key_blob
from prunegate.errors import EvidenceError
from prunegate.policy.approvals import Approvals, Required
from prunegate.report.trail_parts import Event
from prunegate.report.trail_render import render_trail
from prunegate.report.trail_view import trail_view

GOLDEN = Path(__file__).parents[1] / "golden" / "trail.html"


@pytest.fixture(scope="module")
def trails() -> ModuleType:
    """The fixed folder; test folders are no packages, so by its path."""
    name = "prunegate_test_trails"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("trails.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="module")
def audit(trails: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: Path = trails.whole_trail(tmp_path_factory.mktemp("trail"))
    return found


@pytest.fixture(scope="module")
def read(audit: Path, trails: ModuleType) -> ReadHistory:
    """The history of the fixed folder, as if its two records were at hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_read, "_terms", lambda *_: trails.terms().items())
        return read_history(audit, trails.NOW)


def run(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["prunegate", "audit", "page", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_the_page_is_the_golden_one(read: ReadHistory) -> None:
    page = render_trail(read)
    if os.environ.get("PRUNEGATE_UPDATE_GOLDEN"):
        GOLDEN.write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8")


def test_what_was_in_force_when_and_why_it_ended(read: ReadHistory, trails: ModuleType) -> None:
    (brand,) = [one for one in read.history.chapters if one.policy == "brand-safety"]
    two, three = brand.spells
    assert (two.since, two.until, two.ended) == (trails.day(7), trails.day(42), "superseded")
    assert [(one.person, one.attested) for one in two.counted] == [
        ("ann@client.example", False),
        ("Olu Owner", True),
    ]
    assert (three.since, three.ended) == (trails.day(42), "approvals")
    assert three.until is not None
    assert three.until > trails.NOW, "her approval ends with the year"
    assert brand.in_force(trails.NOW) is three
    assert brand.in_force(trails.day(6)) is None, "the owner had not spoken yet"
    assert brand.in_force(trails.day(41)) is two
    bars = {one.record: one.bar for one in brand.decided}
    assert bars == {
        trails.sha("record one"): "same",
        trails.sha("record two"): "same",
        trails.sha("record three"): "other",
    }


def test_who_signed_twice_is_one_person_on_the_page(read: ReadHistory) -> None:
    (brand,) = [one for one in read.history.chapters if one.policy == "brand-safety"]
    shown = [held.whose for one in trail_view(read).chapters for held in one.held]
    twice = tuple(
        replace(s, counted=(*s.counted, *(replace(c, person=c.person.upper()) for c in s.counted)))
        for s in brand.spells
    )
    chapters = tuple(replace(c, spells=twice) if c is brand else c for c in read.history.chapters)
    again = replace(read, history=replace(read.history, chapters=chapters))
    found = [held.whose for one in trail_view(again).chapters for held in one.held]
    assert [len(whose) for whose in found] == [len(whose) for whose in shown]


def test_a_revoked_key_ends_what_it_carried(trails: ModuleType, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    trails.enrol(audit, "ann@client.example", "client", trails.ANN, trails.day(0))
    trails.enrol(audit, "gate@agency.example", "gate", trails.GATE, trails.day(0))
    trails.decide(audit, "two", "approve", trails.day(5))
    trails.say(audit, "two", "approve", trails.day(6))
    trails.attest(audit, "two", trails.day(7))
    trails.revoke(audit, trails.ANN, trails.day(9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_read, "_terms", lambda *_: trails.terms().items())
        found = read_history(audit, trails.NOW)
    (spell,) = found.history.chapters[0].spells
    assert (spell.since, spell.until) == (trails.day(7), trails.day(9))
    assert (spell.ended, spell.passed_over) == ("approvals", ("revoked",))
    assert "There is no log" in render_trail(found)


class Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets += [value for name, value in attrs if name == "href"]


def test_hostile_names_do_nothing(read: ReadHistory) -> None:
    page = render_trail(read)
    tags = Tags()
    tags.feed(page)
    assert not {"script", "template", "img", "link", "iframe", "form", "a"} & tags.seen
    assert not any(name.startswith("on") or name == "src" for name in tags.attributes)
    assert all(target and target.startswith("#mark-") for target in tags.targets)
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7*7 }}" in page, "shown, not worked out"


def test_kinds_that_came_later_are_shown_as_they_are(read: ReadHistory) -> None:
    view = trail_view(read)
    (other,) = view.rest
    assert other.title == "An entry of the kind urn:prunegate:surprise:v1"
    assert ("deep a b", "1, 2") in [(fact.name, fact.value) for fact in other.facts]


def facts_of(event: Event) -> dict[str, str]:
    return {fact.name: fact.value for fact in event.facts}


def test_a_waiver_says_who_signed_for_whom_and_whether_it_had_ended(read: ReadHistory) -> None:
    brand = next(one for one in trail_view(read).chapters if one.policy == "brand-safety")
    ended, revoked, held = [one for one in brand.events if one.title.startswith("A waiver")]
    assert (held.title, held.status) == ("A waiver", "waived")
    assert held.text == "Reason given: relabelled in June"
    said = facts_of(held)
    assert said["Finding"] == "recall max_drop on content_type=video"
    assert said["Approved and signed by"] == "bob@client.example, Client"
    assert (said["Asked for by"], said["Owner"]) == ("Lee, agency", "Kim")
    assert said["Until"].startswith("31 Dec 2026, 00:00 UTC: had not ended")
    assert ended.title == "A waiver that has expired"
    assert facts_of(ended)["Until"].startswith("31 Jul 2026, 00:00 UTC: expired")
    assert revoked.title == "A waiver that does not count"
    assert facts_of(revoked)["Does not count"] == "its key was revoked"
    rests = {
        one.where: facts_of(one)["Rests on"] for one in brand.events if "Rests on" in facts_of(one)
    }
    (decision,) = rests
    assert decision.startswith("entry ")
    assert rests[decision] == f"1 waived finding ({held.where})"


def test_a_waiver_whose_signature_does_not_hold_makes_no_page(
    trails: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = tmp_path / "audit"
    trails.begin_log(audit, "agency.example/new", trails.LOG_KEY)
    trails.enrol(audit, "bob@client.example", "client", trails.BOB, trails.day(0))
    trails.decide(audit, "three", "reject", trails.day(1))
    trails.waive(audit, "three", trails.day(2), signed="something else")
    out = tmp_path / "trail.html"
    assert run("-o", str(out), "--audit", str(audit)) == 6
    assert "(waiver)" in capsys.readouterr().err
    assert not out.exists()


def test_a_revoked_waiver_ends_what_rests_on_it(trails: ModuleType, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    trails.decide(audit, "two", "approve", trails.day(5), waivers=[trails.sha("gone")])
    trails.revoke(audit, trails.BOB, trails.day(9))
    key = fingerprint(key_blob(trails.BOB.public_key()))
    rests = RestsOn(approver="bob", key=key, expires=trails.day(20))
    terms = {trails.sha("record two"): Terms(approvals=None, waivers=(rests,))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_read, "_terms", lambda *_: terms.items())
        found = read_history(audit, trails.NOW)
    (spell,) = found.history.chapters[0].spells
    assert (spell.since, spell.until, spell.ended) == (trails.day(5), trails.day(9), "waivers")
    page = render_trail(found)
    assert "1 waived finding (a waiver that is not in this folder)" in page
    assert "a waiver that it rested on no longer counted" in page


def test_a_decision_without_its_record_is_never_in_force(audit: Path, trails: ModuleType) -> None:
    found = read_history(audit, trails.NOW)
    assert found.gone == 4
    assert all(not chapter.spells for chapter in found.history.chapters)
    assert "4 decisions without a record in the folder" in render_trail(found)


def test_an_empty_log_says_that_there_is_no_decision_yet(
    trails: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = tmp_path / "audit"
    trails.begin_log(audit, "agency.example/new", trails.LOG_KEY)
    out = tmp_path / "trail.html"
    assert run("-o", str(out), "--audit", str(audit)) == 0
    assert "There is no decision yet in this audit trail." in out.read_text(encoding="utf-8")
    before = out.read_bytes()
    assert run("-o", str(out), "--audit", str(audit)) == 2
    assert "add --force" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert run("-o", str(out), "--audit", str(audit), "--force", "-q") == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["trail.html"]
    assert run("-o", str(tmp_path / "x.html"), "--audit", str(tmp_path / "none")) == 2


def test_a_log_that_does_not_verify_makes_no_page(
    trails: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = trails.whole_trail(tmp_path)
    bundle = next((audit / "tile" / "entries").rglob("000.p/*"))
    content = bytearray(bundle.read_bytes())
    content[200] ^= 1
    bundle.write_bytes(content)
    out = tmp_path / "trail.html"
    assert run("-o", str(out), "--audit", str(audit)) == 6
    assert "entry 0" in capsys.readouterr().err
    assert not out.exists()


POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
revalidate: {after_days: 30}
"""


@pytest.mark.slow
def test_a_real_verdict_is_in_force_for_its_term_and_a_changed_record_makes_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    Path("p.yaml").write_text(POLICY, encoding="utf-8")
    rows = [f"u{i},unsafe,0.9,0.8\ns{i},safe,0.1,0.2" for i in range(400)]
    Path("t.csv").write_text("\n".join(("id,label,baseline,candidate", *rows)), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["prunegate", "gate", "p.yaml", "--predictions", "t.csv", "-q"])
    with pytest.raises(SystemExit):
        cli.main()
    assert run("-o", "trail.html", "-q") == 0
    page = Path("trail.html").read_text(encoding="utf-8")
    other = Path(shutil.copytree("audit", "other"))
    (entry,) = (other / "pending").iterdir()
    statement = json.loads(base64.b64decode(json.loads(entry.read_bytes())["payload"]))
    statement["predicate"]["outcome"] = "reject"
    entry.unlink()
    add_pending(sign_envelope(canonical_bytes(statement), []), other)
    assert run("-o", "other.html", "--audit", "other") == 6
    assert "says another outcome than its record" in capsys.readouterr().err
    assert "the verdict alone: its policy asks for no approval" in page
    assert "Until 14 Dec 2023, 00:00 UTC: then its term is over" in page
    assert "1 record: each has the digest that its decision names" in page
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    assert run("-o", "later.html", "-q") == 0
    assert "its term was over: it had to be judged anew" in Path("later.html").read_text()
    kept = Path("audit/evidence").iterdir()
    (record,) = [path for path in kept if path.read_bytes().startswith(b'{"allowed_losses"')]
    record.write_bytes(record.read_bytes().replace(b'"seed":null', b'"seed":7'))
    assert run("-o", "changed.html") == 6
    assert "its sha256 is not its name" in capsys.readouterr().err
    assert not Path("changed.html").exists()


def test_what_a_signer_saw_of_the_log_is_checked_too(trails: ModuleType, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    trails.begin_log(audit, "agency.example/new", trails.LOG_KEY)
    trails.decide(audit, "two", "approve", trails.day(1))
    trails.sealed(audit, trails.day(2))
    trails.say(audit, "two", "approve", trails.day(3))
    (seen,) = read_history(audit, trails.NOW).seen.values()
    assert (seen.size, seen.cosigned) == (1, True)
    trails.say(audit, "two", "discuss", trails.day(4), witness=trails.BOB)
    with pytest.raises(EvidenceError, match="not the one that its signer saw and cosigned"):
        read_history(audit, trails.NOW)
    for path in (audit / "pending").iterdir():
        path.unlink()
    other = tmp_path / "other"
    trails.begin_log(other, "agency.example/new", trails.LOG_KEY)
    trails.decide(other, "three", "reject", trails.day(1))
    trails.sealed(other, trails.day(2))
    trails.say(other, "two", "approve", trails.day(3))
    (said,) = (other / "pending").iterdir()
    (audit / "pending" / said.name).write_bytes(said.read_bytes())
    with pytest.raises(EvidenceError, match="are not those that its signer saw"):
        read_history(audit, trails.NOW)


def test_a_decision_that_nobody_of_us_wrote_is_named(trails: ModuleType, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    trails.put(audit, "decision", {"x": trails.sha("x")}, trails.day(1), outcome="approve")
    with pytest.raises(EvidenceError, match="the decision: it does not say what prunegate writes"):
        read_history(audit, trails.NOW)


def spells_of(
    trails: ModuleType, audit: Path, terms: Terms, name: str = "two"
) -> tuple[Spell, ...]:
    """When a candidate was in force, by the terms of its record."""
    known = {trails.sha("record two"): terms}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_read, "_terms", lambda *_: known.items())
        found = read_history(audit, trails.NOW)
    return found.history.chapters[0].spells


def test_in_force_without_an_end_until_approvals_are_too_old_or_somebody_says_no(
    trails: ModuleType, tmp_path: Path
) -> None:
    audit = tmp_path / "audit"
    trails.enrol(audit, "ann@client.example", "client", trails.ANN, trails.day(0))
    trails.decide(audit, "two", "approve", trails.day(5))
    trails.say(audit, "two", "approve", trails.day(6))
    asked = Approvals(required=(Required(role="client"),))
    (spell,) = spells_of(trails, audit, Terms(approvals=asked))
    assert (spell.since, spell.until, spell.ended) == (trails.day(6), None, None)
    aged = asked.model_copy(update={"max_age_days": 30})
    (spell,) = spells_of(trails, audit, Terms(approvals=aged))
    assert (spell.until, spell.ended) == (trails.day(36), "approvals")
    assert spell.passed_over == ("too_old",)
    trails.say(audit, "two", "reject", trails.day(20))
    for terms in (asked, aged):
        (spell,) = spells_of(trails, audit, Terms(approvals=terms))
        assert (spell.until, spell.ended) == (trails.day(20), "rejected")


def test_a_decision_that_nobody_counted_has_no_bar(trails: ModuleType, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    subjects = {"record.json": trails.sha("r"), "policy": trails.sha("p")}
    said = {"record": trails.sha("r"), "outcome": "reject", "statement": "No.", "attempt": None}
    trails.put(audit, "decision", subjects, trails.day(1), policy={"name": "x"}, **said)
    (chapter,) = read_history(audit, trails.NOW).history.chapters
    assert [(one.bar, one.bar_entry) for one in chapter.decided] == [("none", None)]


def test_a_signer_who_cannot_cosign_saw_the_log_all_the_same(
    trails: ModuleType, tmp_path: Path
) -> None:
    audit = tmp_path / "audit"
    trails.begin_log(audit, "agency.example/new", trails.LOG_KEY)
    trails.decide(audit, "two", "approve", trails.day(1))
    trails.sealed(audit, trails.day(2))
    trails.say(audit, "two", "approve", trails.day(3), cosigns=False)
    (seen,) = read_history(audit, trails.NOW).seen.values()
    assert (seen.size, seen.cosigned) == (1, False)
