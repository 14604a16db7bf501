"""A hook of mkdocs: the sample report and its picture go into the site from where they are kept."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SAMPLE = Path(__file__).parents[1] / "reports" / "sample"
TAKEN = {
    "assets/report.png": SAMPLE / "report.png",
    "sample/rejected.html": SAMPLE / "display-only" / "report.html",
    "sample/approved.html": SAMPLE / "representative" / "report.html",
}
"""Where a file is in the site, and where it comes from."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that are kept elsewhere in the repository."""
    for place, source in TAKEN.items():
        files.append(File.generated(config, place, abs_src_path=str(source)))
    return files
