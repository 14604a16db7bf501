"""How many threads a training has: one where the machine is busy, unless somebody chose."""

from __future__ import annotations

import os

import pytest

from prunegate.cli import threads


@pytest.fixture(autouse=True)
def _nobody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(threads.THREADS, "")  # so that what the code sets is undone
    monkeypatch.delenv(threads.THREADS)


@pytest.mark.parametrize(("load", "cores"), [(2.1, 2), (9.0, 4), (1.5, 1)])
def test_a_busy_machine_trains_on_one_thread_and_says_so(load: float, cores: int) -> None:
    told = threads.one_thread_where_busy(load, cores)
    assert os.environ[threads.THREADS] == "1"
    assert f"load {load} on {cores} cores" in told


@pytest.mark.parametrize(("load", "cores"), [(0.0, 1), (2.0, 2), (3.9, 4)])
def test_a_machine_with_cores_to_spare_is_left_alone(load: float, cores: int) -> None:
    assert threads.one_thread_where_busy(load, cores) == ""
    assert threads.THREADS not in os.environ


def test_a_number_of_threads_that_somebody_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(threads.THREADS, "3")
    assert threads.one_thread_where_busy(50.0, 2) == ""
    assert os.environ[threads.THREADS] == "3"


def test_the_machine_is_asked_where_nobody_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (99999.0, 0.0, 0.0))
    assert "load 99,999.0" in threads.one_thread_where_busy()


def test_a_system_that_does_not_tell_its_load_is_not_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getloadavg")
    assert threads.one_thread_where_busy() == ""
