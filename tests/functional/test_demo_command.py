"""``prunegate demo``, small: two verdicts, two reports, and a baseline that is trained once."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.benchmarks.demo_seeds import search_row

from prunegate.cli import cli, main
from prunegate.demo import workspace
from prunegate.demo.dataset import Sizes
from prunegate.policy.load import parse_policy

TINY = Sizes(train=90, calibration=20, search=5, gate=60)
ARMS = ("representative", "display-only")


@pytest.fixture(scope="module", autouse=True)
def quick(pytestconfig: pytest.Config) -> Iterator[None]:
    """One thread, and a timing too short to mean anything: no test here looks at it."""
    if "not slow" in pytestconfig.option.markexpr:
        yield  # the others make no model
        return
    import torch

    module: Any = import_module("prunegate.pipeline.context")

    threads, measure = torch.get_num_threads(), module.measure
    with pytest.MonkeyPatch.context() as patch:
        torch.set_num_threads(1)
        patch.setattr(
            module, "measure", lambda *a, **given: measure(*a, **{**given, "seconds": 0.02})
        )
        yield
        torch.set_num_threads(threads)


def demo(*arguments: object) -> Result:
    words = ("demo", "--scale", "0.005", *arguments)
    return CliRunner().invoke(cli, [str(word) for word in words], standalone_mode=False)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    home = tmp_path_factory.mktemp("demo")
    options = ("--cache", home / "cache", "--out", home / "out", "--audit", home / "audit")
    return home, demo(*options)


@pytest.mark.slow
def test_the_demo_reaches_two_verdicts(shown: tuple[Path, Result]) -> None:
    home, result = shown
    assert result.exception is None
    assert result.return_value == 0
    lines = result.stdout.splitlines()
    verdicts = [line.split() for line in lines if not line.startswith(" ")]
    assert [name for _, name in verdicts] == [f"demo-{arm}" for arm in ARMS]
    assert {word for word, _ in verdicts} <= {"APPROVE", "REJECT", "INCONCLUSIVE"}
    reports = [line.split("report: ")[1] for line in lines if "report: " in line]
    assert reports == [str(home / "out" / arm / "report.html") for arm in ARMS]
    assert all(Path(report).is_file() for report in reports)
    assert sorted(path.name for path in (home / "out").iterdir()) == sorted(ARMS)


@pytest.mark.slow
def test_the_demo_ends_with_a_command_that_works_when_typed(shown: tuple[Path, Result]) -> None:
    """So little data proves nothing, so it may not ship, and no signature is asked for."""
    home, result = shown
    words = shlex.split(result.stdout.splitlines()[-1])
    assert words[:2] == ["prunegate", "status"]
    assert words[2:] == [str(home / "out" / ARMS[0]), "--audit", str(home / "audit")]
    typed = CliRunner().invoke(cli, words[1:], standalone_mode=False)
    assert typed.exception is None
    assert typed.return_value == 5
    assert "outcome: the record's decision is not approve" in typed.stdout
    assert "missing" not in typed.stdout


@pytest.mark.slow
def test_the_demo_can_be_searched(
    shown: tuple[Path, Result], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So little data proves nothing, so no candidate passes; the way there is the real one."""
    home, _ = shown
    out = tmp_path / "out"
    result = demo("--search", "--cache", home / "cache", "--out", out, "--audit", tmp_path / "a")
    assert result.exception is None
    assert result.return_value == 3
    assert "NO CANDIDATE PASSES  demo-search" in result.stdout
    assert {path.name for path in out.iterdir()} == {"attempts.json", "frontier.csv", "summary.md"}
    assert search_row(0, out) == {"search": False}
    assert "0  search  nothing passes" in capsys.readouterr().out


@pytest.mark.slow
def test_the_candidates_differ_in_their_rows_alone(shown: tuple[Path, Result]) -> None:
    home, _ = shown
    other, one = (json.loads((home / "out" / arm / "record.json").read_text()) for arm in ARMS)
    assert (one["command"], other["command"]) == ("demo", "demo")
    assert one["baseline"] == other["baseline"]
    assert one["candidate"]["active_heads"] == other["candidate"]["active_heads"]
    assert one["candidate"]["parameters"] == other["candidate"]["parameters"]
    rows = [step["data"] for step in one["compression"]["recipe"]]
    assert all("content_type=display" in name for name in rows)
    assert all("content_type" not in step["data"] for step in other["compression"]["recipe"])


@pytest.mark.slow
def test_progress_tells_the_candidates_apart(shown: tuple[Path, Result]) -> None:
    _, result = shown
    stages = [line.strip().removesuffix(" ...") for line in result.stderr.splitlines()]
    assert stages[:4] == [
        "render the creatives",
        "write the creatives",
        "read the creatives",
        "train the baseline",
    ]
    own = [[s for s in stages if s.startswith(f"{arm}: ")] for arm in ARMS]
    assert len(own[0]) == len(own[1]) == (len(stages) - 4) / 2
    assert f"{ARMS[0]}: rank heads (step 1 of 3)" in own[0]


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.slow
def test_a_second_demo_starts_from_the_cache(
    shown: tuple[Path, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one candidate; the other one would start from the same files."""
    home, _ = shown
    before = stamps(home / "cache")
    monkeypatch.setattr(workspace, "ARMS", {ARMS[0]: workspace.ARMS[ARMS[0]]})
    result = demo("--cache", home / "cache", "--out", home / "again", "--audit", home / "audit")
    assert result.exception is None
    assert "train the baseline" not in result.stderr
    assert stamps(home / "cache") == before
    first, second = (
        json.loads((home / out / ARMS[0] / "record.json").read_text()) for out in ("out", "again")
    )
    assert first["candidate"] == second["candidate"]
    assert first["flips"] == second["flips"]


@pytest.mark.slow
def test_a_taken_folder_is_told_before_anything_is_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out/representative").mkdir(parents=True)
    (tmp_path / "out/representative/mine.txt").write_text("keep")
    monkeypatch.chdir(tmp_path)
    words = ["demo", "--scale", "0.005", "--cache", "cache", "--out", "out"]
    monkeypatch.setattr(sys, "argv", ["prunegate", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "error: out is not empty" in capsys.readouterr().err
    names = [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))]
    assert names == ["out", "out/representative", "out/representative/mine.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["nan", "0", "0.004", "1.01", "inf", "-1", "all"])
def test_a_scale_that_is_no_share_is_refused(scale: str) -> None:
    result = CliRunner().invoke(cli, ["demo", "--scale", scale])
    assert result.exit_code == 2
    assert "--scale" in result.stderr


def silent(_stage: str, _done: int, _total: int) -> None:
    return None


def prepared(cache: Path, progress: Callable[[str, int, int], None] = silent) -> Any:
    return workspace.prepare_demo(cache, seed=0, sizes=TINY, epochs=1, progress=progress)


@pytest.mark.slow
@pytest.mark.parametrize(
    "stage", ["render the creatives", "write the creatives", "train the baseline"]
)
def test_an_interrupted_demo_leaves_nothing_half_made(tmp_path: Path, stage: str) -> None:
    def interrupt(now: str, _done: int, _total: int) -> None:
        if now == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepared(tmp_path, interrupt)
    left = [path for folder in tmp_path.iterdir() for path in folder.iterdir()]
    assert {path.name for path in left} <= {"creatives"}
    for folder in left:
        table = (folder / "creatives.csv").read_text().splitlines()
        assert len(table) == 1 + 175
        assert len(list(folder.rglob("*.png"))) == 175
    found = prepared(tmp_path)
    assert {path.name for path in found.folder.iterdir()} == {
        "creatives",
        "baseline",
        "demo-display-only.yaml",
        "demo-representative.yaml",
    }


def test_other_sizes_or_seeds_never_share_a_cache_folder() -> None:
    keys = {
        workspace._key(seed, sizes, epochs)
        for seed in (0, 1)
        for sizes in (TINY, Sizes(), workspace.scaled(0.5))
        for epochs in (1, 4)
    }
    assert len(keys) == 12


def test_other_code_never_shares_a_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo_folder = Path(workspace.__file__).parent
    for name in workspace.MAKERS:
        (tmp_path / name).write_bytes((demo_folder / name).read_bytes())
    before = workspace._key(0, TINY, 1)
    monkeypatch.setattr(workspace, "files", lambda _package: tmp_path)
    assert workspace._key(0, TINY, 1) == before
    with (tmp_path / "styles.py").open("a") as file:
        file.write("# another style\n")
    assert workspace._key(0, TINY, 1) != before


def test_every_module_that_makes_something_is_in_the_key() -> None:
    modules = {path.name for path in Path(workspace.__file__).parent.glob("*.py")}
    assert modules - {"__init__.py", "workspace.py"} == set(workspace.MAKERS)


def test_a_cache_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    from prunegate.errors import InputError

    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="name another --cache"):
        prepared(tmp_path / "file")


@pytest.mark.parametrize("scale", [0.005, 0.01, 0.25, 1.0])
@pytest.mark.parametrize("arm", ARMS)
def test_the_policies_are_valid_and_scale_with_the_data(scale: float, arm: str) -> None:
    sizes = workspace.scaled(scale)
    policy = parse_policy(workspace.policy_text(arm, sizes))
    assert policy.name == workspace.name_of(arm) == f"demo-{arm}"
    finetune = policy.compress[-1].finetune
    assert finetune is not None
    assert finetune.steps == max(1, int(workspace.STEPS * scale))
    assert finetune.data.limit is None
    assert policy.evidence.minimum.rows <= sizes.gate / 4


def test_the_full_demo_is_the_documented_one() -> None:
    assert workspace.scaled(1.0) == Sizes()
    text = workspace.policy_text("representative", Sizes())
    assert "minimum: {rows: 1000, positives: 400}" in text
    assert f"steps: {workspace.STEPS}," in text
    assert "@" not in text


def test_the_cache_follows_the_xdg_rule(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert workspace.default_cache() == tmp_path / "prunegate"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert workspace.default_cache() == Path("/home/me/.cache/prunegate")
