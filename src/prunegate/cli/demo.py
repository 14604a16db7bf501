"""``prunegate demo``: the whole way, offline, on material that it makes itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.ci import write_ci_files
from prunegate.cli.finite_range import FiniteRange
from prunegate.cli.options import seed_option
from prunegate.cli.threads import one_thread_where_busy, patient_threads
from prunegate.cli.verdict_options import Output, VerdictCommand, output_options

if TYPE_CHECKING:
    from prunegate.audit.signing.keys import PrivateKey
    from prunegate.outputs.staging import Staging


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
    type=FiniteRange(min=0.005, max=1),
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
    busy = one_thread_where_busy()
    if busy and not output.quiet:
        click.echo(f"  {busy}", err=True)
    return (_search if search else _judge_both)(seed, cache, scale, output, key)


EPOCHS, BATCH, SECONDS = 4, 64, 3.0
"""How the baseline is trained, and how models run and are timed; a smaller demo is timed less."""


def _judge_both(
    seed: int, cache: Path | None, scale: float, output: Output, key: PrivateKey | None
) -> int:
    """Make and judge the two candidates, each into a folder of its own."""
    from prunegate.cli.console import progress
    from prunegate.demo.workspace import ARMS, default_cache, name_of, prepare_demo, scaled
    from prunegate.outputs.staging import staged

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
        sizes, place = scaled(scale), cache or default_cache()
        with progress(output) as report:
            made = prepare_demo(place, seed=seed, sizes=sizes, epochs=EPOCHS, progress=report)
        for arm, path in made.policies.items():
            folder, outcome = _judge(arm, path, folders[arm], _settings(seed, scale), output, key)
            decided[folder] = outcome
    _show_next(decided, output)
    return 0


def _settings(seed: int, scale: float) -> dict[str, Any]:
    """What the demo's runs have in common."""
    seconds = max(1.0, SECONDS * scale)
    return {"seed": seed, "batch": BATCH, "seconds": seconds, "command": "demo"}


def _judge(  # what a run takes, each of a kind of its own
    arm: str,
    policy: Path,
    staging: Staging,
    settings: dict[str, Any],
    output: Output,
    key: PrivateKey | None,
) -> tuple[Path, str]:
    """Make and judge one candidate; its folder and its verdict."""
    from prunegate.audit.ledger import Ledger
    from prunegate.cli.console import progress, show_decision
    from prunegate.demo.workspace import progress_of_arm
    from prunegate.gate import publish
    from prunegate.pipeline.context import Settings
    from prunegate.pipeline.run import run
    from prunegate.policy.load import read_policy

    with Ledger(output.audit) as ledger:
        with progress(output) as report:
            told = progress_of_arm(arm, report)
            chosen = Settings(**settings, ledger=ledger, progress=told)
            decision = run(read_policy(policy), staging.folder, chosen)
        write_ci_files(decision.record, staging.folder, output.ci, output.policy)
        folder = publish(decision, staging, output.audit, key)
    show_decision(decision, folder, output)
    return folder, decision.verdict.outcome


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


def _search(
    seed: int, cache: Path | None, scale: float, output: Output, _key: PrivateKey | None
) -> int:
    """Search for the smallest candidate that passes."""
    from prunegate.cli.console import progress
    from prunegate.cli.search import search_and_show
    from prunegate.demo.workspace import SEARCH, default_cache, name_of, prepare_search_demo, scaled
    from prunegate.outputs.staging import staged
    from prunegate.pipeline.context import Settings
    from prunegate.policy.load import read_policy

    sizes, place = scaled(scale), cache or default_cache()
    with staged(output.out, output.reports / name_of(SEARCH), force=output.force) as staging:
        with progress(output) as report:
            policy = prepare_search_demo(
                place, seed=seed, sizes=sizes, epochs=EPOCHS, progress=report
            )
        settings = Settings(**_settings(seed, scale))
        return search_and_show(read_policy(policy), settings, staging, output)
