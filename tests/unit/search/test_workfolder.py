"""The work folder: kept whole, trusted only if it is this search's, gone at the end."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from prunegate.audit.search_record import NotMade
from prunegate.errors import InputError
from prunegate.pipeline.context import Context
from prunegate.policy.schema import Policy
from prunegate.search.attempt import Attempt
from prunegate.search.search import decides
from prunegate.search.workfolder import KeptAttempt, work_folder
from prunegate.text.said import Said, said
from prunegate.verdict.finding import Finding

pytestmark = pytest.mark.models

FINDING = Finding(
    rule=0,
    metric="recall",
    slice="content_type=video",
    check="max_drop",
    status="pass",
    severity="block",
    evidence="proven",
    baseline=0.9,
    candidate=0.1 + 0.2,
    difference=-0.6,
    ci_low=None,
    ci_high=None,
    limit=0.02,
    p_value=1e-9,
    p_harm=1.0,
    n=10,
    method="test",
)
KEPT = KeptAttempt(
    attempt=Attempt(
        number=1,
        amounts=(0.25,),
        criterion="taylor",
        objective=12345.0,
        parameters=12345,
        model_bytes=49380,
        outcome="reject",
        loss=0.6,
        loss_metric="recall",
        loss_class=None,
        loss_slice="content_type=video",
        margin_used=30.0,
        reason="Bad.",
        digest="0" * 64,
        reasons=("Bad.",),
        findings=(FINDING,),
    ),
    losses=((0.7, 0.1), ()),
)


class StoppedError(Exception):
    """A search that was stopped."""


def stopped(parent: Path) -> Path:
    """A work folder with one attempt."""
    with suppress(StoppedError), work_folder(parent, {"seed": 1}) as work:
        work.keep("a", KEPT)
        raise StoppedError
    return work.folder


def test_what_was_kept_comes_back_exactly(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    with work_folder(tmp_path, {"seed": 1}) as work:
        assert work.folder == folder
        assert work.attempts == 1
        assert work.find("a") == KEPT
        assert work.find("b") is None
    assert list(tmp_path.iterdir()) == []


def test_another_search_does_not_see_it(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    with work_folder(tmp_path, {"seed": 2}) as other:
        assert other.folder != folder
        (other.folder / "attempt-a.json").write_bytes((folder / "attempt-a.json").read_bytes())
        assert other.find("a") is None


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def changed(path: Path) -> None:
    path.write_text(path.read_text().replace('"outcome":"reject"', '"outcome":"approve"'))


def other_shape(path: Path) -> None:
    path.write_text(json.dumps([1, 2]))


def renamed(path: Path) -> None:
    path.write_text(path.read_text().replace('"name":"a"', '"name":"b"'))


@pytest.mark.parametrize("spoil", [cut, changed, other_shape, renamed, Path.unlink])
def test_a_file_that_cannot_be_trusted_is_as_good_as_absent(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]  # any of the above
    folder = stopped(tmp_path)
    spoil(folder / "attempt-a.json")
    with work_folder(tmp_path, {"seed": 1}) as work:
        assert work.find("a") is None
        work.keep("a", KEPT)
        assert work.find("a") == KEPT


def test_a_search_that_kept_nothing_leaves_nothing(tmp_path: Path) -> None:
    with suppress(StoppedError), work_folder(tmp_path, 1) as work:
        work.fresh("a").mkdir()
        raise StoppedError
    assert list(tmp_path.iterdir()) == []


def test_two_searches_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with work_folder(tmp_path, 1) as work:
        work.keep("a", KEPT)
        with pytest.raises(InputError, match="at work there"), work_folder(tmp_path, 1):
            pytest.fail("both came in")
        assert work.find("a") == KEPT


def test_a_file_in_its_place_gives_way(tmp_path: Path) -> None:
    with work_folder(tmp_path, 1) as work:
        name = work.folder.name
    (tmp_path / name).write_text("not a folder")
    with work_folder(tmp_path, 1) as work:
        assert work.attempts == 0


def test_a_candidate_that_is_not_the_same_any_more_is_not_taken(tmp_path: Path) -> None:
    with work_folder(tmp_path, 1) as work:
        work.fresh("a").mkdir()
        assert work.load("a", dataclasses.replace(KEPT.attempt)) is None
        assert not work.fresh("a").exists()


def test_a_model_of_the_same_name_elsewhere_is_another_search() -> None:
    """A record tells the last name alone; what is kept on the way belongs to one place."""

    def of(initial: str) -> Any:
        policy = Policy.model_validate(
            {
                "prunegate": 1, "name": "p", "task": {"kind": "score"},
                "rules": [{"metric": "mae", "max_rise": 0.1}],
                "model": {"baseline": "base", "initial": initial},
            }
        )  # fmt: skip
        settings = SimpleNamespace(seed=0, device="cpu", batch=1, seconds=1)
        same = SimpleNamespace(digest="d", sha256="s")
        source = SimpleNamespace(policy=policy)
        bench = SimpleNamespace(
            source=source, settings=settings, baseline=same, table=same, hashes=()
        )
        return decides(cast(Context, bench))

    assert of("/a/early") == of("/a/early")
    assert of("/a/early") != of("/b/early")


def test_an_attempt_that_could_not_be_made_knows_its_reason_again(tmp_path: Path) -> None:
    reason = said("amount.keep", keep=9, units=8)
    unmade = NotMade(number=3, amounts=(0.9,), criterion="taylor", beyond=False, reason=reason)
    kept = KeptAttempt(attempt=unmade, losses=())
    with suppress(KeyboardInterrupt), work_folder(tmp_path, "x") as work:
        work.keep("3", kept)
        raise KeyboardInterrupt
    with work_folder(tmp_path, "x") as work:
        again = work.find("3")
    assert again == kept
    assert isinstance(again.attempt, NotMade)
    assert isinstance(again.attempt.reason, Said)
    other = dataclasses.replace(kept, attempt=dataclasses.replace(unmade, reason="Another."))
    assert isinstance(other.attempt, NotMade)
    assert not isinstance(other.attempt.reason, Said)
