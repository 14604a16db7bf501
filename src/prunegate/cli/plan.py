"""``prunegate plan``: how many labels a policy needs, and how its gate will decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.finite_range import FiniteRange
from prunegate.cli.options import (
    PATH,
    ConsoleOptions,
    color_option,
    json_option,
    may_color,
    policy_argument,
    quiet_option,
    seed_option_of,
)
from prunegate.cli.printed_json import echo_json
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.planning.plan import Given
    from prunegate.policy.schema import Policy


_LEAST = 1e-6
"""The rarest thing that a plan is asked about; below it no number of rows is enough."""


class Share(FiniteRange):
    """A number between 0 and 1, and not so near to either that no plan reaches it."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number."""
        number: float = super().convert(value, param, ctx)
        if not _LEAST <= number <= 1 - _LEAST:
            self.fail(f"{value} is nearer to 0 or 1 than a plan can reach ({_LEAST}).", param, ctx)
        return number


SHARE = Share(min=0, max=1, min_open=True, max_open=True)


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What the plan is made from: a pilot, or rates taken for granted."""

    counts: Path | None
    predictions: tuple[str, ...]
    discordance: float | None
    prevalence: float | None
    rate: float | None
    rows: int | None
    as_seen: bool


@click.command("plan", short_help="Plan the labels a policy needs, and how its gate will decide.")
@policy_argument
@click.option(
    "--counts",
    type=PATH,
    help="A pilot as a counts table: slicing columns, label, baseline, candidate (1 or 0), n.",
)
@click.option(
    "--predictions",
    multiple=True,
    help="A pilot as a predictions table; may be given several times.",
)
@click.option(
    "--as-seen", is_flag=True, help="Expect the change that the pilot shows, instead of none."
)
@click.option(
    "--discordance",
    type=SHARE,
    help="Without a pilot: share of rows on which the models differ [default: 0.04].",
)
@click.option(
    "--prevalence", type=SHARE, help="Without a pilot: share of positive rows [default: 0.5]."
)
@click.option(
    "--rate",
    type=SHARE,
    help="Without a pilot: the baseline's recall and specificity [default: 0.95].",
)
@click.option(
    "--rows",
    type=click.IntRange(min=1, max=100_000_000),
    help="Without a pilot: rows of the smallest slice [default: as many as the plan needs].",
)
@click.option(
    "--power",
    type=SHARE,
    default=0.9,
    show_default=True,
    help="Chance that every blocking limit on rows is proven together, if nothing changed.",
)
@click.option(
    "--simulations",
    type=click.IntRange(min=1, max=1_000_000),
    default=1000,
    show_default=True,
    help="Simulated tables per scenario.",
)
@seed_option_of("the simulation")
@json_option("Print the plan as JSON.")
@quiet_option("No progress, and no table of limits.")
@color_option
def command(policy: Path, as_json: bool, quiet: bool, no_color: bool, **options: Any) -> int:
    """Plan POLICY: labels needed per limit and slice, and the gate's operating characteristics.

    With a pilot (--counts or --predictions) sizes, rates and discordance are the pilot's; without
    one they are assumed, on the values that the policy names.

    \b
    Example:
      prunegate plan policies/brand-safety-vit.yaml --discordance 0.04
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.canonical import plain_json
    from prunegate.cli.console import progress
    from prunegate.cli.plan_words import plan_lines
    from prunegate.planning import PlanRequest, plan
    from prunegate.planning.plan import require_plannable
    from prunegate.policy.load import read_policy

    wanted = PlanRequest(
        power=options.pop("power"),
        simulations=options.pop("simulations"),
        seed=options.pop("seed"),
        as_seen=options["as_seen"],
    )
    basis = Basis(**options)
    _require_one_basis(basis)
    judged = read_policy(policy).policy
    require_plannable(judged)
    with progress(ConsoleOptions(quiet=quiet, color=may_color(no_color))) as report:
        found = plan(judged, _given(judged, basis), wanted, rows=basis.rows, progress=report)
    if as_json:
        echo_json(plain_json(found))
    else:
        click.echo("\n".join(plan_lines(found, brief=quiet)))
    return 0


def _require_one_basis(basis: Basis) -> None:
    pilots = [bool(basis.counts), bool(basis.predictions)]
    assumed = (basis.discordance, basis.prevalence, basis.rate, basis.rows)
    if all(pilots):
        raise InputError("give either --counts or --predictions: a plan is made from one pilot")
    if any(pilots) and any(value is not None for value in assumed):
        raise InputError(
            "--discordance, --prevalence, --rate and --rows are for a plan without a pilot; leave "
            "them out, or leave --counts and --predictions out"
        )
    if basis.as_seen and not any(pilots):
        raise InputError("--as-seen expects what a pilot shows; give --counts or --predictions")


def _given(policy: Policy, basis: Basis) -> Given:
    from prunegate.counting.pilot import pilot_counts, pilot_predictions
    from prunegate.planning.assumed_groups import Assumed

    if basis.counts:
        return pilot_counts(policy, basis.counts)
    if basis.predictions:
        return pilot_predictions(policy, list(basis.predictions))
    named = {name: getattr(basis, name) for name in ("discordance", "prevalence", "rate")}
    return Assumed(**{name: value for name, value in named.items() if value is not None})
