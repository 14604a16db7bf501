"""What looks like the npm package, for pages that no browser opens."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(name="runtime", scope="session")
def _runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the package; no browser runs it."""
    folder = tmp_path_factory.mktemp("onnxruntime-web")
    (folder / "dist").mkdir()
    (folder / "package.json").write_text('{"name": "onnxruntime-web", "version": "1.30.0"}')
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (folder / "dist" / name).write_text(name)
    return folder
