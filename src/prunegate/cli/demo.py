"""``prunegate demo``: the whole way, offline, on material that it makes itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click

from prunegate.cli.ci import write_ci_files
from prunegate.cli.options import Output, VerdictCommand, output_options, seed_option
from prunegate.cli.threads import patient_threads


def _a_number(_context: click.Context, _option: click.Parameter, value: float) -> float:
    """Refuse NaN, which no range does."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a share of the data")
    return value


def _folders(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The folders that each get a verdict, known before the work begins."""
    from prunegate.demo.workspace import ARMS

    return () if arguments["search"] else tuple(ARMS)


@click.command(
    "demo", cls=VerdictCommand, short_help="See the whole way, offline, in a few minutes."
)
@seed_option
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the trained baseline is kept [default: ~/.cache/prunegate].",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0.005, max=1),
    callback=_a_number,
    default=1.0,
    show_default=True,
    help="Share of the data and of the training to use; below 1 the verdicts prove little.",
)
@click.option(
    "--search",
    is_flag=True,
    help="Instead, search for the smallest candidate that passes on representative data.",
)
@partial(output_options, parts_of=_folders)
def command(seed: int, cache: Path | None, scale: float, search: bool, output: Output) -> int:
    """Render creatives, train a small vision transformer, and judge two pruned candidates.

    Both candidates lose the same share of heads and neurons by the same recipe. One was ranked and
    fine-tuned on display creatives only, the other on representative data. What happens is
    measured, not scripted: expect the first to look fine on display and to be rejected on other
    content, and the second to pass.

    The output folder gets one folder for each candidate: display-only and representative. Exit code
    0 says that both verdicts were reached, whatever they are. The last line is the first command of
    the walk through a sign-off (docs/audit.md), to be typed as it stands.

    With --search, heads are removed in attempt after attempt until a rule stops it, and the
    smallest candidate that passes is judged; the exit code is that of "prunegate search".

    \b
    Example:
      prunegate demo --out reports/demo
    """  # noqa: D301  # click's mark is the character itself
    key = output.signing_key()  # a wrong one is known at once
    patient_threads()
    if search:
        return _search(seed, cache, scale, output)
    from prunegate.audit.ledger import Ledger
    from prunegate.cli.console import progress, show_decision
    from prunegate.demo.workspace import (
        ARMS,
        default_cache,
        name_of,
        prepare_demo,
        progress_of_arm,
        scaled,
    )
    from prunegate.gate import publish
    from prunegate.outputs.staging import staged
    from prunegate.pipeline.context import Settings
    from prunegate.pipeline.run import run
    from prunegate.policy.load import read_policy

    decided: dict[Path, str] = {}
    with ExitStack() as stack:
        folders = {  # before anything that takes long: a taken folder is known at once
            arm: stack.enter_context(
                staged(
                    output.out / arm if output.out else None,
                    output.reports / name_of(arm),
                    force=output.force,
                )
            )
            for arm in ARMS
        }
        with progress(output) as report:
            workspace = prepare_demo(
                cache or default_cache(), seed=seed, sizes=scaled(scale), epochs=4, progress=report
            )
        for arm, path in workspace.policies.items():
            with Ledger(output.audit) as ledger:
                with progress(output) as report:
                    settings = Settings(
                        seed=seed,
                        batch=64,
                        seconds=max(1.0, 6.0 * scale),
                        command="demo",
                        ledger=ledger,
                        progress=progress_of_arm(arm, report),
                    )
                    decision = run(read_policy(path), folders[arm].folder, settings)
                write_ci_files(decision.record, folders[arm].folder, output.ci, output.policy)
                folder = publish(decision, folders[arm], output.audit, key)
            show_decision(decision, folder, output)
            decided[folder] = decision.verdict.outcome
    _show_next(decided, output)
    return 0


def _show_next(decided: Mapping[Path, str], output: Output) -> None:
    """Print how to go on: where the sign-off of a candidate stands, the approved one if any is."""
    from prunegate.cli.console import on_record

    if output.quiet:
        return
    record = next(
        (folder for folder, said in decided.items() if said == "approve"), next(iter(decided))
    )
    lines = (
        "  next, have it signed (docs/audit.md, A walk through a sign-off):",
        f"  {on_record('status', record, output.audit)}",
    )
    click.echo("\n".join(lines), err=output.as_json)


def _search(seed: int, cache: Path | None, scale: float, output: Output) -> int:
    from prunegate.cli.console import progress
    from prunegate.cli.search import search_and_show
    from prunegate.demo.workspace import SEARCH, default_cache, name_of, prepare_search_demo, scaled
    from prunegate.outputs.staging import staged
    from prunegate.pipeline.context import Settings
    from prunegate.policy.load import read_policy

    with staged(output.out, output.reports / name_of(SEARCH), force=output.force) as staging:
        with progress(output) as report:
            policy = prepare_search_demo(
                cache or default_cache(), seed=seed, sizes=scaled(scale), epochs=4, progress=report
            )
        settings = Settings(seed=seed, batch=64, seconds=max(1.0, 6.0 * scale), command="demo")
        return search_and_show(read_policy(policy), settings, staging, output)
