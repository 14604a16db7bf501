"""Great Expectations at the rim: how it is loaded, asked and believed.

It is loaded quietly (no usage statistics, no Spark, no progress bars), keeps no files, and is asked
for yes or no only. An answer that is missing or could not be given is our own mistake, never the
data's. Loading takes about a second, hence inside.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from prunegate.errors import InternalError
from prunegate.io.deferred_import import ADDRESS_SYNTAX, deferred

if TYPE_CHECKING:
    import pandas as pd


def load_great_expectations() -> Any:
    """Import Great Expectations and return the module.

    Raises:
        InternalError: something that it imports tried to end the process.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # some releases tell about their use otherwise
    return _imported()


@cache
def _imported() -> Any:
    """The module; a process looks through all that it has loaded only once."""
    try:
        with warnings.catch_warnings(), _without_spark(), deferred(*ADDRESS_SYNTAX):
            # great_expectations imports sre_constants and sre_parse, which Python 3.11 retires.
            warnings.filterwarnings("ignore", "module 'sre_", DeprecationWarning)
            import great_expectations as gx
            import great_expectations.expectations
    except SystemExit as error:
        raise InternalError("loading Great Expectations tried to end the process") from error
    return gx


def run_suite(columns: Mapping[str, Sequence[float]], expectations: Sequence[Any]) -> list[Any]:
    """The raw results of a suite on a table of numbers.

    Args:
        columns: numbers by column name. Never a name or a text from data: conditions are evaluated
            as code.
        expectations: each with ``meta={"place": ...}``, numbered from 0.
    """
    load_great_expectations()  # quietly, and before pandas does it in its own way
    import pandas as pd

    frame = pd.DataFrame(columns).astype("float64")
    return run_frame(frame, expectations, {"result_format": "BOOLEAN_ONLY"})


def run_frame(
    frame: pd.DataFrame, expectations: Sequence[Any], result_format: Mapping[str, Any]
) -> list[Any]:
    """The raw results of a suite on a frame, in any order.

    Args:
        frame: its columns have names of ours.
        expectations: without conditions, or on numbers alone: conditions are evaluated as code.
        result_format: what is to be told, in the library's words.
    """
    gx = load_great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("rows")
    batches = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    suite = gx.ExpectationSuite(name="laws", expectations=list(expectations))
    batch = batches.get_batch({"dataframe": frame})
    return list(batch.validate(suite, result_format=dict(result_format)).results)


def answers_in_order(results: Sequence[Any], count: int) -> tuple[bool, ...]:
    """The answers in the order of the expectations' places.

    Raises:
        InternalError: an expectation was dropped, came back twice or could not be evaluated.
    """
    if len(results) != count:
        raise InternalError(f"{count} expectations were given, {len(results)} came back")
    found = dict(map(_answer, results))
    if set(found) != set(range(count)):
        raise InternalError(f"the answers to {count} expectations are not one for each")
    return tuple(found[place] for place in range(count))


def _answer(result: Any) -> tuple[int, bool]:
    if result.exception_info.get("raised_exception", True):
        raise InternalError(f"an expectation failed to run: {result.exception_info}")
    return int(result.expectation_config.meta["place"]), bool(result.success)


@contextmanager
def _without_spark() -> Iterator[None]:
    """Keep Great Expectations from importing Spark, which judging numbers never needs.

    Where it is installed, that takes time, prints a warning, and in an embedded interpreter (no
    main file) may end the process with status 0, which would read as an approval.
    """
    tops = ("pyspark", "py4j")
    loaded = [name for name in sys.modules if name.partition(".")[0] in tops]
    hidden = {name: sys.modules.pop(name) for name in loaded}
    for name in tops:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own mark for "not there"
    try:
        yield
    finally:
        for name in tops:
            del sys.modules[name]
        sys.modules.update(hidden)
