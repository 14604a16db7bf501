"""Print how far the pixels that Chromium decodes are from Pillow's, by kind of file.

The page's own ``decoded`` (``pixels.js``) runs in headless Chromium on files that Pillow wrote.
"""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterator
from importlib import resources
from typing import Any

import numpy as np
import PIL
from PIL import Image, ImageCms, ImageFilter, ImageOps, PngImagePlugin

from prunegate.edge.chromium import Chromium, chromium_program, chromium_version
from prunegate.edge.serving import PageServer, Row

SCRIPT = b"""
import { decoded } from "./pixels.js";
const told = (place, answer) => fetch(place, { method: "POST", body: JSON.stringify(answer) });
for (;;) {
  const given = await fetch("row");
  if (given.status === 204) break;
  let answer;
  try {
    const { data, height, width } = await decoded(await given.blob());
    const letters = Array.from(data, (value) => String.fromCharCode(value));
    answer = { height, width, data: btoa(letters.join("")) };
  } catch (error) {
    answer = { error: String(error) };
  }
  await told("answer", answer);
}
"""
PAGE = b'<!DOCTYPE html><title>Pixels</title><script type="module" src="judged.js"></script>'


def encoded(image: Image.Image, kind: str, **how: Any) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **how)
    return made.getvalue()


def files() -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    pixels = np.clip(rng.normal(128, 60, (80, 100, 3)), 0, 255).astype(np.uint8)
    noise = Image.fromarray(pixels)
    photo = ImageOps.autocontrast(noise.filter(ImageFilter.GaussianBlur(3)))
    clear = photo.convert("RGBA")
    clear.putalpha(Image.fromarray(rng.integers(0, 256, (80, 100), dtype=np.uint8)))
    turned = Image.Exif()
    turned[0x112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    gamma = PngImagePlugin.PngInfo()
    gamma.add(b"gAMA", (100_000).to_bytes(4, "big"))
    for kind in ("PNG", "BMP", "GIF", "TIFF"):
        yield kind, encoded(photo.quantize(64) if kind == "GIF" else photo, kind)
    yield "PNG, noise", encoded(noise, "PNG")
    yield "PNG, grey", encoded(photo.convert("L"), "PNG")
    yield "PNG, palette", encoded(photo.quantize(32), "PNG")
    yield "PNG, sRGB profile", encoded(photo, "PNG", icc_profile=profile)
    yield "PNG, gamma 1", encoded(photo, "PNG", pnginfo=gamma)
    yield "PNG, opaque alpha", encoded(photo.convert("RGBA"), "PNG")
    yield "PNG, transparency", encoded(clear, "PNG")
    for name, image in (("blurred", photo), ("noise", noise)):
        for sampling in ("4:4:4", "4:2:2", "4:2:0"):
            how = {"quality": 90, "subsampling": sampling}
            yield f"JPEG, {name}, {sampling}", encoded(image, "JPEG", **how)
        yield f"WebP, {name}", encoded(image, "WEBP", quality=80)
    yield "JPEG, grey", encoded(photo.convert("L"), "JPEG")
    yield "JPEG, CMYK", encoded(photo.convert("CMYK"), "JPEG")
    yield "JPEG, progressive", encoded(photo, "JPEG", progressive=True)
    yield "JPEG, turned by EXIF", encoded(photo, "JPEG", exif=turned)
    yield "JPEG, sRGB profile", encoded(photo, "JPEG", icc_profile=profile)
    yield "WebP, lossless", encoded(photo, "WEBP", lossless=True)


def difference(raw: bytes, seen: Any) -> str:
    if "error" in seen:
        return f"not decoded ({seen['error']})"
    with Image.open(io.BytesIO(raw)) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)
    got = np.frombuffer(base64.b64decode(seen["data"]), np.uint8)
    apart = np.abs(got.reshape(seen["height"], seen["width"], 3).astype(int) - wanted)
    return (
        f"largest {apart.max():3}, mean {apart.mean():.4f}, of {(apart > 0).mean():.1%} of values"
    )


def main() -> int:
    """Print a line for each kind of file."""
    program = chromium_program(None)
    say = sys.stdout.write
    say(f"Chromium {chromium_version(program)} against Pillow {PIL.__version__}\n")
    pixels = (resources.files("prunegate.edge") / "page" / "pixels.js").read_bytes()
    server = PageServer({"judged.html": PAGE, "judged.js": SCRIPT, "pixels.js": pixels})
    browser = Chromium(program, server.address("judged.html"))
    try:
        for number, (name, raw) in enumerate(files()):
            server.rows.put(Row(number=number, content=raw))
            say(f"{name:24} {difference(raw, server.told.get(timeout=60).content)}\n")
    finally:
        browser.close()
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
