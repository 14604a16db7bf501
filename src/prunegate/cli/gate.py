"""``prunegate gate``: judge a predictions table, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from prunegate.cli import tell_error
from prunegate.cli.ci import write_ci_files
from prunegate.cli.options import PATH
from prunegate.cli.prediction_options import Given, prediction_options
from prunegate.cli.swapped import require_policy_first
from prunegate.cli.verdict_options import (
    Output,
    VerdictCommand,
    VerdictPlace,
    fail_on_option,
    output_options,
    policy_name,
)
from prunegate.errors import InputError, InternalError, PrunegateError
from prunegate.io.uncollected import uncollected
from prunegate.text.escape import escaped


def _folders(arguments: dict[str, Any]) -> tuple[str, ...]:
    """Names of the folders that several policies get; one policy writes into the output folder."""
    policies = arguments["policies"]
    return () if len(policies) == 1 else tuple(map(policy_name, policies))


def _begin() -> None:
    """Start what loads longest, then load what even the output folder's fate hangs on.

    Where no process can be started is told when it is asked.
    """
    from prunegate.audit.opinion.process import at_hand

    with suppress(InternalError):
        at_hand()
    with uncollected():
        import prunegate.policy.load  # noqa: F401  # a policy's name is known by it


@click.command("gate", cls=VerdictCommand, short_help="Judge a predictions table.")
@click.argument("policies", metavar="POLICY...", type=PATH, nargs=-1, required=True)
@prediction_options
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What counts; spark reads CSV and Parquet wherever Spark can, folders too.",
)
@click.option(
    "--measurements",
    type=PATH,
    help="measurements.json of an earlier run, for rules on latency, size and cost.",
)
@fail_on_option
@partial(output_options, parts_of=_folders, begin=_begin)
def command(
    *,
    policies: tuple[Path, ...],
    given: Given,
    engine: str,
    measurements: Path | None,
    fail_on: str,
    output: Output,
) -> int:
    """Judge a predictions table against POLICY.

    The table has the columns id, label, baseline, candidate and the policy's slicing keys. Labels
    and the answers of the two models may come in files of their own, which are joined on the id. No
    model is loaded. Several policies are judged one by one: --out holds a folder for each, and the
    exit code is the worst.

    \b
    Example:
      prunegate gate policies/brand-safety-vit.yaml --predictions predictions.parquet
      prunegate gate p.yaml --labels truth.parquet --baseline-predictions old.csv.gz \\
        --candidate-predictions new.jsonl
    """  # noqa: D301  # click's mark is the character itself
    require_policy_first(policies, given.predictions)
    judging = _Judging(
        given=given, engine=engine, measurements=measurements, fail_on=fail_on, output=output
    )
    if len(policies) == 1:
        return judging.one(policies[0], output.out)
    return judging.several(policies)


@dataclass(frozen=True, kw_only=True)
class _Judging:
    """What is judged and how, whatever the policy."""

    given: Given
    engine: str
    measurements: Path | None
    fail_on: str
    output: Output

    def one(self, policy: Path, out: Path | None) -> int:
        """Judge by one policy; the exit code."""
        return _one(policy, self, replace(self.output, out=out, policy=policy))

    def several(self, policies: Sequence[Path]) -> int:
        """Judge by each, tell all outcomes in a few lines at the end, and return the worst code.

        A policy or table that cannot be judged keeps no other policy from being judged.

        Raises:
            InputError: two policies have one name, and so one folder.
        """
        codes, names = {}, _names(policies)
        for policy in policies:
            out = self.output.out / names[policy] if self.output.out else None
            place = VerdictPlace(out=out, force=self.output.force, policy=policy, ci=self.output.ci)
            try:
                with place.without_stale_verdict():
                    codes[policy] = self.one(policy, out)
            except PrunegateError as error:
                tell_error(error)
                codes[policy] = error.exit_code
        for policy, code in codes.items():
            said = f"{_WORDS.get(code, code):<13} {escaped(str(policy))}"
            click.echo(said, err=self.output.as_json)
        return min(codes.values(), key=_WORST_FIRST.index)


_WORST_FIRST = (1, 2, 3, 4, 0)
_WORDS = {0: "approve", 2: "not judged", 3: "reject", 4: "inconclusive"}


@uncollected()
def _one(policy: Path, asked: _Judging, output: Output) -> int:
    from prunegate.audit.opinion.process import ask_of, at_hand

    opinion = at_hand()  # loads its engine while what follows is loaded and counted

    from prunegate.audit.assemble import Origin
    from prunegate.audit.input_digests import measurements_input
    from prunegate.audit.ledger import Ledger
    from prunegate.cli.console import busy, ending, show_decision
    from prunegate.cost.measurements_file import read_measurements
    from prunegate.gate import gate, publish
    from prunegate.outputs.staging import staged
    from prunegate.policy.load import read_policy

    key = output.signing_key()  # a wrong one is known at once
    source = read_policy(policy)
    measured = asked.measurements
    figures = read_measurements(measured) if measured else None
    behind = (measurements_input(measured),) if measured else ()
    place = staged(output.out, output.reports / source.policy.name, force=output.force)
    ledger = Ledger(output.audit)
    reading = asked.given.readable(asked.engine)
    with place as staging, reading as table, ledger, busy(output, "judging ..."):
        origin = Origin(inputs=(*asked.given.inputs(), *behind))
        ask = ask_of(opinion)
        decision = gate(source, table, measurements=figures, origin=origin, ledger=ledger, ask=ask)
        write_ci_files(decision.record, staging.folder, output.ci, output.policy)
        folder = publish(decision, staging, output.audit, key)
    show_decision(decision, folder, output)
    return ending(decision.verdict, asked.fail_on)


def _names(policies: Sequence[Path]) -> dict[Path, str]:
    """The name of each policy, as it says; of an unreadable one, its file's."""
    found: dict[Path, str] = {}
    for policy in policies:
        name = policy_name(policy)
        if name in found.values():
            raise InputError(
                f"{escaped(str(policy))}: a policy of the name {name} is given already; each "
                "writes a folder of its name"
            )
        found[policy] = name
    return found
