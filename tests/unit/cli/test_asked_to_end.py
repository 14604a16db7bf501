"""Whoever is asked to end does, whatever a library makes of it, and cleans up undisturbed."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from prunegate import cli
from prunegate.errors import Ended
from prunegate.outputs.public_reason import STOPPED, public_reason, why

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The signals that came; what is swallowed comes again at once."""
    before = {sent: signal.signal(sent, signal.SIG_DFL) for sent in SIGNALS}
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

    with pytest.raises(Ended) as ended, no_longer_asked():
        swallowing()
    assert ended.value.signal is sent


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


def test_no_class_of_ours_is_told() -> None:
    for error in (Ended(signal.SIGTERM), KeyboardInterrupt()):
        assert why(error) == public_reason(error) == STOPPED
