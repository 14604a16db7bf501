"""Sealing a bar: which rules will hold on which gate set, said before any score exists.

The entry names the policy file, what decides in it, and the gate set by content. Its time is by the
clock of who sealed it; once it is in the log, whoever holds a checkpoint knows that it cannot be
younger than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.audit.log.pending import add_pending
from prunegate.audit.provenance import now
from prunegate.audit.sealed_bar import SEAL
from prunegate.audit.signing.decision import clipped
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.counting.gate_set import GateSet, read_gate_set
from prunegate.policy.rules_digest import rules_digest

if TYPE_CHECKING:
    from prunegate.audit.signing.keys import PrivateKey
    from prunegate.policy.load import PolicyFile
    from prunegate.policy.schema import Policy


@dataclass(frozen=True, kw_only=True)
class SealedBar:
    """A bar that waits in the audit trail for the log's next seal."""

    entry: str
    """sha256 of the entry, which is its name under ``pending``."""
    created: str
    """UTC, ISO 8601, seconds."""
    policy: str
    """sha256 of the policy file."""
    rules: str
    gate_set: GateSet


def seal_bar(
    source: PolicyFile, gate_set: GateSet, audit: Path, key: PrivateKey | None = None
) -> SealedBar:
    """Pend the entry of a bar.

    Raises:
        InputError: the folder cannot be written.
    """
    created, rules = now(), rules_digest(source.policy)
    waivers = source.policy.waivers
    let = {} if waivers is None else {"waivers": waivers.model_dump(mode="json")}
    statement = Statement(
        subjects=(
            Subject(name="policy", sha256=source.sha256),
            Subject(name="gate set", sha256=gate_set.name),
        ),
        predicate_type=SEAL,
        predicate={
            "created": created,
            "policy": {"name": clipped(source.policy.name), "sha256": source.sha256},
            "rules": rules,
            "gate_set": gate_set.name,
            "contents": gate_set.contents,
            "rows": gate_set.rows,
            **let,
        },
    )
    place = add_pending(sign_envelope(statement.to_bytes(), [] if key is None else [key]), audit)
    return SealedBar(
        entry=place.name, created=created, policy=source.sha256, rules=rules, gate_set=gate_set
    )


def labelled_gate_set(policy: Policy, source: Any) -> GateSet:
    """The gate split of a labelled table, as ``run`` will judge it.

    Args:
        policy: names the columns.
        source: path of the labelled table.

    Raises:
        TableError: it cannot be read, or its split ``gate`` has no rows.
    """
    import pyarrow as pa

    from prunegate.counting.count import label_columns
    from prunegate.data.predictions.open_table import open_table
    from prunegate.errors import TableError

    columns = policy.columns
    if policy.task.traits.documents:
        raise TableError(
            "tokens of documents are counted by the model, so a gate set of prompts has no digest "
            "before a run; seal it with --predictions"
        )
    if policy.task.traits.sets:
        raise TableError(
            "no run judges rows with several labels; seal the table that is judged, with "
            "--predictions"
        )
    group = () if policy.group is None else (policy.group,)
    texts = tuple(dict.fromkeys((columns.id, columns.split, *policy.keys, *group)))
    labels = label_columns(policy)
    numbers = labels if policy.weight is None else (*labels, policy.weight)
    table = open_table(source, (*texts, *numbers), text_columns=texts, numeric_columns=numbers)
    with table.reading():
        found: pa.Table = table.frame.collect().to_arrow()
    gate = found.filter(pa.compute.equal(found[columns.split], "gate"))
    if not len(gate):
        raise TableError(f"{table.name}: split 'gate' has no rows; add some.")
    return read_gate_set(policy, gate.drop_columns([columns.split]))
