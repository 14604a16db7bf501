"""File kinds: what a file is by its name, so that one in another's place gets the right word."""

from __future__ import annotations

import os

TABLES = (".csv", ".csv.gz", ".tsv", ".parquet", ".arrow", ".feather", ".jsonl", ".jsonl.gz")
POLICIES = (".yaml", ".yml")


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a table's, by its end."""
    return os.fspath(path).lower().endswith(TABLES)


def is_policy(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a policy's, by its end."""
    return os.fspath(path).lower().endswith(POLICIES)
