"""``prunegate label``: the rows of a predictions table that have to be labelled, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.finite_range import FiniteRange
from prunegate.cli.options import json_option, policy_argument, quiet_option, seed_option
from prunegate.cli.printed_json import echo_json
from prunegate.cli.written_paths import READ_TABLES, WRITTEN, PathsApart

if TYPE_CHECKING:
    from prunegate.planning.label_draw import DrawnLabels
    from prunegate.policy.schema import Policy

TOLD = ("limits", "reference", "shortfalls")
SHARE = FiniteRange(min=0, max=1, min_open=True, max_open=True)


@click.command(
    "label", cls=PathsApart, short_help="Draw the rows to label: those that differ, and no others."
)
@policy_argument
@click.option(
    "--predictions",
    type=READ_TABLES,
    required=True,
    multiple=True,
    help="CSV, Parquet or Arrow, without labels or with some; may be given several times.",
)
@click.option(
    "-o",
    "--out",
    type=WRITTEN,
    required=True,
    help="Folder for the list, new or empty; with --more, that of the first round.",
)
@click.option(
    "--power",
    type=SHARE,
    default=0.9,
    show_default=True,
    help="Chance that every blocking limit is shown to hold together, if nothing changed.",
)
@click.option("--budget", type=click.IntRange(min=1), help="Labels, at most.")
@click.option(
    "--random",
    type=click.IntRange(min=1),
    help="Rows to draw at random in each slice, for limits that agreeing rows bear on.",
)
@click.option(
    "--reference",
    type=click.IntRange(min=1),
    help="Rows that both models flag, and as many that neither flags, to draw in each slice: they "
    "show that the baseline knows anything.  [default: as planned for a good one]",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the rows' pictures, for label.html: paths in the image column start there, or "
    "files are called as the ids are.  [default: as 'data:' of the policy says]",
)
@click.option(
    "--more",
    is_flag=True,
    help="Draw the next round of the list in --out, into a folder of its own there; the policy "
    "says how many rounds there may be (evidence: looks).",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="With --more: the labels of the rounds so far, where they are not in their to-label.csv; "
    "may be given several times.",
)
@seed_option
@json_option("Print what each limit takes as JSON.")
@quiet_option("Print nothing.")
def command(
    *,
    policy: Path,
    predictions: tuple[str, ...],
    out: Path,
    as_json: bool,
    quiet: bool,
    **wanted: Any,
) -> int:
    """Draw the rows that POLICY needs labels of, from predictions whose labels are missing.

    Rows on which both models decide alike say nothing about a change; most need no label. The
    folder gets label.html to label in, offline; to-label.csv (or fill in its label column), the
    same rows as tasks for Label Studio, and labelling.json, which says what was drawn and why.
    Scores are left out: labelling is blind.
    'prunegate gate POLICY --predictions FILE --labels to-label.csv --labelling labelling.json'
    judges.

    \b
    Example:
      prunegate label policies/brand-safety-vit.yaml --predictions predictions.parquet -o labelling
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.cli.label_words import label_lines, not_blind
    from prunegate.data.labelled.contents import row_contents
    from prunegate.outputs.label_list import telling_names, write_list
    from prunegate.policy.load import read_policy

    images: Path | None = wanted.pop("images")
    judged, paths = read_policy(policy).policy, list(predictions)
    drawn, out, rounds = _drawn(judged, paths, out, **wanted)
    ids = [row[judged.columns.id] for row in drawn.to_label]
    contents = row_contents(judged, policy.parent, paths, ids, images)
    write_list(judged, drawn, out, contents)
    if told := telling_names(judged, drawn, contents):
        click.echo(not_blind(told), err=True)
    if as_json:
        from prunegate.audit.canonical import plain_json

        echo_json({name: plain_json(getattr(drawn, name)) for name in TOLD})
    elif not quiet:
        given = [str(policy), *(part for path in paths for part in ("--predictions", path))]
        click.echo("\n".join(label_lines(drawn, out, given, rounds)))
    return 0


def _drawn(
    judged: Policy,
    paths: list[str],
    out: Path,
    *,
    more: bool,
    labels: tuple[Path, ...],
    seed: int,
    **wanted: Any,
) -> tuple[DrawnLabels, Path, tuple[Path, ...]]:
    """The rows of a first round, or of the next one.

    Returns:
        What was drawn, the folder that it goes to, and the files with the labels of the rounds
        before.
    """
    from prunegate.audit.provenance import now
    from prunegate.counting.labelled_part import answered_ids
    from prunegate.outputs.label_list import last_round, require_empty
    from prunegate.planning.label_draw import draw_labels, draw_more
    from prunegate.planning.label_plan import LabelRequest

    if not more:
        if labels:
            raise click.UsageError("--labels goes with --more: a first round has no labels yet")
        require_empty(out)
        return draw_labels(judged, paths, LabelRequest(**wanted), seed=seed, at=now()), out, ()
    require_nothing_chosen()
    before, folder, lists = last_round(out)
    rounds = labels or lists
    answered = answered_ids(judged, rounds)
    return draw_more(judged, paths, before, answered=answered, at=now()), folder, rounds


def require_nothing_chosen() -> None:
    """Refuse to choose with --more what the first round has settled.

    Raises:
        UsageError: naming the options.
    """
    context = click.get_current_context()
    chosen = [
        f"--{name}"
        for name in ("power", "budget", "random", "reference", "seed")
        if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
    ]
    if chosen:
        raise click.UsageError(
            f"leave {', '.join(chosen)} out: what later rounds add was fixed by the first"
        )
