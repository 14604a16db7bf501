"""``prunegate policy``: write, check, compare, seal and read back policy files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import PATH, force_option, json_option, quiet_option
from prunegate.cli.policy_diff import command as diff
from prunegate.cli.policy_seal import command as seal
from prunegate.cli.printed_json import echo_json
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.errors import InputError, PolicyError
from prunegate.text.escape import escaped, shell_words

if TYPE_CHECKING:
    from prunegate.policy.load import PolicyFile


@click.group(
    "policy",
    short_help="Write, check, compare, seal and read back policy files.",
    epilog="Example: prunegate policy validate policies/*.yaml",
)
def command() -> None:
    """Write, check, compare, seal and read back policy files."""


command.add_command(diff)
command.add_command(seal)


@command.command(
    "new",
    cls=PathsApart,
    epilog="Example: prunegate policy new my.yaml --positive unsafe --by content_type --yes",
)
@click.argument("path", type=WRITTEN, required=False)
@click.option("--name", help="Name of the policy [default: the file's name].")
@click.option("--positive", help="Label that counts as positive (1 and true are taken as such).")
@click.option("--threshold", help="Score from which an item is positive, or 'none' for labels.")
@click.option("--by", help="Column whose values are judged one by one, or 'none'.")
@click.option("--expect", help="Values of that column that must be there, separated by commas.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; take defaults for what is not given.")
@force_option
@quiet_option()
def new(path: Path | None, *, yes: bool, force: bool, quiet: bool, **given: str | None) -> None:
    """Write a commented policy to PATH (default: NAME.yaml) from a few answers."""
    from prunegate.io.atomic import write_whole
    from prunegate.policy.template import render_new

    defaults = {**_DEFAULTS, "name": path.stem if path else _DEFAULTS["name"]}
    answers: dict[str, str] = {}
    for key, question in _QUESTIONS.items():
        answer = given[key]
        if answer is None:
            answer = defaults[key] if yes else _ask(question, defaults[key], answers)
        answers[key] = answer.strip()
    text = render_new(answers["name"], **_understood(answers))
    target = path or Path(f"{answers['name']}.yaml")
    if os.path.lexists(target) and not force:
        raise InputError(f"{target}: exists already; --force overwrites it")
    write_whole(target, text.encode())
    if not quiet:
        checked = shell_words(["prunegate", "policy", "validate", str(target)])
        click.echo(f"{escaped(str(target))}: written; set its limits, then: {checked}")


_DEFAULTS = {
    "name": "my-policy",
    "positive": "positive",
    "threshold": "0.5",
    "by": "none",
    "expect": "",
}
_QUESTIONS = {
    "name": "Name of the policy",
    "positive": "Label that counts as positive",
    "threshold": "Score from which an item is positive ('none' if tables hold labels)",
    "by": "Column whose values are judged one by one ('none' for overall only)",
    "expect": "Values of that column that must be there, separated by commas",
}


def _ask(question: str, default: str, answers: dict[str, str]) -> str:
    if question == _QUESTIONS["expect"] and answers["by"] == "none":
        return ""
    return str(click.prompt(question, default=default, err=True, show_default=bool(default)))


def _understood(answers: dict[str, str]) -> dict[str, Any]:
    values = [value.strip() for value in answers["expect"].split(",")]
    by = None if answers["by"] == "none" else answers["by"]
    if by is None and any(values):
        raise InputError("--expect lists values of a column: say which one with --by")
    return {
        "positive": _scalar(answers["positive"]),
        "threshold": _threshold(answers["threshold"]),
        "by": by,
        "expect": [_scalar(value) for value in values if value],
    }


def _threshold(answer: str) -> float | None:
    if answer == "none":
        return None
    value = _scalar(answer)
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "expected a number from 0 to 1, or none"
        raise InputError(f"--threshold: got '{answer}', {hint}")
    return float(value)


def _scalar(answer: str) -> Any:
    """An answer as the file would read it unquoted; what it would refuse is text."""
    from prunegate.policy.yaml.scalars import resolve

    try:
        value = resolve(answer)
    except ValueError:
        return answer
    return answer if value is None else value


@command.command("validate", epilog="Example: prunegate policy validate policies/*.yaml")
@click.argument("files", type=PATH, nargs=-1, required=True)
@json_option("Print the results on stdout as JSON.")
@quiet_option("Print mistakes only.")
def validate(files: tuple[Path, ...], *, as_json: bool, quiet: bool) -> int:
    """Check FILES and list every mistake with file and line."""
    results = [_validated(path) for path in files]
    mistakes = [line for result in results for line in result["mistakes"]]
    if as_json:
        echo_json(results)
        return PolicyError.exit_code if mistakes else 0
    for result in results:
        file = escaped(result["file"])
        if "rules" not in result and not result["mistakes"] and not quiet:
            click.echo(f"{file}: ok — stated figures; 'prunegate claims' checks them")
        elif not result["mistakes"] and not quiet:
            rules, slices = _count(result["rules"], "rule"), _count(result["slicings"], "slicing")
            click.echo(f"{file}: ok — {rules}, {slices}")
        for warning in result.get("warnings", ()):
            click.echo(f"{file}: warning: {warning}", err=True)
    if mistakes:
        raise PolicyError(mistakes)
    return 0


def _validated(path: Path) -> dict[str, Any]:
    from prunegate.policy.load import read_policy
    from prunegate.policy.load_claims import SUFFIX, read_claims

    try:
        if path.name.endswith(SUFFIX):
            stated = read_claims(path)
            return {"file": str(path), "ok": True, "mistakes": [], "sha256": stated.sha256}
        source = read_policy(path)
    except PolicyError as error:
        return {"file": str(path), "ok": False, "mistakes": list(error.mistakes)}
    except InputError as error:
        return {"file": str(path), "ok": False, "mistakes": [str(error)]}
    return {"file": str(path), "ok": True, "mistakes": [], **_summary(source)} | _warned(source)


def _warned(source: PolicyFile) -> dict[str, list[str]]:
    """What to look at again; nothing where there is nothing."""
    from prunegate.policy.cautions import caution_sentence, cautions
    from prunegate.policy.messages import show_path

    found = cautions(source.policy)
    told = [f"{show_path(one.path)}: {caution_sentence(one)}" for one in found]
    return {"warnings": told} if told else {}


def _summary(source: PolicyFile) -> dict[str, Any]:
    policy = source.policy
    return {
        "name": policy.name,
        "sha256": source.sha256,
        "rules": len(policy.rules),
        "slicings": len(policy.slices),
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@command.command("schema", epilog="Example: prunegate policy schema > policy.schema.json")
def schema() -> None:
    """Print the policy language as JSON Schema, for editors."""
    from prunegate.policy.json_schema import json_schema

    echo_json(json_schema())


@command.command(
    "explain", epilog="Example: prunegate policy explain policies/brand-safety-vit.yaml"
)
@click.argument("file", type=PATH)
@json_option("Print the sentences on stdout as JSON.")
def explain(file: Path, *, as_json: bool) -> None:
    """Say in plain English what FILE demands: one sentence per rule, then what holds for all."""
    from prunegate.policy.explain import explain_policy as sentences
    from prunegate.policy.load import load_policy

    policy = load_policy(file)
    said = sentences(policy)
    if as_json:
        echo_json({"name": policy.name, "sentences": said}, indent=None)
        return
    rules = len(policy.rules)
    for number, sentence in enumerate(said[:rules], start=1):
        click.echo(f"{number}. {sentence}")
    click.echo("")
    for sentence in said[rules:]:
        click.echo(f"- {sentence}")
