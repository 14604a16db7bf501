"""The second opinion's process: agreement is an answer to this very question, or it is none."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pandas as pd
import pytest
from tests.depth import times

import prunegate
from prunegate.audit.canonical import plain_json
from prunegate.audit.opinion import process as opinion_process
from prunegate.audit.opinion import worker
from prunegate.audit.opinion.process import OpinionProcess, ask_of, asked_here, at_hand
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.opinion.worker import answer_line
from prunegate.criteria import CRITERIA
from prunegate.errors import InternalError
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict

pytestmark = pytest.mark.slow

POLICY = parse_policy(
    "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
    "slices: [{by: kind, expect: [a, b]}]\n"
    "rules: [{metric: recall, slices: all, max_drop: 0.02}, {metric: f1, at_least: 0.5}]\n"
)
COUNTS = pd.DataFrame(
    {
        "kind": ["a", "a", "b", "b"],
        "label": [1, 0, 1, 0],
        "baseline": [1, 0, 1, 0],
        "candidate": [1, 0, 1, 0],
        "n": [400, 300, 500, 200],
    }
)
VERDICT = prunegate.judge_counts(POLICY, COUNTS)
READ = "import sys; sys.stdin.buffer.readline(); "
HASH = "import hashlib, sys; of = hashlib.sha256(sys.stdin.buffer.readline()[:-1]).hexdigest(); "


@pytest.mark.parametrize("entries", [METRICS, CHECKS, CRITERIA])
def test_what_only_this_process_knows_is_judged_here(
    entries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "_first", len(entries) - 1)
    assert ask_of(at_hand()) is asked_here


def test_it_says_what_the_same_opinion_says_here() -> None:
    opinion = at_hand()
    assert opinion is at_hand()  # one engine for all questions of a program
    low = POLICY.at_level(0.01)
    for policy in (POLICY, low):
        verdict = prunegate.judge_counts(policy, COUNTS)
        assert opinion.ask(policy, verdict)() == second_opinion(policy, verdict)


def test_it_disagrees_in_the_same_words() -> None:
    for wrong in (
        replace(VERDICT, outcome="reject"),
        replace(VERDICT, findings=VERDICT.findings[1:]),
        replace(VERDICT, findings=()),
    ):
        with pytest.raises(InternalError) as here:
            second_opinion(POLICY, wrong)
        with pytest.raises(InternalError) as there:
            at_hand().ask(POLICY, wrong)()
        assert str(there.value) == str(here.value)
    assert at_hand().ask(POLICY, VERDICT)() == second_opinion(POLICY, VERDICT)  # still at hand


Start = Callable[..., OpinionProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start processes that end with the test."""
    started: list[OpinionProcess] = []

    def begin(program: str, wait_s: float = 60) -> OpinionProcess:
        started.append(OpinionProcess(program=program, wait_s=wait_s))
        return started[-1]

    yield begin
    for one in started:
        one.end()


@pytest.mark.parametrize("soon", [True, False])
def test_what_may_be_done_meanwhile_is_done_once_where_the_answer_takes_its_time(
    start: Start, soon: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer waits for what is done meanwhile, or comes before anything is."""
    monkeypatch.setattr(opinion_process, "SOON_S", 60.0 if soon else 0.0)
    mark = tmp_path / "done"
    wait = f"import os, time\nwhile not os.path.exists({str(mark)!r}): time.sleep(0.01)\n"
    wait = "" if soon else wait
    opinion = start(f"{HASH}{wait}print('no answer', flush=True)")
    awaited, done = opinion.ask(POLICY, VERDICT), []

    def meanwhile() -> None:
        mark.touch()
        done.append(1)

    with pytest.raises(InternalError, match="its answer makes no sense"):
        awaited(meanwhile=meanwhile)
    assert done == ([] if soon else [1])


AGREES = "'engine': 'e', 'expectations': 12, 'findings': "
WRONG = {
    "silence": "",
    "a crash": "raise OSError('no space left')",
    "an exit that looks well": "sys.exit(0)",
    "garbage": "print('agrees')",
    "half an answer": "print('{', end='', flush=True)",
    "another kind of JSON": "print('[1]')",
    "JSON nested too deep": "print('[' * 100_000)",
    "an answer to another question": (
        f"import json; print(json.dumps({{'of': '0', 'agrees': {{{AGREES}4}}}}))"
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_whatever_is_no_agreement_is_an_internal_error(start: Start, case: str) -> None:
    opinion = start(READ + WRONG[case])
    with pytest.raises(InternalError, match="could not be had, so there is no verdict"):
        opinion.ask(POLICY, VERDICT)()
    assert opinion.ended


@pytest.mark.parametrize(
    "said",
    [
        "'findings': 3",
        f"{AGREES}3",
        f"{AGREES}4.0",
        f"{AGREES}4.5, 'more': 1",
        "'findings': None",
        "'engine': None, 'expectations': 12, 'findings': 4",
        "'engine': 'e', 'expectations': '12', 'findings': 4",
    ],
)
def test_agreement_on_other_findings_is_none(start: Start, said: str) -> None:
    program = (
        f"{HASH}import json; print(json.dumps({{'of': of, 'agrees': {{{said}}}}}), flush=True)"
    )
    with pytest.raises(InternalError, match="its answer makes no sense"):
        start(program).ask(POLICY, VERDICT)()


def test_a_crash_is_told_with_its_last_word(start: Start) -> None:
    opinion = start(READ + "raise OSError('no space left')")
    with pytest.raises(InternalError, match=r"\(exit 1: OSError: no space left\)\. Run this again"):
        opinion.ask(POLICY, VERDICT)()


@pytest.mark.parametrize("program", ["import time; time.sleep(99)", READ + "time.sleep(99)"])
def test_silence_has_an_end(start: Start, program: str) -> None:
    long = replace(VERDICT, warnings=("w" * 300_000,))  # more than a pipe holds
    opinion = start("import time; " + program, wait_s=0.3)
    with pytest.raises(InternalError, match="no answer within 0 s"):
        opinion.ask(POLICY, long)()
    assert opinion.ended


PARENT = """
import sys, time
from prunegate.audit.canonical import plain_json
from prunegate.audit.opinion import process as opinion_process
from prunegate.audit.opinion import worker
from prunegate.audit.opinion.process import at_hand
print(at_hand()._worker._process.pid, flush=True)
{then}
"""
ENDS = {
    "a normal end": ("", None),
    "an error": ("raise ValueError", None),
    "os._exit": ("import os; os._exit(3)", None),
    "Ctrl-C": ("time.sleep(60)", signal.SIGINT),
    "a polite kill": ("time.sleep(60)", signal.SIGTERM),
    "a kill": ("time.sleep(60)", signal.SIGKILL),
}


@pytest.mark.parametrize("case", ENDS)
def test_it_ends_with_the_process_that_asks(case: str, tmp_path: Path) -> None:
    then, sent = ENDS[case]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then=then)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if sent is not None:
            parent.send_signal(sent)
        parent.wait()
    until = time.monotonic() + 60
    while _lives(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _lives(child)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state[0] not in "ZX"


def test_warnings_as_errors_and_a_folder_of_traps_change_nothing(tmp_path: Path) -> None:
    for name in ("pandas", "json", "great_expectations"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    program = (
        "import sys, time; sys.path.remove('')\n"
        "from prunegate.audit.opinion.process import at_hand\n"
        "opinion, until = at_hand(), time.monotonic() + 600\n"
        "opinion._worker.send(b'x', until); opinion._worker.line(until)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "its process ended (exit 1: json.decoder.JSONDecodeError" in done.stderr, done.stderr


Judged = tuple[Policy, Verdict]


@pytest.mark.slow  # random verdicts, each asked about twice
@pytest.mark.parametrize("kind", ["grouped", "multiclass", "score", "language"])
def test_verdicts_of_every_kind_survive_the_way_there(
    other_verdict: Callable[[str, int], Judged], kind: str
) -> None:
    for seed in range(times(1, thorough=5)):
        policy, verdict = other_verdict(kind, seed)
        assert at_hand().ask(policy, verdict)() == second_opinion(policy, verdict)


def test_a_killed_process_is_no_agreement_and_the_next_gate_has_a_new_one() -> None:
    first = at_hand()
    first._worker._process.kill()
    first._worker._process.wait()
    with pytest.raises(InternalError, match="its process ended"):
        first.ask(POLICY, VERDICT)()
    assert at_hand() is not first
    at_hand().end()


def told(line: bytes) -> dict[str, Any]:
    """What the program says to one line, here."""
    said = answer_line(line)
    assert said.pop("of") == hashlib.sha256(line).hexdigest()
    return said


def question(policy: object, verdict: Verdict) -> bytes:
    said = {"policy": policy, "verdict": plain_json(verdict), "waivers": []}
    return json.dumps(said).encode()


def test_its_answer_to_a_line_is_the_opinion_or_why_there_is_none() -> None:
    document = POLICY.document()
    agreed = told(question(document, VERDICT))
    assert agreed == {"agrees": plain_json(second_opinion(POLICY, VERDICT))}
    with pytest.raises(InternalError) as here:
        second_opinion(POLICY, replace(VERDICT, outcome="reject"))
    denied = told(question(document, replace(VERDICT, outcome="reject")))
    assert denied == {"disagrees": str(here.value)}
    unread = told(question({**document, "rules": []}, VERDICT))
    assert unread["disagrees"].startswith("the policy cannot be read back")


def test_the_program_answers_line_by_line_until_its_input_ends() -> None:
    line = question(POLICY.document(), VERDICT)
    command = [sys.executable, "-P", "-c", opinion_process._PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        to, answers = program.stdin, program.stdout
        assert to is not None
        assert answers is not None
        for _ in range(2):
            to.write(line + b"\n")
            to.flush()
            said = json.loads(answers.readline())
            assert said["of"] == hashlib.sha256(line).hexdigest()
            assert said["agrees"]["findings"] == len(VERDICT.findings)
        to.close()
        assert answers.read() == b""
        assert program.wait() == 0


@pytest.mark.parametrize("cut", [False, True])
def test_a_question_that_is_cut_short_is_none(cut: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(worker.os, "_exit", ended.append)
    asked: SimpleQueue[bytes] = SimpleQueue()
    worker._listen(io.BytesIO(b"one\ntwo" if cut else b"one\n"), asked)
    assert (asked.get_nowait(), asked.empty(), ended) == (b"one\n", True, [0])


def test_no_process_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(InternalError, match="the second opinion could not be had: "):
        OpinionProcess()
