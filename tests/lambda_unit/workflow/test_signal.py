"""What a deployment that waits is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from personalize_lambda.workflow import signal

REPORT: dict[str, Any] = {"execution": "arn:run", "status": "COMPLETED", "reason": None, "waitingFor": []}


class Handle:
    """The URL of a wait condition's handle, and what was put there."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.requests: list[dict[str, Any]] = []
        handle = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                handle.requests.append({"type": self.headers["Content-Type"], **json.loads(body)})
                self.send_response(handle.answers.pop(0) if handle.answers else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/handle?signed"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Handle]:
    monkeypatch.setattr(signal.time, "sleep", lambda _: None)
    handle = Handle()
    yield handle
    handle.server.shutdown()
    handle.server.server_close()


@pytest.mark.parametrize(
    ("report", "status", "reason"),
    [
        ({}, "SUCCESS", "everything that is declared serves"),
        ({"status": "FAILED", "reason": "training picks: too few"}, "FAILURE", "training picks: too few"),
        ({"status": "ABORTED", "reason": "stopped"}, "FAILURE", "stopped"),
        ({"status": "TIMED_OUT", "reason": "TIMED_OUT"}, "FAILURE", "TIMED_OUT"),
        ({"status": "FAILED", "reason": "x" * 5000}, "FAILURE", "x" * 1000),
        (
            {"status": "WAITING", "waitingFor": ["items: no CSV file in s3://b/items/ yet"]},
            "FAILURE",
            "not everything that is declared serves; the run waits for: items: no CSV file in s3://b/items/ yet. "
            "Provide it and deploy again, or deploy with Deployment.ASYNC, which does not wait",
        ),
    ],
)
def test_every_end_is_signalled(handle: Handle, report: dict[str, Any], status: str, reason: str) -> None:
    signal.send(handle.url, REPORT | report)
    (request,) = handle.requests
    assert (request["Status"], request["Reason"], request["Data"]) == (status, reason, "arn:run")
    assert request["type"] == ""  # the URL is signed for none


def test_a_signal_that_fails_is_sent_again_as_the_same(handle: Handle) -> None:
    handle.answers = [500, 503]
    signal.send(handle.url, REPORT)
    assert len(handle.requests) == 3
    assert len({request["UniqueId"] for request in handle.requests}) == 1
    assert len(handle.requests[0]["UniqueId"]) <= 64


def test_nobody_waits_any_more(handle: Handle) -> None:
    handle.answers = [403]
    signal.send(handle.url, REPORT)
    assert len(handle.requests) == 1


def test_a_signal_that_cannot_be_sent_is_an_error(handle: Handle) -> None:
    handle.answers = [500] * 4
    with pytest.raises(OSError, match="500"):
        signal.send(handle.url, REPORT)
