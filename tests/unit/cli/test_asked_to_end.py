"""Whoever is asked to end does, whatever a library makes of it, and cleans up undisturbed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from prunegate import cli
from prunegate.errors import Ended
from prunegate.outputs.public_reason import STOPPED, public_reason, why

USUAL: dict[signal.Signals, Any] = {
    **dict.fromkeys((signal.SIGTERM, signal.SIGHUP, signal.SIGALRM), signal.SIG_DFL),
    signal.SIGINT: signal.default_int_handler,
}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The signals that came; what is swallowed comes again at once."""
    before = {sent: signal.signal(sent, handler) for sent, handler in USUAL.items()}
    monkeypatch.setattr(cli, "_AGAIN_S", 0.01)
    yield cli._end_politely()
    for sent, handler in before.items():
        signal.signal(sent, handler)


@contextmanager
def no_longer_asked() -> Iterator[None]:
    """Ask no more while what ended it is still under way: after it, it would end the tests."""
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def work(end: Callable[[], bool]) -> None:
    """Go on until that is so; the test fails where nobody ends it in time."""
    until = time.monotonic() + 20
    while not end():
        assert time.monotonic() < until, "nobody ended it"
        time.sleep(0.001)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_swallowed_comes_again(sent: signal.Signals) -> None:
    def swallowing() -> None:
        with suppress(BaseException):
            signal.raise_signal(sent)
        work(lambda: False)

    with pytest.raises(Ended) as told, no_longer_asked():
        swallowing()
    assert told.value.signal is sent


def test_ctrl_c_that_is_swallowed_comes_again() -> None:
    def swallowing() -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        work(lambda: False)

    with pytest.raises(KeyboardInterrupt), no_longer_asked():
        swallowing()


def test_what_cleans_up_is_not_interrupted(asked: list[int]) -> None:
    def cleaned() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            with suppress(OSError):  # an error on the way changes nothing
                try:
                    raise OSError
                finally:
                    work(lambda: len(asked) > 3)
            signal.raise_signal(signal.SIGTERM)
            seen.append(len(asked))

    seen: list[int] = []
    with pytest.raises(Ended), no_longer_asked():
        cleaned()
    assert seen > [3]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_a_library_makes_of_a_signal_is_no_mistake_of_ours(
    sent: signal.Signals,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stopped(**_: bool) -> None:
        with suppress(KeyboardInterrupt, Ended):
            signal.raise_signal(sent)
        raise RuntimeError("Query interrupted")

    for usual, handler in USUAL.items():  # what asks is the command line's own
        signal.signal(usual, handler)
    monkeypatch.setattr(cli.cli, "main", stopped)
    assert ended() == code
    assert capsys.readouterr().err.endswith("; nothing half-written was left\n")


@pytest.mark.parametrize("arguments", [["--help"], ["policy", "schema"]])
def test_output_that_nobody_reads_is_told_by_the_exit_code(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = os.pipe()
    os.close(ends[0])
    with os.fdopen(ends[1], "w", encoding="utf-8") as nobody:
        monkeypatch.setattr(sys, "argv", ["prunegate", *arguments])
        monkeypatch.setattr(sys, "stdout", nobody)
        assert ended() == 141


def test_where_no_thread_can_be_started_is_no_mistake_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def threaded(**_: bool) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(cli.cli, "main", threaded)
    assert ended() == 1
    assert capsys.readouterr().err.startswith("error: no thread can be started; allow more")


def ended() -> object:
    """What the command line ends with."""
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


def test_no_class_of_ours_is_told() -> None:
    for error in (Ended(signal.SIGTERM), KeyboardInterrupt()):
        assert why(error) == public_reason(error) == STOPPED
