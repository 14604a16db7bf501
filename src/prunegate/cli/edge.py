"""``prunegate edge``: a candidate as a static page that scores in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.edge_record import PageTask, is_tuned, judged_threshold, page_task
from prunegate.cli.finite_range import FiniteRange
from prunegate.cli.model_options import ModelWords, model_options
from prunegate.cli.options import (
    PATH,
    ConsoleOptions,
    pickle_option,
    progress_options,
    refuse_filled,
    runtime_option,
    tell_of_pickles,
)
from prunegate.cli.threads import patient_threads
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.errors import InputError
from prunegate.text.escape import escaped
from prunegate.text.numbers import fixed

if TYPE_CHECKING:
    from prunegate.edge.folder import PageWishes
    from prunegate.policy.load import PolicyFile
    from prunegate.policy.task import Task

SHARE = FiniteRange(min=0, max=1)


@click.command("edge", cls=PathsApart, short_help="Make a page that scores in the browser.")
@click.argument("candidate", type=PATH)
@click.option("-o", "--out", type=WRITTEN, required=True, help="Folder of the page, new or empty.")
@click.option(
    "--policy",
    type=PATH,
    help="Policy whose title, positive label and candidate's threshold the page shows.",
)
@click.option(
    "--record",
    type=PATH,
    help="Record of the candidate's verdict, which holds a tuned threshold  [default: the "
    "record.json beside CANDIDATE, where it is of this very candidate].",
)
@click.option("--title", help="The page's title  [default: the policy's, or the candidate's name].")
@click.option("--positive", help="Class that is looked for  [default: the policy's, or none].")
@click.option(
    "--threshold",
    type=SHARE,
    help="Its score from which on it is found  [default: the policy's or record's, else 0.5]",
)
@model_options
@runtime_option
@pickle_option
@progress_options
def command(
    *,
    candidate: Path,
    out: Path,
    runtime_from: Path | None,
    said: ConsoleOptions,
    words: ModelWords,
    pickles: bool,
    **wanted: Any,
) -> int:
    """Make a folder of static files that scores pictures or texts with CANDIDATE in a browser.

    CANDIDATE is a folder or an ONNX file that classifies images or texts; a float32 torch model is
    exported. A threshold that 'run' or 'search' tuned is taken from the record of its verdict;
    a --threshold other than the one that was judged is taken with a warning.
    Any web server can serve the folder, and nothing that is scored leaves the browser. edge.json
    there says what it was made of. 'prunegate predict FOLDER --runtime browser' scores a table with
    this very folder, for gate to judge.

    \b
    Example:
      npm install onnxruntime-web@1.30.0
      prunegate edge candidate -o page --policy policy.yaml --runtime-from node_modules
      python3 -m http.server --directory page --bind 127.0.0.1
    """  # noqa: D301  # click's mark is the character itself
    patient_threads()
    _refuse(candidate, out, pickles=pickles)
    asked = _Asked.of(candidate, **wanted)
    _tell_of_another(asked.wishes)

    from prunegate.cli.console import progress
    from prunegate.edge.folder import edge_folder
    from prunegate.edge.npm_packages import RUNTIME, NpmPackages
    from prunegate.models.open_model import open_model

    with progress(said) as report:
        report("take the runtime", 0, 1)
        packages = NpmPackages(runtime_from)
        runtime = packages.take(RUNTIME)  # before libraries are loaded
        report("make the page", 0, 1)
        found = open_model(candidate, words.source(candidate, asked.judged), pickles=pickles)
        files = edge_folder(found, packages, asked.wishes)
        _write(out, files)
    if not said.quiet:
        size = sum(map(len, files.values())) / 1e6
        made = f"{len(files)} files, {fixed(size, 1)} MB, onnxruntime-web {runtime.version}"
        click.echo(f"{made}: {escaped(str(out))}")
        _tell_of_record(asked)
    return 0


def _refuse(candidate: Path, out: Path, *, pickles: bool) -> None:
    """Refuse a place or a model before libraries are loaded, which takes seconds."""
    from prunegate.pipeline.early_refusals import refuse_place

    _require_place(candidate, out)
    refuse_place(candidate, pickles=pickles)
    tell_of_pickles([candidate], allowed=pickles)


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    from prunegate.io.atomic import write_folder

    try:
        write_folder(out, files)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from error


def _tell_of_another(wishes: PageWishes) -> None:
    """Warn of a page that decides otherwise than the candidate was judged."""
    for name, judged in wishes.judged.items():
        told = (
            f"warning: the page finds {name} from {wishes.thresholds[name]} on, and the candidate "
            f"is judged from {judged} on: no verdict speaks of this page, and it says so; leave "
            "--threshold out to ship what is judged"
        )
        click.echo(escaped(told), err=True)


def _tell_of_record(asked: _Asked) -> None:
    """Say which record the page's thresholds are of, where they are of one."""
    if asked.from_record is not None:
        from_on = ", ".join(f"{escaped(n)} from {v}" for n, v in asked.wishes.thresholds.items())
        click.echo(f"decides {from_on}, as {escaped(str(asked.from_record))} says")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What the page is to show and decide by."""

    judged: PolicyFile | None
    """The policy that was given."""
    from_record: Path | None
    """The record that its threshold is of."""
    wishes: PageWishes

    @classmethod
    def of(
        cls,
        candidate: Path,
        *,
        policy: Path | None,
        record: Path | None,
        title: str | None,
        positive: str | None,
        threshold: float | None,
    ) -> _Asked:
        """Read the policy and the record that are asked about.

        Raises:
            InputError: as ``page_task``, or a threshold that is of no class.
        """
        from prunegate.policy.load import read_policy

        judged = read_policy(policy) if policy else None
        if threshold is None or record is not None:
            decided = page_task(candidate, judged, record)
        else:
            decided = None if judged is None else PageTask(task=judged.policy.task)
        own = None if judged is None else judged.policy.title or judged.policy.name
        wishes = _wishes(
            None if decided is None else decided.task,
            title=title or own or candidate.stem,
            positive=positive,
            threshold=threshold,
        )
        recorded = decided.record if decided is not None and threshold is None else None
        if threshold is not None and wishes.positive is not None:
            other = judged_threshold(candidate, judged, record, wishes.positive)
            if other not in (None, threshold):
                wishes = replace(wishes, judged={wishes.positive: other})
        return cls(judged=judged, from_record=recorded, wishes=wishes)


def _require_place(candidate: Path, out: Path) -> None:
    """Refuse a page in the folder of a model, whose digest it would change, or in one in use.

    Raises:
        InputError: it would be in there.
    """
    if candidate.is_dir() and candidate.resolve() in (out.resolve(), *out.resolve().parents):
        raise InputError(f"{out}: lies in the candidate's own folder; choose one outside")
    refuse_filled(out)


def _wishes(
    task: Task | None,
    *,
    title: str,
    positive: str | None,
    threshold: float | None,
) -> PageWishes:
    """What was asked for, else what the task says that the candidate was judged by."""
    from prunegate.edge.folder import PageWishes
    from prunegate.policy.naming import value_text

    thresholds, several = {}, None
    if task is not None:
        several = task.traits.sets
        own = None if task.positive is None else value_text(task.positive)
        positive = own if positive is None else positive
        named = task.labels or ((own,) if own is not None and own == positive else ())
        if threshold is None:  # the task's are of its own labels, and of no other class
            if is_tuned(task) and not named:
                raise InputError(
                    f"the candidate's threshold was tuned for {own!r}, and says nothing of "
                    f"{positive!r}; add --threshold, or leave --positive out"
                )
            thresholds = {name: task.threshold_of("candidate", name) for name in named}
    if threshold is not None:
        if positive is None:
            raise InputError("--threshold is of the class that is looked for; add --positive CLASS")
        thresholds = {positive: threshold}
    return PageWishes(
        title=title,
        positive=positive,
        several=several,
        thresholds={name: value for name, value in thresholds.items() if value is not None},
    )
