"""JSON on stdout: what ``--json`` prints, which may hold names from other people's files.

It is printable ASCII, so that no name turns what a terminal shows around, whatever the encoding; a
parser finds the same values. A record is the one document whose bytes count: what is not read by a
person is the record as it is stored.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from prunegate.text.escape import ascii_json


def echo_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON, on one line where ``indent`` is None."""
    click.echo(ascii_json(json.dumps(value, indent=indent)))


def echo_record(content: bytes) -> None:
    """Print a record: its own bytes, which ``verify`` asks for, and on a terminal in ASCII."""
    text = content.decode()
    click.echo(ascii_json(text) if sys.stdout.isatty() else text)
