"""Spark cells: what a value of a Spark column is handed over as, meant and spelt as by DuckDB."""

from __future__ import annotations

from prunegate.data.predictions.table import Kind, not_one_value

WHOLE = {"byte", "short", "integer", "long"}
"""Spark's types of whole numbers."""
_INEXACT = {"float", "double", "decimal"}
_TIMES = {"timestamp", "timestamp_ntz"}
_AS_TEXT = {"string", "varchar", "char", "date", "timestamp", "timestamp_ntz", "void"}


def kind_in_spark(spark: str, column: str, name: str) -> Kind:
    """What a column of one of Spark's types holds.

    Raises:
        TableError: no single values.
    """
    if spark == "boolean":
        return "boolean"
    if spark in WHOLE | _INEXACT:
        return "number"
    if spark in _AS_TEXT:
        return "text"
    raise not_one_value(name, column, spark)


def cell_sql(value: str, spark: str, wanted: Kind) -> str:
    """A cell of one of Spark's types as the kind that is wanted."""
    if wanted == "number":
        return f"CAST({value} AS DOUBLE)" if spark in _INEXACT else value
    if wanted == "boolean":
        return value
    if spark == "float":  # the decimals of 32 bits, not of the 64 that they would become
        return _number_text(f"CAST({value} AS STRING)")
    if spark in _INEXACT:
        return _number_text(value)
    # Also of text: a collation that takes a for A would count two slices as one.
    text = f"CAST({value} AS STRING)"
    return f"regexp_replace({text}, ' 00:00:00$', '')" if spark in _TIMES else text


def _number_text(value: str) -> str:
    """A number as DuckDB and Python write it: ``1``, ``2.5``, ``1e-07``; NaN is missing.

    Past 1e16 a Java older than 19 may write a digit more than it takes.
    """
    number = f"CAST({value} AS DOUBLE)"
    java = f"CAST({number} AS STRING)"  # 2.5, 1.0E-7
    zeros = f"regexp_replace(CAST(CAST({java} AS DECIMAL(38, 21)) AS STRING), r'0+$', '')"
    plain = rf"regexp_replace({zeros}, r'\.$', '.0')"
    digits = rf"regexp_replace(regexp_extract({java}, r'^(.*)E', 1), r'\.0$', '')"
    power = f"CAST(regexp_extract({java}, r'E(.*)$', 1) AS INT)"
    return (
        f"CASE WHEN isnan({number}) THEN NULL "
        f"WHEN {number} = rint({number}) AND abs({number}) < 1e15D "
        f"THEN CAST(CAST({number} AS BIGINT) AS STRING) "
        f"WHEN {number} = double('infinity') THEN 'inf' "
        f"WHEN {number} = double('-infinity') THEN '-inf' "
        f"WHEN abs({number}) >= 1e-4D AND abs({number}) < 1e16D THEN {plain} "
        f"WHEN {number} IS NOT NULL THEN concat({digits}, format_string('e%+03d', {power})) END"
    )
