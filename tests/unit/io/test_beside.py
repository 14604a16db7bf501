"""Work in a thread beside a block: its outcome is told, and it has ended when the block has."""

from __future__ import annotations

from threading import Event, current_thread

import pytest

from prunegate.io.beside import work_beside, work_later


def test_the_block_and_the_work_go_on_together() -> None:
    asked, answered = Event(), Event()

    def work() -> str:
        assert asked.wait(60)
        answered.set()
        return current_thread().name

    with work_beside(work) as outcome:
        asked.set()
        assert answered.wait(60)
    assert outcome() != current_thread().name
    assert outcome() == outcome()


def test_an_error_of_the_work_is_told_where_its_outcome_is_asked_for() -> None:
    with work_beside(lambda: 1 // 0) as outcome:
        pass
    with pytest.raises(ZeroDivisionError):
        outcome()


def test_where_the_block_fails_that_is_told_when_the_work_has_ended() -> None:
    begun, ended = Event(), []

    def work() -> None:
        begun.set()
        ended.append(True)
        raise OSError("of the work")

    def block() -> None:
        with work_beside(work):
            assert begun.wait(60)
            raise KeyError("of the block")

    with pytest.raises(KeyError, match="of the block"):
        block()
    assert ended == [True]


def test_work_that_bears_nothing_beside_it_is_done_when_it_is_asked_for() -> None:
    done: list[str] = []
    with work_later(lambda: done.append(current_thread().name)) as outcome:
        assert done == []
    outcome()
    assert done == [current_thread().name]
