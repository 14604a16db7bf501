"""The command line as a page: every command with its help, arguments and options, from click."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import click
from markdown_text import cell, table

from prunegate.cli import cli

_HEAD = """\
# The command line

<!-- Written by tools/reference from the commands themselves; change them, then: make reference -->

Every command and every option. `--help` says the same in the terminal.

| exit code | means |
|---|---|
| 0 | approve; of commands that judge nothing: done |
| 1 | internal error: a mistake in prunegate, never a verdict |
| 2 | usage or bad input; nothing was written |
| 3 | reject |
| 4 | inconclusive |
| 5 | approvals missing or expired |
| 6 | audit evidence does not verify |
"""


def command_line() -> str:
    """The whole page."""
    found = list(_commands(cli, ("prunegate",)))
    index = table(
        ("command", "does"),
        [(f"[`{' '.join(path)}`](#{'-'.join(path)})", cell(_short(one))) for path, one in found],
    )
    parts = [_HEAD, index, *(_section(path, one) for path, one in found)]
    return "\n".join(parts)


def _commands(
    group: click.Group, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, in the order of --help."""
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        if isinstance(one, click.Group):
            yield from _commands(one, (*path, name))
        elif one is not None:
            yield (*path, name), one


def _short(one: click.Command) -> str:
    return one.get_short_help_str(limit=200)


def _section(path: tuple[str, ...], one: click.Command) -> str:
    context = click.Context(one, info_name=" ".join(path))
    usage = " ".join([context.command_path, *one.collect_usage_pieces(context)])
    options = [param for param in one.params if isinstance(param, click.Option)]
    parts = [f"\n## {' '.join(path)}\n", f"```text\n{usage}\n```\n", _help(one.help or "")]
    if options:
        rows = [_option(option, context) for option in options]
        parts.append(table(("option", "value", "default", "meaning"), rows))
    return "\n".join(parts)


def _help(text: str) -> str:
    """The command's help: paragraphs, and what is set line by line as a block."""
    out = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        kept = paragraph.startswith("\b")
        lines = paragraph.removeprefix("\b").strip("\n").splitlines()
        if kept and len(lines) > 1 and lines[0].endswith(":"):
            block = "\n".join(line.removeprefix("  ") for line in lines[1:])
            out.append(f"{lines[0]}\n\n```text\n{block}\n```\n")
        elif lines:
            out.append(f"{cell(' '.join(line.strip() for line in lines))}\n")
    return "\n".join(out)


def _option(option: click.Option, context: click.Context) -> tuple[str, str, str, str]:
    names = "`, `".join((*option.opts, *option.secondary_opts))
    meaning = cell(option.help or "")
    if option.multiple and "several times" not in meaning:
        meaning += " May be given several times."
    return f"`{names}`", _value(option), _default(option, context), meaning


def _value(option: click.Option) -> str:
    kind: Any = option.type
    if option.is_flag:
        return "flag"
    if isinstance(kind, click.Choice):
        return " or ".join(f"`{choice}`" for choice in kind.choices)
    if isinstance(kind, click.IntRange | click.FloatRange):
        noun = "whole number" if isinstance(kind, click.IntRange) else "number"
        return f"{noun}, {_range(kind)}"
    words = {"integer": "whole number", "float": "number", "path": "path", "text": "text"}
    return words.get(kind.name, cell(kind.name))


def _range(kind: Any) -> str:
    low = f"{kind.min:,}" if kind.min is not None else ""
    high = f"{kind.max:,}" if kind.max is not None else ""
    return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"


def _default(option: click.Option, context: click.Context) -> str:
    if option.required:
        return "**required**"
    if option.is_flag and option.secondary_opts:
        return f"`{(option.opts if option.default else option.secondary_opts)[0]}`"
    value = option.get_default(context)
    if value is getattr(click.core, "UNSET", None):  # since click 8.3 there is a word for nothing
        value = None
    if option.is_flag or option.multiple or value is None or value == "":
        return ""
    shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{shown}`"
