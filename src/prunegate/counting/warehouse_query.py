"""Warehouse query: the one query that makes joint counts where the predictions already lie.

Nothing leaves the warehouse but a line per combination of slicing values, label and decisions, with
its number of rows. Rows that cannot be read (no label, a score that is missing, NaN or outside 0 to
1) have lines of their own, so that nothing is dropped unseen; so has what other labels there are,
and how many rows share an id with another. A fingerprint of what was counted stands in every line:
counts that were made for another threshold are told from these.

The query is built as an expression and written by sqlglot in the dialect asked for.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from prunegate.errors import InputError, UnsupportedError
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import require_decisions_do
from prunegate.policy.task import Role
from prunegate.policy.weight_consistency import refuse_weights

DIALECTS = (
    *("bigquery", "clickhouse", "databricks", "duckdb", "postgres", "redshift", "snowflake"),
    *("spark", "sqlite", "trino", "tsql"),
)
"""What the query can be written in."""
LABEL, BASELINE, CANDIDATE, ROWS = "label", "baseline", "candidate", "n"
UNREAD, OTHER_LOW, OTHER_HIGH = "unread", "other_label_low", "other_label_high"
IGNORED = "ignored"
"""What ``unread`` says of rows whose label the policy leaves out."""
REPEATED, FINGERPRINT = "repeated_ids", "fingerprint"
_OF_THE_QUERY = (LABEL, BASELINE, CANDIDATE, ROWS, UNREAD, OTHER_LOW, OTHER_HIGH, REPEATED)
_DECIDED = (LABEL, BASELINE, CANDIDATE)
_OTHER = "other label"
_LEFT_OUT = "left out"
_ROLES: dict[str, Role] = {BASELINE: "baseline", CANDIDATE: "candidate"}
_PREFIX = "prunegate__"
_VERSION = 1
_Node = Any
"""An expression of sqlglot, which is loaded only where SQL is written."""
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def query_fingerprint(policy: Policy) -> str:
    """What a policy has counted: sha256 over the keys of the policy that the query depends on."""
    columns, task = policy.columns, policy.task
    said = {
        "version": _VERSION,
        "task": task.model_dump(mode="json", include={"kind", "positive", "threshold", "ignore"}),
        "columns": {name: getattr(columns, name) for name in _DECIDED},
        "keys": list(policy.keys),
        "group": policy.group,
    }
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def counts_query(policy: Policy, table: str, dialect: str) -> str:
    """The query that makes the joint counts a policy is judged by.

    Args:
        policy: what is counted.
        table: name of the predictions table, as the dialect writes it (``project.set.table``).
        dialect: one of ``DIALECTS``.

    Raises:
        InputError: ``table`` is no name, a slicing key has the name of a column of the counts, or
            sqlglot is not installed.
        UnsupportedError: a task that no joint counts can stand for.
    """
    _refuse_uncountable(policy)
    query = _Query(policy, _source(table, dialect), dialect).whole()
    text: str = query.sql(
        dialect=dialect, pretty=True, unsupported_level=_sqlglot().ErrorLevel.RAISE
    )
    return text


def _refuse_uncountable(policy: Policy) -> None:
    """Refuse what no query of joint counts can say.

    Raises:
        InputError: a slicing key with the name of a column of the counts.
        UnsupportedError: a task, rules or columns that joint counts do not hold.
    """
    if not policy.task.traits.decided:
        raise UnsupportedError(
            f"a {policy.task.kind} task has no joint counts: its rows are numbers; give the table "
            "itself to 'prunegate gate --predictions'"
        )
    require_decisions_do(
        policy, "the query counts decisions; give the table itself to 'prunegate gate'"
    )
    refuse_weights(
        policy,
        "is not written in SQL: joint counts do not say how much their rows weigh; give the table "
        "itself to 'prunegate gate --predictions'",
    )
    if policy.task.traits.sets:
        raise UnsupportedError(
            "a multilabel task has no joint counts: a row has a decision for every label; give the "
            "table itself to 'prunegate gate --predictions', or count each label for a binary "
            "policy of its own"
        )
    if policy.intervals or policy.data.scores is not None:
        what = "intervals of a slicing key" if policy.intervals else "scores per class"
        raise UnsupportedError(
            f"{what} are not written in SQL; make a column of them in the warehouse and name it in "
            "the policy"
        )
    taken = [key for key in policy.keys if key in _OF_THE_QUERY]
    if taken:
        raise InputError(f"the counts have a column {taken[0]!r} of their own; rename that key")


def _sqlglot() -> Any:
    try:
        import sqlglot
    except ImportError as error:
        raise InputError("writing SQL needs sqlglot; run: pip install 'prunegate[sql]'") from error
    return sqlglot


def _source(table: str, dialect: str) -> _Node:
    """The table's name, and nothing else."""
    sqlglot = _sqlglot()
    try:
        found = sqlglot.exp.to_table(table, dialect=dialect)
    except (sqlglot.errors.ParseError, sqlglot.errors.TokenError, ValueError) as error:
        raise InputError(f"--table {table!r} is no table's name in {dialect}") from error
    names = [part for part in found.find_all(sqlglot.exp.Expression) if part is not found]
    if not found.name or any(not isinstance(part, sqlglot.exp.Identifier) for part in names):
        raise InputError(f"--table {table!r} is no table's name in {dialect}")
    if _plain(".".join(part.name for part in found.parts)) != _plain(table):  # a comment, it may be
        raise InputError(f"--table {table!r} is no table's name in {dialect}")
    return found


_QUOTES = str.maketrans("", "", '`"[] \t\r\n')


def _plain(name: str) -> str:
    """A table's name without quotes and blanks."""
    return name.translate(_QUOTES)


class _Query:
    """The query of one policy over one table."""

    def __init__(self, policy: Policy, source: _Node, dialect: str) -> None:
        self._exp = _sqlglot().exp
        self._policy = policy
        self._source = source
        self._dialect = dialect
        keys = (*policy.keys, *((policy.group,) if policy.group else ()))
        self._keys = tuple(dict.fromkeys(keys))

    def whole(self) -> _Node:
        """Read, mark what cannot be read, count, and say what holds for the table as a whole."""
        e = self._exp
        said = e.Literal.string(query_fingerprint(self._policy))
        heads = (*self._keys, UNREAD, *_DECIDED, ROWS, OTHER_LOW, OTHER_HIGH)
        return (
            e.select(
                *(self._named(self._own(name), name) for name in heads),
                self._named(self._repeated(), REPEATED),
                self._named(said, FINGERPRINT),
            )
            .from_("counted")
            .with_("read_rows", as_=self._read())
            .with_("marked", as_=self._marked())
            .with_("counted", as_=self._counted())
        )

    def _read(self) -> _Node:
        """Keys and decisions of every row; a decision that cannot be had is null."""
        return self._exp.select(
            *(self._as_own(self._column(key), key) for key in self._keys),
            *(self._as_own(self._decision(name), name) for name in _DECIDED),
            self._as_own(self._other_label(), _OTHER),
            *((self._as_own(self._left_out(), _LEFT_OUT),) if self._policy.task.ignore else ()),
        ).from_(self._source)

    def _marked(self) -> _Node:
        """The first thing of a row that cannot be read; then none of its decisions counts."""
        e, missing = self._exp, self._exp.Case()
        if self._policy.task.ignore:
            missing = missing.when(self._own(_LEFT_OUT).eq(_one(e)), e.Literal.string(IGNORED))
        for name in _DECIDED:
            missing = missing.when(self._own(name).is_(e.null()), e.Literal.string(name))
        readable = e.and_(*(self._own(name).is_(e.null()).not_() for name in _DECIDED))
        if self._policy.task.ignore:
            readable = e.and_(readable, self._own(_LEFT_OUT).eq(_none(e)))
        return e.select(
            *(self._as_own(self._own(key), key) for key in self._keys),
            self._as_own(missing, UNREAD),
            *(
                self._as_own(e.Case().when(readable.copy(), self._own(name)), f"{name} if read")
                for name in _DECIDED
            ),
            self._as_own(self._own(_OTHER), _OTHER),
        ).from_("read_rows")

    def _counted(self) -> _Node:
        e = self._exp
        decided = {name: self._own(f"{name} if read") for name in _DECIDED}
        by = {**{name: self._own(name) for name in (*self._keys, UNREAD)}, **decided}
        return (
            e.select(
                *(self._as_own(what, name) for name, what in by.items()),
                self._as_own(e.Count(this=e.Star(), big_int=True), ROWS),
                self._as_own(e.Min(this=self._own(_OTHER)), OTHER_LOW),
                self._as_own(e.Max(this=self._own(_OTHER)), OTHER_HIGH),
            )
            .from_("marked")
            .group_by(*(what.copy() for what in by.values()))
        )

    def _repeated(self) -> _Node:
        """Rows without an id, or with the id of an earlier one."""
        e = self._exp
        ids = self._column(self._policy.columns.id)
        rows = e.Count(this=e.Star(), big_int=True)
        distinct = e.Count(this=e.Distinct(expressions=[ids]), big_int=True)
        return e.select(rows - distinct).from_(self._source.copy()).subquery()

    def _decision(self, name: str) -> _Node:
        """What a column decides: 1, 0 or null; for several classes the label itself."""
        e = self._exp
        column = self._column(getattr(self._policy.columns, name))
        task = self._policy.task
        if not task.traits.yes_no:
            return self._label(column)
        threshold = None if name == LABEL else task.threshold_of(_ROLES[name])
        if threshold is None:
            positive = column.copy().eq(e.convert(task.positive))
            return e.Case().when(self._is_empty(column), e.null()).when(positive, _one(e)).else_(
                _none(e)
            )  # fmt: skip
        in_range = e.and_(column.copy() >= _none(e), column.copy() <= _one(e))
        over = e.and_(in_range, column.copy() >= _number(e, threshold))
        return e.Case().when(over, _one(e)).when(in_range.copy(), _none(e))

    def _label(self, column: _Node) -> _Node:
        return self._exp.Case().when(self._is_empty(column).not_(), column.copy())

    def _is_empty(self, column: _Node) -> _Node:
        """Whether there is no label: null, or in a column of text an empty one."""
        e = self._exp
        missing: _Node = column.copy().is_(e.null())
        known = (self._policy.task.positive, *self._policy.task.classes)
        if not any(isinstance(label, str) for label in known) and known != (None,):
            return missing
        return e.or_(missing, column.copy().eq(e.Literal.string("")))

    def _other_label(self) -> _Node:
        """The label where it is not the positive one; of a binary task there is just one such."""
        e = self._exp
        if not self._policy.task.traits.yes_no:
            return e.cast(e.null(), "VARCHAR")
        column = self._column(self._policy.columns.label)
        other = column.copy().neq(e.convert(self._policy.task.positive))
        kept = e.and_(self._is_empty(column).not_(), other)
        if self._policy.task.ignore:
            kept = e.and_(kept, self._left_out().eq(_none(e)))
        return e.Case().when(kept, column)

    def _left_out(self) -> _Node:
        """1 where the policy leaves the row's label out."""
        e, column = self._exp, self._column(self._policy.columns.label)
        labels = [e.convert(label) for label in self._policy.task.ignore]
        return e.Case().when(column.isin(*labels), _one(e)).else_(_none(e))

    def _column(self, name: str) -> _Node:
        return self._exp.column(self._quoted(name))

    def _quoted(self, name: str) -> _Node:
        """A name of the user's table: quoted where it could not stand as it is."""
        keyword = name.upper() in _keywords(self._dialect)
        plain = _PLAIN.fullmatch(name) is not None and not keyword
        return self._exp.to_identifier(name, quoted=not plain)

    def _own(self, name: str) -> _Node:
        """A column between the steps, under a name that no table has.

        ClickHouse reads an alias where a column of the same name is meant.
        """
        return self._exp.column(self._exp.to_identifier(self._own_name(name), quoted=True))

    def _own_name(self, name: str) -> str:
        place = self._keys.index(name) if name in self._keys else None
        return _PREFIX + (name.replace(" ", "_") if place is None else f"key_{place}")

    def _as_own(self, what: _Node, name: str) -> _Node:
        return self._named(what, self._own_name(name))

    def _named(self, what: _Node, name: str) -> _Node:
        return self._exp.alias_(what, name, quoted=True)


def _keywords(dialect: str) -> set[str]:
    sqlglot = _sqlglot()
    return set(sqlglot.Dialect.get_or_raise(dialect).tokenizer_class.KEYWORDS)


def _one(e: Any) -> Any:
    return e.Literal.number(1)


def _none(e: Any) -> Any:
    return e.Literal.number(0)


def _number(e: Any, value: float) -> Any:
    """A threshold with all its digits; with an exponent, some dialects read another type."""
    from decimal import Decimal

    return e.Literal.number(f"{Decimal(repr(float(value))):f}")
