"""Sign-off from the outside: a client with nothing but ssh-keygen, and all that must not pass."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.functional.sign_off.clients import (
    CLIENT,
    DAY,
    PAGE_DIGEST,
    START,
    Say,
    answer,
    bring_in,
    enrol,
    evidence,
    invoke,
    keygen,
    sign,
)

from prunegate.audit.approvals.request import SIGN
from prunegate.audit.signing.keys import generate, write_key_pair
from prunegate.audit.signing.ssh_signature import NAMESPACE
from prunegate.errors import PrunegateError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed (openssh-client)"
    ),
]


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
