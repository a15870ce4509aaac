"""A server on this machine that takes its time, so that a download can be killed half-way."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

CONTENT = b"ccode,year\n" + b"".join(b"2,%d\n" % (1000 + year % 1000) for year in range(60000))
PIECES = 40
PAUSE = 0.02


class Handler(BaseHTTPRequestHandler):
    """Answers every request with CONTENT, or with the rest of it that was asked for."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Serve in pieces, with a pause before each."""
        asked = self.headers.get("Range")
        begin = int(asked.split("=")[1].rstrip("-")) if asked else 0
        rest = CONTENT[begin:]
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(rest)))
        self.send_header("Connection", "close")
        self.end_headers()
        size = len(CONTENT) // PIECES
        with contextlib.suppress(OSError):
            for start in range(0, len(rest), size):
                time.sleep(PAUSE)
                self.wfile.write(rest[start : start + size])


@contextlib.contextmanager
def serving(root: Path) -> Iterator[None]:
    """Serve a source called `mine`, declared in a new project folder `root`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        declare(root, f"http://127.0.0.1:{server.server_address[1]}/mine.csv")
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def declare(root: Path, url: str) -> None:
    """Write the YAML of the source `mine`, one file at `url`."""
    facts = {
        "id": "mine", "dataset": "mine", "version": "1", "title": "Mine", "edition": "original",
        "coverage": [1816, 2016], "citation": ["me"], "terms": "free", "obtained_from": "me",
        "files": [{"name": "mine.csv", "sha256": hashlib.sha256(CONTENT).hexdigest(),
                   "bytes": len(CONTENT), "url": url}],
        "tables": {"rows": {"rows": 1, "key": ["ccode"], "description": "rows"}},
    }  # fmt: skip
    home = root / "config" / "sources"
    home.mkdir(parents=True)
    (home / "mine.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")
