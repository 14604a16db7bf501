"""Sign-off from the outside: a client with nothing but ssh-keygen, and all that must not pass."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate import cli
from prunegate.audit.approvals.request import SIGN
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.folder import read_checkpoint
from prunegate.audit.log.note import parse_vkey, verified_signatures
from prunegate.audit.log.seal import begin_log, seal_log
from prunegate.audit.signing.keys import generate, write_key_pair
from prunegate.audit.signing.ssh_signature import NAMESPACE
from prunegate.cli.approve import page_digest
from prunegate.errors import PrunegateError

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed (openssh-client)"
)
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
approvals: {required: [{role: client, count: 1}], distinct: [key, person], max_age_days: 30}
"""
DAY = 86_400
START = 1_700_000_000
PAGE_DIGEST = page_digest
CLIENT = "ann@client.example"
Say = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An approval by the gate, its request beside it, and a second record of other rows."""
    home = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("SOURCE_DATE_EPOCH", str(START))
        (home / "p.yaml").write_text(POLICY, encoding="utf-8")
        for name, rows in (("o", 400), ("other", 410)):
            lines = ["id,label,baseline,candidate"]
            lines += [f"u{i},unsafe,0.9,0.8\ns{i},safe,0.1,0.2" for i in range(rows)]
            (home / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
            patch.setattr("sys.argv", ["prunegate", *GATE, "--out", name])
            with pytest.raises(SystemExit) as stopped:
                cli.main()
            assert stopped.value.code == 0
    return home


GATE = ("gate", "p.yaml", "--predictions", "t.csv", "-q")


@pytest.fixture
def folder(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    shutil.copytree(judged, home)
    shutil.rmtree(home / "audit")
    monkeypatch.chdir(home)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(START))
    monkeypatch.delenv("PRUNEGATE_KEY", raising=False)
    monkeypatch.setattr("prunegate.cli.approve.page_digest", page_as_it_is)  # 0.4 s each, else
    for name in ("ann", "eve"):
        keygen("-t", "ed25519", "-N", "", "-C", name, "-f", name)
    return home


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command; its exit code and all that it printed."""

    def run(*arguments: str, at: int | None = None) -> tuple[int, str]:
        if at is not None:
            monkeypatch.setenv("SOURCE_DATE_EPOCH", str(at))
        monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, printed.out + printed.err

    return run


def page_as_it_is(page: Path, record: str) -> str:
    """The page's digest without making it again; the tests about the page do that."""
    del record
    return hashlib.sha256(page.read_bytes()).hexdigest()


def keygen(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["ssh-keygen", *arguments], input=stdin, capture_output=True, check=True, timeout=30
    )


def enrol(person: str = CLIENT, key: str = "ann.pub", role: str = "client", *more: str) -> None:
    about = ("--organisation", "Client", "--by", "Kim", "--channel", "video call")
    options = ("--person", person, "--key", key, "--role", role, *about, *more)
    invoke("enrol", *options)


def invoke(*arguments: str) -> str:
    done = CliRunner().invoke(cli.cli, ("audit", *arguments))
    if done.exception is not None:
        raise done.exception
    assert done.exit_code == 0
    return done.output


def answer(decision: str = "approve", role: str = "client", expires: str = "") -> Path:
    """What a client does with an editor: write between the quotes at the beginning."""
    request = Path("o/approval-request.json")
    text = request.read_text(encoding="utf-8")
    assert text.startswith(
        '{"answer":{"conditions":"","date":"","decision":"","expires":"","role":""},'
    )
    text = text.replace('"decision":""', f'"decision":"{decision}"', 1)
    text = text.replace('"role":""', f'"role":"{role}"', 1)
    text = text.replace('"expires":""', f'"expires":"{expires}"', 1)
    signed = Path("mail/approval-request.json")
    signed.parent.mkdir(exist_ok=True)
    signed.write_text(text + "\n", encoding="utf-8")  # as editors end a file
    return signed


def sign(request: Path, key: str = "ann", namespace: str = NAMESPACE) -> Path:
    signature = request.with_name(f"{request.name}.sig")
    signature.unlink(missing_ok=True)
    keygen("-Y", "sign", "-q", "-f", key, "-n", namespace, str(request))
    return signature


def bring_in(say: Say, signature: Path, record: str = "o") -> tuple[int, str]:
    return say("approve", record, "--signature", str(signature))


@pytest.mark.slow
def test_a_client_signs_with_nothing_but_ssh_keygen(
    judged: Path, folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunegate.cli.approve.page_digest", PAGE_DIGEST)
    shutil.copytree(judged / "audit", folder / "audit")
    code, told = say("status", "o")
    assert code == 5
    assert "missing: no approval as client counts" in told
    assert SIGN in told
    assert "ssh-keygen -Y sign" in (folder / "o" / "report.html").read_text(encoding="utf-8")

    enrol()
    code, told = bring_in(say, sign(answer()))
    assert code == 0, told
    assert told.startswith(f"APPROVED  by {CLIENT} as client")
    code, told = say("status", "o")
    assert code == 0, told
    assert told.startswith("MAY SHIP  small")
    assert "Client; signed with SHA256:" in told

    document = json.loads(say("status", "o", "--json")[1])
    assert document["ships"] is True
    (counted,) = document["counted"]
    assert counted["person"] == CLIENT
    until = datetime.fromisoformat(counted["at"]) + timedelta(days=30)
    assert datetime.fromisoformat(document["until"]) == until
    assert f"until {until.day} " in told


@pytest.mark.slow
@pytest.mark.skipif(
    None in (shutil.which("ssh-agent"), shutil.which("ssh-add")),
    reason="ssh-agent is not installed (openssh-client)",
)
def test_a_key_that_lives_in_an_agent_signs_by_its_public_half(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol()
    begun = subprocess.run(["ssh-agent", "-s"], capture_output=True, check=True, timeout=30)
    for name, value in re.findall(r"(SSH_A\w+)=([^;]+);", begun.stdout.decode()):
        monkeypatch.setenv(name, value)
    try:
        subprocess.run(["ssh-add", "-q", "ann"], check=True, timeout=30)
        (folder / "ann").unlink()  # no private key is left in any file
        code, told = bring_in(say, sign(answer(), key="ann.pub"))
    finally:
        subprocess.run(["ssh-agent", "-k"], capture_output=True, check=True, timeout=30)
    assert code == 0, told
    assert say("status", "o")[0] == 0


def test_ssh_keygen_verifies_what_the_trail_holds(folder: Path, say: Say) -> None:
    enrol()
    assert bring_in(say, sign(answer()))[0] == 0
    request, signature = evidence()
    (folder / "held.sig").write_text(signature, encoding="ascii")
    where = ("-f", "audit/allowed_signers", "-I", CLIENT, "-n", NAMESPACE, "-s", "held.sig")
    at = "-Overify-time=20231115000000Z"
    assert keygen("-Y", "verify", at, *where, stdin=request.encode()).returncode == 0
    with pytest.raises(subprocess.CalledProcessError):
        keygen("-Y", "verify", at, *where, stdin=request.encode() + b" ")


def evidence() -> tuple[str, str]:
    """Request and signature of the one approval that is pending."""
    import base64

    for path in Path("audit/pending").iterdir():
        envelope = json.loads(path.read_bytes())
        statement = json.loads(base64.b64decode(envelope["payload"]))
        if statement["predicateType"] == "urn:prunegate:approval:v1":
            predicate = statement["predicate"]
            return predicate["request"], predicate["signature"]
    raise AssertionError("no approval is pending")


def test_signing_here_gives_the_same_evidence(folder: Path, say: Say) -> None:
    enrol()
    options = ("--role", "client", "--decision", "approve", "--key", "ann")
    assert say("approve", "o", *options, "--expires", "2023-12-01")[0] == 0
    request, signature = evidence()
    given = json.loads(request)
    assert given["answer"] == {
        "conditions": "",
        "date": "2023-11-14T22:13:20Z",
        "decision": "approve",
        "expires": "2023-12-01",
        "role": "client",
    }
    assert given["sentences"]["approve"].endswith("under the conditions that I state, if any.")
    page = (folder / "o" / "report.html").read_bytes()
    record = (folder / "o" / "record.json").read_bytes()
    assert given["report"] == hashlib.sha256(page).hexdigest()
    assert given["record"] == hashlib.sha256(record).hexdigest()
    (folder / "held.sig").write_text(signature, encoding="ascii")
    where = ("-f", "audit/allowed_signers", "-I", CLIENT, "-n", NAMESPACE, "-s", "held.sig")
    assert keygen("-Y", "verify", "-Overify-time=20231115000000Z", *where, stdin=request.encode())
    assert say("status", "o", at=START + 10 * DAY)[0] == 0
    code, told = say("status", "o", at=START + 20 * DAY)
    assert code == 5
    assert "it has expired" in told


@pytest.mark.slow
def test_what_does_not_verify_is_refused(folder: Path, say: Say) -> None:
    enrol()
    wrong = sign(answer(), key="eve")
    code, told = bring_in(say, wrong)
    assert (code, "is not among the allowed signers" in told) == (6, True), told

    request = answer()
    signature = sign(request)
    request.write_text(request.read_text().replace("approve", "reject", 1))
    code, told = bring_in(say, signature)
    assert (code, "did not sign these bytes" in told) == (6, True), told

    request = answer()
    request.write_text(request.read_text().replace('"outcome":"approve"', '"outcome":"reject"'))
    code, told = bring_in(say, sign(request))
    assert (code, "'outcome' is not what the record gives" in told) == (6, True), told

    code, told = bring_in(say, sign(answer(), namespace="git"))
    assert (code, 'was made for "git"' in told) == (6, True), told

    code, told = bring_in(say, sign(answer()), record="other")
    assert (code, "is about another record" in told) == (6, True), told

    blank = Path("mail/approval-request.json")
    shutil.copy("o/approval-request.json", blank)
    code, told = bring_in(say, sign(blank))
    assert (code, "is not answered yet" in told) == (2, True), told

    code, told = bring_in(say, sign(answer(role="legal")))
    assert (code, "asks for no approval as" in told) == (2, True), told

    code, told = bring_in(say, sign(answer(expires="2020-01-01")))
    assert (code, "which is over" in told) == (2, True), told
    assert say("status", "o")[0] == 5


def test_a_key_in_the_wrong_role_or_too_late_is_refused(folder: Path, say: Say) -> None:
    enrol(CLIENT, "ann.pub", "legal", "--valid-until", "2023-12-01")
    code, told = bring_in(say, sign(answer()))
    assert (code, "is enrolled as legal only, not as client" in told) == (6, True), told
    enrol(CLIENT, "ann.pub", "client", "--valid-until", "2023-12-01")
    code, told = say("approve", "o", "--signature", str(sign(answer())), at=START + 60 * DAY)
    assert (code, "was not allowed to sign" in told) == (6, True), told


@pytest.mark.slow
def test_a_revoked_key_is_refused_and_no_longer_counts(folder: Path, say: Say) -> None:
    enrol()
    signature = sign(answer())
    assert bring_in(say, signature)[0] == 0
    assert say("status", "o", at=START + DAY)[0] == 0
    invoke("revoke", "--key", "ann.pub", "--reason", "laptop lost")
    code, told = say("status", "o")
    assert (code, "its key was revoked" in told) == (5, True), told
    code, told = bring_in(say, signature)
    assert (code, "was revoked; sign with another key" in told) == (6, True), told
    assert say("status", "o", "--at", "2023-11-15T00:00:00Z")[0] == 0
    with pytest.raises(PrunegateError, match="which is for good"):
        enrol()
    with pytest.raises(PrunegateError, match="no key SHA256:"):
        invoke("revoke", "--key", "eve.pub", "--reason", "typo")
    wanted = "valid-before="
    assert wanted in Path("audit/allowed_signers").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_later_word_takes_the_approval_back(folder: Path, say: Say) -> None:
    enrol()
    options = ("--role", "client", "--key", "ann")
    assert say("approve", "o", *options, "--decision", "approve")[0] == 0
    assert say("approve", "o", *options, "--decision", "discuss", at=START + 10)[0] == 0
    code, told = say("status", "o")
    assert (code, "said otherwise later" in told) == (5, True), told
    assert say("approve", "o", *options, "--decision", "approve", at=START + 20)[0] == 0
    assert say("status", "o")[0] == 0
    assert say("approve", "o", *options, "--decision", "reject", at=START + 30)[0] == 0
    code, told = say("status", "o")
    assert (code, f"rejected: {CLIENT}" in told) == (5, True), told


def test_two_people_may_sign_the_same_bytes(folder: Path, say: Say) -> None:
    enrol()
    enrol("bob@client.example", "eve.pub")
    assert bring_in(say, sign(answer()))[0] == 0
    assert bring_in(say, sign(answer(), key="eve"))[0] == 0
    code, told = say("status", "o", "--json")
    people = [one["person"] for one in json.loads(told)["counted"]]
    assert (code, sorted(people)) == (0, [CLIENT, "bob@client.example"])


@pytest.mark.slow
def test_an_old_word_brought_in_again_undoes_nothing(folder: Path, say: Say) -> None:
    enrol()
    first = sign(answer())
    assert bring_in(say, first)[0] == 0
    kept = list(Path("audit/pending").iterdir())
    options = ("--role", "client", "--key", "ann", "--decision", "reject")
    assert say("approve", "o", *options, at=START + 10)[0] == 0
    code, told = bring_in(say, first)
    assert (code, "count there once" in told) == (2, True), told
    replay(kept)
    code, told = say("status", "o", at=START + 30)
    assert (code, "brought in before, once more" in told) == (5, True), told


def replay(pending: list[Path]) -> None:
    """Pend a held approval again under a later date, as whoever can write into the folder could."""
    import base64

    from prunegate.audit.canonical import canonical_bytes

    for path in pending:
        envelope = json.loads(path.read_bytes())
        statement = json.loads(base64.b64decode(envelope["payload"]))
        if statement["predicateType"] == "urn:prunegate:approval:v1":
            statement["predicate"]["created"] = "2023-11-14T22:13:40Z"
            payload = base64.b64encode(canonical_bytes(statement)).decode()
            entry = canonical_bytes({**envelope, "payload": payload})
            (path.parent / hashlib.sha256(entry).hexdigest()).write_bytes(entry)


@pytest.mark.slow
def test_an_email_is_attested_weaker_and_counts_only_where_the_policy_says(
    folder: Path, say: Say
) -> None:
    write_key_pair(generate(), folder / "gate.key")
    mail = ("--person", "Ann", "--organisation", "Client", "--rationale", "e-mail of 14 Nov")
    options = ("--attested-by-agency", "--role", "client", "--decision", "approve", *mail)
    code, told = say("approve", "o", *options)
    assert (code, "signed by the gate's key" in told) == (2, True), told
    code, told = say("approve", "o", *options, "--key", "gate.key")
    assert (code, "is not enrolled as the gate's" in told) == (6, True), told
    enrol("CI", "gate.key.pub", "gate")
    code, told = say("approve", "o", *options, "--key", "gate.key")
    assert (code, "attested by the agency only, which is weaker" in told) == (0, True), told
    code, told = say("status", "o")
    assert code == 5
    assert "only the agency attests it" in told
    assert "attested by the agency, not signed" in told


def test_the_gate_never_approves(folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    private = generate("ed25519")
    write_key_pair(private, folder / "gate.key")
    enrol("CI", "gate.key.pub", "client")
    options = ("--role", "client", "--decision", "approve", "--key", "gate.key")
    monkeypatch.setenv("PRUNEGATE_KEY", (folder / "gate.key").read_text())
    code, told = say("approve", "o", *options)
    assert (code, "never counts as an approver" in told) == (6, True), told
    monkeypatch.delenv("PRUNEGATE_KEY")
    with pytest.raises(PrunegateError, match="gate's in one entry and a person's in the other"):
        enrol("CI", "gate.key.pub", "gate")


def test_a_key_listed_to_sign_entries_never_approves(folder: Path, say: Say) -> None:
    enrol()
    (folder / "audit" / "signers").mkdir()
    shutil.copy("ann.pub", "audit/signers/gate.pub")
    code, told = bring_in(say, sign(answer()))
    assert (code, "is the gate's or the log's own" in told) == (6, True), told


def test_a_key_that_signs_entries_is_not_enrolled_for_a_person(folder: Path, say: Say) -> None:
    (folder / "audit" / "signers").mkdir(parents=True)
    shutil.copy("ann.pub", "audit/signers/gate.pub")
    with pytest.raises(PrunegateError, match="which never approves; enrol a key that only"):
        enrol()
    assert not Path("audit/allowed_signers").exists()
    enrol("CI", "ann.pub", "gate")
    enrol("bob@client.example", "eve.pub")
    invoke("revoke", "--key", "eve.pub", "--reason", "lost")
    with pytest.raises(PrunegateError, match="was revoked already"):
        invoke("revoke", "--key", "eve.pub", "--reason", "lost")


def test_a_checkpoint_that_is_no_checkpoint_is_evidence(approved: Path, say: Say) -> None:
    Path("audit/checkpoint").write_bytes(b"x" * 50_000_000)
    for command in (("status", "o"), ("audit", "verify"), ("audit", "log")):
        code, told = say(*command)
        assert (code, "checkpoint was changed: " in told) == (6, True), told


@pytest.mark.slow
def test_a_signer_cosigns_the_log_and_holds_it_to_what_she_saw(folder: Path, say: Say) -> None:
    log_key = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    audit = folder / "audit"
    begin_log(audit, "agency.example/audit", log_key)
    enrol()
    seal_all(audit, log_key)
    options = ("--role", "client", "--decision", "approve", "--key", "ann")
    assert say("approve", "o", *options)[0] == 0
    request, _ = evidence()
    seen = json.loads(request)["checkpoint"]
    assert (seen["origin"], seen["size"]) == ("agency.example/audit", 1)
    note = read_checkpoint(audit).note
    assert [one.name for one in note.signatures] == ["agency.example/audit", CLIENT]
    assert verified_signatures(note, [parse_vkey(cosigner())])
    code, told = say("status", "o", "--sealed")
    assert (code, "it is not sealed into the log yet" in told) == (5, True), told
    seal_all(audit, log_key)
    code, told = say("status", "o", "--sealed")
    assert (code, "entry 1" in told) == (0, True), told

    (folder / "elsewhere").mkdir()
    begin_log(folder / "elsewhere", "other.example/audit", log_key)
    Path("mail").mkdir(exist_ok=True)
    signed = Path("mail/approval-request.json")
    signed.write_text(request, encoding="utf-8")
    code, told = say("approve", "o", "--signature", str(sign(signed)), "--audit", "elsewhere")
    assert (code, "holds other.example/audit" in told) == (6, True), told

    shutil.rmtree("elsewhere")
    rewritten = folder / "rewritten"
    begin_log(rewritten, "agency.example/audit", log_key)
    options = ("--audit", "rewritten")
    enrol("Eve", "eve.pub", "client", *options)
    seal_all(rewritten, log_key)
    code, told = say("approve", "o", "--signature", str(sign(signed)), *options)
    assert (code, "the log was rewritten" in told) == (6, True), told


def cosigner() -> str:
    import base64

    for path in Path("audit/pending").iterdir():
        statement = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
        if statement["predicateType"] == "urn:prunegate:approval:v1":
            return str(statement["predicate"]["cosigned"]["vkey"])
    raise AssertionError("no approval is pending")


def seal_all(audit: Path, key: Ed25519PrivateKey) -> None:
    seal_log(audit, key, read_entry, datetime.fromtimestamp(START, UTC))


@pytest.mark.slow
def test_a_changed_page_or_trail_stops_everything(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunegate.cli.approve.page_digest", PAGE_DIGEST)
    enrol()
    page = folder / "o" / "report.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("APPROVE", "APPROVE!", 1), encoding="utf-8")
    options = ("--role", "client", "--decision", "approve", "--key", "ann")
    assert say("approve", "o", *options)[0] == 6
    assert say("status", "o")[0] == 6
    page.write_text(text, encoding="utf-8")
    assert say("approve", "o", *options)[0] == 0
    approval = min((folder / "audit" / "pending").iterdir())
    approval.write_bytes(approval.read_bytes() + b" ")
    code, told = say("status", "o")
    assert (code, "its content was changed" in told) == (6, True), told


def test_the_key_has_to_be_of_the_person_who_is_named(folder: Path, say: Say) -> None:
    enrol()
    here = ("approve", "o", "--role", "client", "--decision", "approve", "--key", "ann")
    there = ("approve", "o", "--signature", str(sign(answer())))
    for way in (here, there):
        code, told = say(*way, "--person", "bob@client.example")
        assert (code, f"is {CLIENT}'s, not bob@client.example's" in told) == (6, True), told
    assert len(list(Path("audit/pending").iterdir())) == 1  # the enrolment
    assert say(*there, "--person", CLIENT.upper())[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("approve", "o", "--key", "ann", "--request", "r"), "--request goes with --signature"),
        (
            ("approve", "o", "--key", "ann", "--organisation", "Client", "--rationale", "mail"),
            "--organisation goes with --attested-by-agency; --rationale goes with",
        ),
        (
            ("approve", "o", "--attested-by-agency", "--person", "A", "--allowed-signers", "f"),
            "--allowed-signers goes with",
        ),
        (("waive", "o", "--key", "ann", "--request", "r"), "--request goes with --signature"),
        (("waive", "o", "--signature", "s", "--check", "at_least"), "--check goes with"),
        (("waive", "o", "--out", "f", "--allowed-signers", "g"), "--allowed-signers goes with"),
        (("verify", "o/record.json", "--key", "ann.pub"), "--key goes with a bundle"),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused(
    folder: Path, say: Say, arguments: tuple[str, ...], told: str
) -> None:
    code, said = say(*arguments)
    assert (code, told in said) == (2, True), said
    assert "it would have no effect" in said


def test_one_person_is_not_two_by_another_spelling(folder: Path, say: Say) -> None:
    enrol()
    with pytest.raises(PrunegateError, match=f"another spelling of .{CLIENT}"):
        enrol("\uff41nn@client.example", "eve.pub")
    with pytest.raises(PrunegateError, match="Cyrillic and Latin"):
        enrol("\u0430nn@client.example", "eve.pub")


def predicate_of(path: Path) -> dict[str, Any]:
    import base64

    statement = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    return {**statement["predicate"], "kind of entry": statement["predicateType"].split(":")[2]}


def pend_changed(path: Path, named: str | None = None, **changes: object) -> Path:
    """Pend an entry again with another predicate (and subject), as another program could."""
    import base64

    from prunegate.audit.canonical import canonical_bytes

    envelope = json.loads(path.read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"].update(changes)
    if named is not None:
        statement["subject"] = [{"name": "a key", "digest": {"sha256": named}}]
    payload = base64.b64encode(canonical_bytes(statement)).decode()
    entry = canonical_bytes({**envelope, "payload": payload})
    place = path.parent / hashlib.sha256(entry).hexdigest()
    place.write_bytes(entry)
    return place


def pending_of(kind: str) -> Path:
    (found,) = [
        p for p in Path("audit/pending").iterdir() if predicate_of(p)["kind of entry"] == kind
    ]
    return found


LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)


@pytest.fixture
def approved(folder: Path, say: Say) -> Path:
    """A log, an enrolment in it, and one approval that is pending."""
    write_key_pair(LOG_KEY, folder / "log.key")
    begin_log(folder / "audit", "agency.example/audit", LOG_KEY)
    enrol()
    seal_all(folder / "audit", LOG_KEY)
    assert say("approve", "o", "--role", "client", "--decision", "approve", "--key", "ann")[0] == 0
    return pending_of("approval")


def test_an_entry_that_cannot_be_read_is_not_sealed(approved: Path, say: Say) -> None:
    for changes in ({"more": 1}, {"signature": ""}, {"person": None}, {"request": "{}"}):
        wrong = pend_changed(approved, **changes)
        code, told = say("audit", "seal", "--key", "log.key")
        assert (code, wrong.name in told, "out of pending/" in told) == (2, True, True), told
        for command in (("audit", "verify"), ("status", "o"), ("audit", "page", "-o", "t.html")):
            code, told = say(*command)
            assert (code, wrong.name in told, "take it out of" in told) == (6, True, True), told
        wrong.unlink()
    assert say("audit", "seal", "--key", "log.key")[0] == 0
    assert say("status", "o", "--sealed")[0] == 0


def test_one_that_was_sealed_all_the_same_counts_for_nothing_and_is_told(
    approved: Path, say: Say
) -> None:
    pend_changed(approved, more=1)
    approved.unlink()
    seal_all(Path("audit"), LOG_KEY)  # as another program would: it asks for no form
    code, told = say("status", "o")
    assert (code, "warning: entry 1 (approval) cannot be read" in told) == (5, True), told
    code, told = say("audit", "verify")
    assert (code, "entry 1" in told, '"more"' in told) == (6, True, True), told
    assert say("audit", "page", "-o", "t.html")[0] == 0
    assert "entry 1 (approval) cannot be read" in Path("t.html").read_text(encoding="utf-8")
    assert say("approve", "o", "--role", "client", "--decision", "approve", "--key", "ann")[0] == 0
    assert say("audit", "seal", "--key", "log.key")[0] == 0
    assert say("status", "o", "--sealed")[0] == 0


def test_what_may_say_no_is_not_passed_over(approved: Path, say: Say) -> None:
    """An unread revocation ends the keys that it names; an unread rejection stops its record."""
    seal_all(Path("audit"), LOG_KEY)
    lost = ("audit", "revoke", "--key", "ann.pub", "--reason", "laptop lost")
    assert say(*lost, at=START + 10)[0] == 0
    revoked = pending_of("revocation")
    pend_changed(revoked, more=1)
    held = revoked.read_bytes()
    revoked.unlink()
    shutil.copytree("audit", "before")
    seal_all(Path("audit"), LOG_KEY)
    code, told = say("status", "o")
    assert (code, "its key was revoked" in told) == (5, True), told

    again = Path("before/pending") / revoked.name
    for path in Path("before/pending").iterdir():
        path.unlink()
    again.write_bytes(held)
    pend_changed(again, named="0" * 64, fingerprint=1)
    again.unlink()
    seal_all(Path("before"), LOG_KEY)
    code, told = say("status", "o", "--audit", "before")
    assert (code, "which key it revokes nobody can tell" in told) == (6, True), told


def test_an_unread_rejection_stops_its_record(approved: Path, say: Say) -> None:
    seal_all(Path("audit"), LOG_KEY)
    options = ("--role", "client", "--decision", "reject", "--key", "ann")
    assert say("approve", "o", *options, at=START + 10)[0] == 0
    no = pending_of("approval")
    pend_changed(no, more=1)
    no.unlink()
    seal_log(Path("audit"), LOG_KEY, read_entry, datetime.fromtimestamp(START + 60, UTC))
    code, told = say("status", "o")
    assert (code, "it may be a rejection of this record" in told) == (6, True), told


def test_evidence_that_is_gone_is_told(judged: Path, folder: Path, say: Say) -> None:
    shutil.copytree(judged / "audit", folder / "audit")
    enrol()
    assert say("approve", "o", "--role", "client", "--decision", "approve", "--key", "ann")[0] == 0
    code, told = say("status", "o")
    assert (code, "is gone" in told) == (0, False), told
    digest = hashlib.sha256(Path("o/record.json").read_bytes()).hexdigest()
    Path("audit/evidence", digest).unlink()
    code, told = say("status", "o")
    assert (code, f"evidence/{digest} is gone" in told) == (0, True), told


def test_messages_name_the_file_and_what_to_do(approved: Path, say: Say) -> None:
    for arguments, code, words in (
        (("status", "o", "--at", "never"), 2, '"never" is no day'),
        (("audit", "replay", "nosuch"), 2, "no such file, and no such digest in audit"),
        (("audit", "export", "zzz", "-o", "b"), 2, "no such file, and no such digest in audit"),
        (("audit", "verify", "--against", "p.yaml"), 2, "p.yaml: no checkpoint"),
        (("verify", "o"), 2, "prunegate verify o/report.html"),
    ):
        found, told = say(*arguments)
        assert (found, words in told) == (code, True), told


def test_sealed_says_that_it_is_the_enrolment_that_waits(folder: Path, say: Say) -> None:
    begin_log(folder / "audit", "agency.example/audit", LOG_KEY)
    enrol()
    options = ("--role", "client", "--decision", "approve", "--key", "ann")
    assert say("approve", "o", *options)[0] == 0
    code, told = say("status", "o", "--sealed")
    assert (code, "the enrolment of its key is not sealed" in told) == (5, True), told
    seal_all(folder / "audit", LOG_KEY)
    assert say("status", "o", "--sealed")[0] == 0


def test_usage_is_one_clear_error(folder: Path, say: Say) -> None:
    code, told = say("approve", "o", "--role", "client", "--decision", "approve")
    assert (code, "one of the two" in told) == (2, True)
    code, told = say("approve", "o", "--key", "ann")
    assert (code, "give --role and --decision" in told) == (2, True)
    assert say("approve", "nowhere", "--key", "ann")[0] == 2
    code, told = bring_in(say, Path("o/record.json"))
    assert code == 2
    assert not (folder / "audit").exists()
    enrol()
    signature = sign(answer())
    code, told = say("approve", "o", "--signature", str(signature), "--decision", "reject")
    assert (code, "what is signed counts" in told) == (2, True), told
