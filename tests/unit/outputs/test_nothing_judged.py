"""No output folder shows the verdict of an earlier run, however this one ends."""

from __future__ import annotations

import signal
from pathlib import Path

import click
import pytest

from prunegate import errors
from prunegate.cli.verdict_options import VerdictCommand, VerdictPlace, output_options
from prunegate.outputs.nothing_judged import (
    AT_WORK,
    OF_A_VERDICT,
    no_stale_verdict,
    render_nothing_judged,
)

ENDS = [
    errors.InputError("t.csv: no such file; check the path"),
    errors.InternalError("ours"),
    ZeroDivisionError("ours too"),
    KeyboardInterrupt(),
    errors.Ended(signal.SIGTERM),
]


def earlier(folder: Path) -> Path:
    """An output folder of an earlier run, with files that are nobody's verdict."""
    (folder / "candidate").mkdir(parents=True)
    for name in (*OF_A_VERDICT, "predictions.parquet", "mine.txt"):
        (folder / name).write_text("APPROVE")
    return folder


@pytest.mark.parametrize("error", ENDS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("forced", [True, False])
def test_whatever_ends_the_work_no_earlier_verdict_stays_where_it_was_to_be_replaced(
    tmp_path: Path, error: BaseException, forced: bool
) -> None:
    out = earlier(tmp_path / "out")
    place = VerdictPlace(out=out, force=forced, policy=tmp_path / "p.yaml")

    def work() -> None:
        with place.without_stale_verdict():
            assert (out / "record.json").exists() is not forced
            assert (AT_WORK in (out / "summary.md").read_text()) is forced  # should it be killed
            raise error

    with pytest.raises(type(error)):
        work()
    left = {path.name for path in out.iterdir()}
    if not forced:  # a folder that may not be written over is not touched
        assert left == {*OF_A_VERDICT, "predictions.parquet", "mine.txt", "candidate"}
        return
    assert left == {"summary.md", "predictions.parquet", "mine.txt", "candidate"}
    text = (out / "summary.md").read_text()
    assert text.startswith("<!-- prunegate:p -->\n⛔ **NOTHING WAS JUDGED** `p`")
    assert "APPROVE" not in text
    assert AT_WORK not in text


def test_what_says_that_the_work_goes_on_goes_with_it(tmp_path: Path) -> None:
    out = earlier(tmp_path / "out")
    with no_stale_verdict([out, tmp_path / "new"], "demo"):
        assert not (tmp_path / "new").exists()
    assert not (out / "summary.md").exists()
    with no_stale_verdict([out], "demo"):
        (out / "summary.md").write_text("APPROVE")
    assert (out / "summary.md").read_text() == "APPROVE"
    with no_stale_verdict([out], "demo", kept=[out / "summary.md"]):
        assert (out / "summary.md").read_text() == "APPROVE"


@pytest.mark.parametrize("forced", [True, False])
def test_no_verdict_stands_above_those_of_this_run(tmp_path: Path, forced: bool) -> None:
    out = earlier(tmp_path / "out")
    place = VerdictPlace(out=out, force=forced, policy=None, parts=("a", "b"))
    if not forced:
        with pytest.raises(errors.InputError, match="is not empty"), place.without_stale_verdict():
            raise AssertionError("the folder was to be refused")
        assert (out / "record.json").exists()
        return
    with place.without_stale_verdict():
        left = {path.name for path in out.iterdir()}
        assert left == {"predictions.parquet", "mine.txt", "candidate"}


def test_a_verdict_of_this_run_stays(tmp_path: Path) -> None:
    folders = [earlier(tmp_path / name) for name in ("a", "b")]

    def work() -> None:
        with no_stale_verdict(folders, "demo"):
            (folders[0] / "record.json").write_text("{}")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert [(folder / "record.json").exists() for folder in folders] == [True, False]
    assert "It was stopped" in (folders[1] / "summary.md").read_text()
    assert not (folders[0] / "summary.md").exists()


def test_a_place_that_cannot_hold_a_folder_says_what_went_wrong_first(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    place = VerdictPlace(out=tmp_path / "file", force=True, policy=None)
    with pytest.raises(ZeroDivisionError), place.without_stale_verdict():
        raise ZeroDivisionError
    assert (tmp_path / "file").read_text() == "x"


@click.command("fake", cls=VerdictCommand)
@click.argument("policy")
@click.option("--predictions", required=True)
@output_options
def fake(**_: object) -> int:
    """A verdict command that judges nothing."""
    raise AssertionError("the command line was to be refused")


@pytest.mark.parametrize(
    "given",
    [
        ["p.yaml", "--force", "--out", "OUT"],
        ["--out=OUT", "p.yaml", "--force"],
        ["p.yaml", "--predictions", "t.csv", "--force", "--out", "OUT", "--no-such-option"],
        ["p.yaml", "t.csv", "--force", "--out", "OUT"],
    ],
)
def test_a_command_line_that_is_refused_leaves_no_verdict_either(
    tmp_path: Path, given: list[str]
) -> None:
    out = earlier(tmp_path / "out")
    arguments = [part.replace("OUT", str(out)) for part in given]
    with pytest.raises(click.UsageError) as refused:
        fake.main(arguments, standalone_mode=False)
    assert not (out / "record.json").exists()
    told = (out / "summary.md").read_text().replace("`", "")
    assert refused.value.format_message().split()[0] in told


def test_help_removes_nothing(tmp_path: Path) -> None:
    out = earlier(tmp_path / "out")
    fake.main(["--out", str(out), "--force", "--help"], standalone_mode=False)
    assert (out / "record.json").exists()


HOSTILE = "x\n::error::@all <b>![](http://x)|`\u202e\n" + "@" * 10_000


def test_what_went_wrong_is_told_inertly() -> None:
    text = render_nothing_judged(HOSTILE, HOSTILE * 40)
    assert len(text) < 60_000
    hidden, head, *body = text.splitlines()
    assert hidden.startswith("<!-- prunegate:")
    for line in body:
        assert not line.strip().startswith("::")
        outside = "".join(line.split("`")[::2])
        assert not set(outside) & set("@<>|\u202e")
    assert "NOTHING WAS JUDGED" in head
