"""Predictions of one model on a table as a browser makes them: scored by the page that is deployed.

::

    a candidate, or the folder of its page -> headless Chromium -> scores, and how long each took

Rows go one at a time, as people's come. Parts are kept as they come and taken up again,
as those of ``predict_table``. Beside the file of scores lies one of times: what ran where, and its
latency there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from prunegate._version import __version__
from prunegate.edge import EDGE_FILE
from prunegate.edge.browser_session import (
    BrowserScores,
    BrowserSession,
    PageAnswers,
    browser_session,
)
from prunegate.edge.folder import PageWishes, edge_folder, judged_files, read_edge_folder
from prunegate.edge.npm_packages import NpmPackages
from prunegate.errors import InputError
from prunegate.io.atomic import write_whole
from prunegate.io.hashing import file_sha256
from prunegate.io.partial import PARTIAL
from prunegate.models.open_model import open_model
from prunegate.pipeline.early_scoring import require_class
from prunegate.pipeline.predict_table import (
    FORMATS,
    kept_part,
    part_name,
    picture_folder,
    table_bytes,
    table_rows,
)
from prunegate.pipeline.scoring_job import ScoringJob, require_columns

PART = 256
"""Rows that are scored before they are kept."""
TIMES = ".browser.json"
"""What the name of the file of times ends with, in the place of the scores' ending."""


_TIMED = ["run_ms", "prepare_ms"]
"""Columns of a part beside its scores."""


@dataclass(frozen=True, kw_only=True)
class BrowserLatency:
    """What one row took in the browser, in milliseconds."""

    rows: int
    runtime: str
    """The runtime and its version."""
    browser: str
    """Chromium and its version."""
    run_p50_ms: float
    """The model, median over the rows."""
    run_p95_ms: float
    prepare_p50_ms: float
    """Preparing the picture or text, median."""
    load_ms: float
    """Runtime and model, when the page was opened last; from this machine, not over a network."""
    candidate: str
    """Digest of the model."""
    page: str
    """sha256 of edge.json, which names every file of the page by digest."""


def predict_in_browser(
    asked: ScoringJob, *, runtime_from: Path | None = None, browser: str | None = None
) -> BrowserLatency:
    """Score every row of a table in headless Chromium.

    Args:
        asked: what is to be predicted; the model is a candidate, or the folder of its page.
        runtime_from: folder of the npm package, for a candidate.
        browser: Chromium; None: as it is installed.

    Raises:
        InputError: the table, model or browser cannot be used, or a file cannot be written.
    """
    if asked.out.suffix not in FORMATS:
        raise InputError(f"{asked.out}: give a name that ends with {' or '.join(FORMATS)}")
    files = _page(asked, runtime_from)
    said = json.loads(files[EDGE_FILE])
    columns = _columns(asked, tuple(said["classes"]))
    require_columns(asked, columns)
    reads = said["input"]["reads"]
    ids, contents = table_rows(asked, reads)
    answers = PageAnswers(classes=len(said["classes"]), whole=said["activation"] == "softmax")
    with browser_session({**files, **judged_files()}, answers, browser) as session:
        parts = asked.out.parent / f"{PARTIAL}{asked.out.name}-{_identity(asked, files, session)}"
        whole = _scored(asked, session, parts, (reads, ids, contents), columns)
        latency = _latency(whole, said, files, session)
    scores = whole.drop_columns(_TIMED).rename_columns([asked.id, *columns])
    write_whole(asked.out, table_bytes(scores, asked.out.suffix))
    times = {"format": "urn:prunegate:browser-times:v1", **vars(latency)}
    write_whole(asked.out.with_suffix(TIMES), (json.dumps(times, indent=2) + "\n").encode())
    shutil.rmtree(parts, ignore_errors=True)
    return latency


def _page(asked: ScoringJob, runtime_from: Path | None) -> Mapping[str, bytes]:
    """The files of a page: as they are, or made of a candidate."""
    if (asked.model / EDGE_FILE).is_file():
        return read_edge_folder(asked.model)[0]
    wishes = PageWishes(title=asked.model.name, thresholds={})
    model = open_model(asked.model, asked.said, pickles=asked.pickles)
    return edge_folder(model, NpmPackages(runtime_from), wishes)


def _columns(asked: ScoringJob, classes: tuple[str, ...]) -> dict[str, int]:
    """The names of the columns, and which class each holds."""
    if asked.positive is None:
        return {f"p_{name}": place for place, name in enumerate(classes)}
    require_class(asked.positive, classes)
    return {asked.column: classes.index(asked.positive)}


def _scored(  # a row's way through the browser
    asked: ScoringJob,
    session: BrowserSession,
    parts: Path,
    rows: tuple[str, pa.ChunkedArray, list[str]],
    columns: Mapping[str, int],
) -> pa.Table:
    (reads, ids, contents), tables = rows, []
    named = {f"score_{place}": place for place in columns.values()}  # no name from outside
    for start in range(0, len(ids), PART):
        asked.progress(f"score the {reads} in the browser", start, len(ids))
        here = slice(start, start + PART)
        place = parts / part_name(asked, reads, start, contents[here])
        part = kept_part(place, ("id", *named, *_TIMED), ids[here])
        if part is None:
            found = _asked_of(session, asked, reads, contents[here])
            scores = {name: found.shares[:, of] for name, of in named.items()}
            times = {name: getattr(found, name) for name in _TIMED}
            part = pa.table({"id": ids[here], **scores, **times})
            write_whole(place, table_bytes(part, ".parquet"))
        tables.append(part)
    asked.progress(f"score the {reads} in the browser", len(ids), len(ids))
    return pa.concat_tables(tables)


def _asked_of(
    session: BrowserSession, asked: ScoringJob, reads: str, contents: list[str]
) -> BrowserScores:
    if reads == "texts":
        return session.texts(contents)
    return session.pictures([picture_folder(asked) / name for name in contents])


def _latency(
    whole: pa.Table, said: Mapping[str, Any], files: Mapping[str, bytes], session: BrowserSession
) -> BrowserLatency:
    run, prepare = (whole[name].to_numpy() for name in _TIMED)
    return BrowserLatency(
        rows=len(whole),
        runtime=f"{said['runtime']['package']} {said['runtime']['version']}",
        browser=f"Chromium {session.version}",
        run_p50_ms=_quantile(run, 0.5),
        run_p95_ms=_quantile(run, 0.95),
        prepare_p50_ms=_quantile(prepare, 0.5),
        load_ms=float(f"{session.load_ms:.4g}"),
        candidate=said["candidate"]["digest"],
        page=hashlib.sha256(files[EDGE_FILE]).hexdigest(),
    )


def _quantile(values: NDArray[np.float64], share: float) -> float:
    """Four digits: a browser's clock gives no more."""
    return float(f"{np.quantile(values, share, method='inverted_cdf'):.4g}")


def _identity(asked: ScoringJob, files: Mapping[str, bytes], session: BrowserSession) -> str:
    """Everything that decides the scores: another page, table or browser has parts of its own."""
    decides = {
        "version": __version__,
        "columns": "by number",  # as parts are kept
        "page": hashlib.sha256(files[EDGE_FILE]).hexdigest(),
        "browser": session.version,
        "table": file_sha256(asked.table),
        "images": str(asked.images),
        "asked": [asked.id, asked.image, asked.text, asked.positive, asked.column],
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
