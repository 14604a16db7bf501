"""Arguments in each other's place: a table where the policy belongs, or without its option."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prunegate.errors import InputError
from prunegate.io.file_kinds import POLICIES, is_table
from prunegate.text.escape import shell_word


def require_policy_first(given: Sequence[Path], predictions: Sequence[str]) -> None:
    """Refuse a table as a policy, and a policy as the table, by the names' ends.

    Raises:
        InputError: it says what was meant.
    """
    policies = [path for path in predictions if path.lower().endswith(POLICIES)]
    tables = [str(path) for path in given if is_table(str(path))]
    if tables:
        own = [str(path) for path in given if str(path) not in tables]
        told = f"{tables[0]} is a table, but POLICY is a YAML file"
        if policies:
            told = f"policy and table are swapped; {_meant(policies[0], tables)}"
        raise InputError(
            told if policies else f"{told}; {_meant((*own, 'POLICY.yaml')[0], tables)}"
        )
    if policies:
        raise InputError(
            f"{policies[0]} is a policy, no table; give the predictions (CSV, Parquet or Arrow) to "
            "--predictions"
        )


def hint(given: Sequence[str], command: str = "gate") -> str:
    """What was likely meant by arguments that are refused; empty: nobody knows."""
    loose = [
        arg
        for before, arg in zip(["", *given], given, strict=False)
        if is_table(arg) and not arg.startswith("-") and not before.startswith("--")
    ]
    policy = next((arg for arg in given if arg.lower().endswith(POLICIES)), "POLICY.yaml")
    if loose and "--predictions" not in given:
        return f"A table is given by its option; {_meant(policy, loose, command)}"
    return ""


def _meant(policy: str, tables: Sequence[str], command: str = "gate") -> str:
    options = " ".join(f"--predictions {shell_word(table)}" for table in tables)
    return f"try: prunegate {command} {shell_word(policy)} {options}"
