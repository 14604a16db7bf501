"""A page is served to one browser: its own files under a path nobody guesses, and rows in order."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from prunegate.edge.serving import PageServer, Row


@pytest.fixture(name="server")
def _server() -> Iterator[PageServer]:
    server = PageServer({"judged.html": b"<!DOCTYPE html>", "runtime/ort.wasm": b"\0asm"})
    yield server
    server.close()


def connected(server: PageServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(server.address("")).netloc, timeout=10)


def asked(
    server: PageServer, method: str, path: str, body: bytes | None = None
) -> tuple[int, bytes, dict[str, str]]:
    to = connected(server)
    to.request(method, path, body)
    answer = to.getresponse()
    found = answer.status, answer.read(), dict(answer.headers)
    to.close()
    return found


def test_it_serves_its_files_to_who_knows_the_path(server: PageServer) -> None:
    status, body, about = asked(server, "GET", f"{server.root}runtime/ort.wasm")
    assert (status, body, about["Content-Type"]) == (200, b"\0asm", "application/wasm")
    assert "connect-src 'self'" in about["Content-Security-Policy"]
    assert urlsplit(server.address("")).hostname == "127.0.0.1"
    for path in ("/", "/judged.html", f"{server.root}../judged.html", f"{server.root}x", "/" * 40):
        assert asked(server, "GET", path)[0] == 404, path
    assert asked(server, "POST", "/answer", b"{}")[0] == 404
    assert asked(server, "POST", f"{server.root}answer", b"[]")[0] == 400
    assert asked(server, "POST", f"{server.root}answer", b"no")[0] == 400
    assert asked(server, "POST", f"{server.root}other", b"{}")[0] == 404
    assert server.told.empty()


def test_rows_go_out_in_order_and_answers_come_back(server: PageServer) -> None:
    server.rows.put(Row(number=3, content=b"picture"))
    server.rows.put(Row(number=4, content=b"values", kind="values", height_width=(2, 5)))
    server.rows.put(None)
    one, two, end = (asked(server, "GET", f"{server.root}row") for _ in range(3))
    assert (one[1], one[2]["X-Row"], one[2]["X-Kind"]) == (b"picture", "3", "picture")
    assert [two[2][f"X-{name}"] for name in ("Kind", "Height", "Width")] == ["values", "2", "5"]
    assert end[0] == 204
    assert asked(server, "POST", f"{server.root}answer", json.dumps({"row": 3}).encode())[0] == 204
    told = server.told.get(timeout=5)
    assert (told.what, told.content) == ("answer", {"row": 3})


def test_a_page_that_dies_is_heard_of(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunegate.edge.serving._BEAT_S", 0.02)
    page = connected(server)
    page.request("GET", f"{server.root}alive")
    answer = page.getresponse()
    assert answer.read(2) == b".."
    answer.close()
    page.close()
    assert server.told.get(timeout=60).what == "gone"


def test_a_browser_that_ends_amid_a_request_is_nothing_to_print(
    server: PageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    host, port = urlsplit(server.address("")).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as half:
        half.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        half.sendall(b"GET /")  # closed with a reset
    assert asked(server, "GET", f"{server.root}judged.html")[0] == 200
    server.close()
    assert capsys.readouterr().err == ""
