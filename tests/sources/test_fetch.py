"""Downloads against a server on this machine that misbehaves in every way we know."""

from __future__ import annotations

import hashlib
import io
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from foedus.config import Config, Project
from foedus.errors import MissingDataError
from foedus.sources import fetch as fetching
from foedus.sources.fetch import Options, fetch

CONTENT = b"ccode,year\n" + b"".join(b"2,%d\n" % year for year in range(1816, 3816))
QUICK = Options(timeout=0.4, attempts=3, backoff=0.01, most_bytes=1 << 20, allow_loopback=True)


class Server(ThreadingHTTPServer):
    """Serves `files`, and misbehaves as `mood` says, once or always."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {"/mine.csv": CONTENT}
        self.mood = ""
        self.times = 1
        self.seen: list[tuple[str, str | None]] = []
        self.done = threading.Event()

    def url(self, path: str = "/mine.csv") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Range")))
        mood = self.server.mood if self.server.times > 0 else ""
        self.server.times -= 1
        self.close_connection = True
        getattr(self, f"mood_{mood or 'good'}")()

    def content(self) -> bytes | None:
        return self.server.files.get(self.path)

    def head(self, status: int, length: int, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def mood_good(self, ranges: bool = True) -> None:
        content = self.content()
        if content is None:
            self.head(404, 0)
            return
        asked = self.headers.get("Range")
        if asked and ranges and self.headers.get("If-Range") == '"one"':
            begin = int(asked.split("=")[1].rstrip("-"))
            if begin >= len(content):
                self.head(416, 0)
                return
            rest = content[begin:]
            span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            self.head(206, len(rest), Content_Range=span, ETag='"one"')
            self.wfile.write(rest)
            return
        self.head(200, len(content), ETag='"one"')
        self.wfile.write(content)

    def mood_no_ranges(self) -> None:
        self.mood_good(ranges=False)

    def mood_truncate(self) -> None:
        content = self.content() or b""
        self.head(200, len(content), ETag='"one"')
        self.wfile.write(content[: len(content) // 2])

    def mood_stall(self) -> None:
        content = self.content() or b""
        self.head(200, len(content), ETag='"one"')
        self.wfile.write(content[: len(content) // 3])
        self.wfile.flush()
        self.server.done.wait(5)

    def mood_silent(self) -> None:
        self.server.done.wait(5)

    def mood_busy(self) -> None:
        self.head(503, 0)

    def mood_gone(self) -> None:
        self.head(404, 0)

    def mood_page(self) -> None:
        page = b"<!DOCTYPE html><html><body>Please log in</body></html>"
        self.head(200, len(page))
        self.wfile.write(page)

    def mood_redirect(self) -> None:
        self.head(302, 0, Location=self.server.url("/moved.csv"))

    def mood_elsewhere(self) -> None:
        self.head(302, 0, Location="https://example.invalid/mine.csv")

    def mood_downgrade(self) -> None:
        self.head(302, 0, Location="file:///etc/passwd")

    def mood_loop(self) -> None:
        self.head(302, 0, Location=self.server.url())

    def mood_endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b"x" * (1 << 16))
        except OSError:
            return

    def mood_wrong_part(self) -> None:
        self.head(206, 3, Content_Range="bytes 0-2/9", ETag='"one"')
        self.wfile.write(b"abc")


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    running.done.set()
    running.shutdown()
    thread.join()
    running.server_close()


def make_project(
    root: Path,
    server: Server,
    path: str = "/mine.csv",
    names: tuple[str, ...] = ("mine.csv",),
    contents: tuple[bytes, ...] = (CONTENT,),
    accept: tuple[str, ...] = (),
    url: str | None = None,
) -> Project:
    files = [
        {
            "name": name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "url": url or server.url(path),
        }
        for name, content in zip(names, contents, strict=True)
    ]
    facts = {
        "id": "mine", "dataset": "mine", "version": "1", "title": "Mine", "edition": "original",
        "coverage": [1816, 2016], "citation": ["me"], "terms": "free", "obtained_from": "me",
        "files": files, "tables": {"rows": {"rows": 1, "key": ["ccode"], "description": "rows"}},
    }  # fmt: skip
    home = root / "config" / "sources"
    home.mkdir(parents=True)
    (home / "mine.yaml").write_text(yaml.safe_dump(facts))
    return Project(root, Config(accept_unpinned=accept), root / "results")


def place(project: Project, name: str = "mine.csv") -> Path:
    return project.raw_home / "mine" / name


def only(project: Project) -> list[str]:
    """Return the files that stand in data/raw, unfinished downloads aside."""
    return sorted(
        path.name
        for path in project.raw_home.rglob("*")
        if path.is_file() and ".downloads" not in path.parts
    )


def test_plain_download(tmp_path, server):
    project = make_project(tmp_path, server)
    told = []
    (report,) = fetch(project, ["mine"], told.append, QUICK)
    assert report.outcome == "fetched"
    assert place(project).read_bytes() == CONTENT
    assert told == [f"mine: mine.csv: fetched ({place(project)})"]
    assert not list((project.raw_home / ".downloads").iterdir())
    (again,) = fetch(project, ["mine"], options=QUICK)
    assert again.outcome == "already there"
    assert len(server.seen) == 1


@pytest.mark.parametrize("mood", ["truncate", "stall"])
def test_broken_off_download_goes_on_where_it_stopped(tmp_path, server, mood):
    server.mood = mood
    project = make_project(tmp_path, server)
    fetch(project, ["mine"], options=QUICK)
    assert place(project).read_bytes() == CONTENT
    assert server.seen[0][1] is None
    assert server.seen[1][1] is not None
    assert server.seen[1][1].startswith("bytes=")


def test_a_later_run_goes_on_too(tmp_path, server):
    server.mood, server.times = "truncate", 99
    project = make_project(tmp_path, server)
    one_try = Options(timeout=0.4, attempts=1, allow_loopback=True)
    with pytest.raises(MissingDataError, match=r"broke off after \d+ of \d+ bytes"):
        fetch(project, ["mine"], options=one_try)
    assert only(project) == []
    server.mood = ""
    fetch(project, ["mine"], options=one_try)
    assert place(project).read_bytes() == CONTENT
    assert server.seen[-1][1] is not None


def test_server_that_ignores_range_is_read_from_the_start(tmp_path, server):
    server.mood = "truncate"
    project = make_project(tmp_path, server)
    with pytest.raises(MissingDataError):
        fetch(project, ["mine"], options=Options(attempts=1, allow_loopback=True))
    server.mood, server.times = "no_ranges", 99
    fetch(project, ["mine"], options=QUICK)
    assert place(project).read_bytes() == CONTENT


def test_changed_file_is_not_glued_to_the_old_part(tmp_path, server, monkeypatch):
    server.mood = "truncate"
    project = make_project(tmp_path, server)
    with pytest.raises(MissingDataError):
        fetch(project, ["mine"], options=Options(attempts=1, allow_loopback=True))
    (note,) = (project.raw_home / ".downloads").glob("*.json")
    note.write_text('{"validator": "\\"older\\""}')
    fetch(project, ["mine"], options=QUICK)
    assert place(project).read_bytes() == CONTENT


def test_wrong_part_is_dropped(tmp_path, server):
    server.mood = "wrong_part"
    project = make_project(tmp_path, server)
    fetch(project, ["mine"], options=QUICK)
    assert place(project).read_bytes() == CONTENT


def test_part_longer_than_the_file_starts_again(tmp_path, server):
    project = make_project(tmp_path, server)
    folder = project.raw_home / ".downloads"
    folder.mkdir(parents=True)
    name = hashlib.sha256(server.url().encode()).hexdigest()[:16]
    (folder / f"{name}.part").write_bytes(CONTENT + b"more")
    (folder / f"{name}.json").write_text('{"validator": "\\"one\\""}')
    fetch(project, ["mine"], options=QUICK)
    assert place(project).read_bytes() == CONTENT


def test_busy_server_is_asked_again(tmp_path, server):
    server.mood, server.times = "busy", 2
    project = make_project(tmp_path, server)
    fetch(project, ["mine"], options=QUICK)
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("mood", "tries", "says"),
    [
        ("silent", 3, "no byte came for 0.4 seconds"),
        ("busy", 3, "503"),
        ("gone", 1, "404"),
        ("page", 1, "a web page instead of the file"),
        ("elsewhere", 1, "redirects to example.invalid"),
        ("downgrade", 1, "answered 302"),
        ("endless", 1, "larger than 1048576 bytes"),
    ],
)
def test_failure_is_one_paragraph_and_leaves_no_file(tmp_path, server, mood, tries, says):
    server.mood, server.times = mood, 99
    project = make_project(tmp_path, server)
    began = time.perf_counter()
    with pytest.raises(MissingDataError) as caught:
        fetch(project, ["mine"], options=QUICK)
    assert time.perf_counter() - began < 5
    text = str(caught.value)
    assert caught.value.exit_code == 4
    assert "\n" not in text
    for part in (says, "mine.csv", server.url(), "by hand", str(project.raw_home)):
        assert part in text
    assert len(server.seen) == tries
    assert only(project) == []


def test_redirect_loop_ends(tmp_path, server):
    server.mood, server.times = "loop", 99
    project = make_project(tmp_path, server)
    with pytest.raises(MissingDataError, match="redirect"):
        fetch(project, ["mine"], options=QUICK)
    assert len(server.seen) < 20


def test_redirect_on_the_same_host_is_followed(tmp_path, server):
    server.mood = "redirect"
    server.files["/moved.csv"] = CONTENT
    project = make_project(tmp_path, server)
    fetch(project, ["mine"], options=QUICK)
    assert place(project).read_bytes() == CONTENT


def test_wrong_bytes_are_refused_with_both_checksums(tmp_path, server):
    server.files["/mine.csv"] = CONTENT + b"2,9999\n"
    project = make_project(tmp_path, server)
    with pytest.raises(MissingDataError) as caught:
        fetch(project, ["mine"], options=QUICK)
    text = str(caught.value)
    assert hashlib.sha256(CONTENT).hexdigest() in text
    assert hashlib.sha256(server.files["/mine.csv"]).hexdigest() in text
    assert "accept_unpinned: [mine]" in text
    assert only(project) == []


def test_wrong_bytes_of_an_accepted_source_are_kept(tmp_path, server):
    server.files["/mine.csv"] = CONTENT + b"2,9999\n"
    project = make_project(tmp_path, server, accept=("mine",))
    fetch(project, ["mine"], options=QUICK)
    assert place(project).read_bytes() == server.files["/mine.csv"]


@pytest.mark.parametrize("url", ["http://example.invalid/a", "ftp://127.0.0.1/a", "file:///etc/a"])
def test_only_https_is_fetched(tmp_path, server, url):
    project = make_project(tmp_path, server, url=url)
    with pytest.raises(MissingDataError, match="only https"):
        fetch(project, ["mine"], options=QUICK)


def test_loopback_needs_to_be_allowed(tmp_path, server):
    project = make_project(tmp_path, server)
    with pytest.raises(MissingDataError, match="only https"):
        fetch(project, ["mine"], options=Options(attempts=1))
    assert server.seen == []


def test_offline_asks_nobody(tmp_path, server):
    project = make_project(tmp_path, server)
    offline = Project(project.root, project.config, project.data, offline=True)
    with pytest.raises(MissingDataError, match="--offline"):
        fetch(offline, ["mine"], options=QUICK)
    assert server.seen == []


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


OTHER = b"ccode,year\n200,1816\n"


def fetch_zip(tmp_path, server, archive: bytes, options: Options = QUICK) -> Project:
    server.files["/all.zip"] = archive
    names, contents = ("mine.csv", "other.csv"), (CONTENT, OTHER)
    project = make_project(tmp_path, server, "/all.zip", names, contents)
    fetch(project, ["mine"], options=options)
    return project


def test_zip_in_zip_is_downloaded_once(tmp_path, server):
    inner = zipped({"deep/er/other.csv": OTHER, "readme.txt": b"hello"})
    project = fetch_zip(tmp_path, server, zipped({"data/mine.csv": CONTENT, "inner.zip": inner}))
    assert place(project).read_bytes() == CONTENT
    assert place(project, "other.csv").read_bytes() == OTHER
    assert only(project) == ["mine.csv", "other.csv"]
    assert len(server.seen) == 1


def test_pinned_member_wins_over_its_namesake(tmp_path, server):
    archive = zipped({"old/mine.csv": b"old", "new/mine.csv": CONTENT, "x/mine.csv": b"newer",
                      "other.csv": OTHER})  # fmt: skip
    assert place(fetch_zip(tmp_path, server, archive)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "evil", ["../../../mine.csv", "/elsewhere/evil/mine.csv", "..\\..\\mine.csv", "C:\\x\\mine.csv"]
)
def test_no_path_of_a_zip_leads_outside(tmp_path, server, evil):
    home = tmp_path / "a" / "b" / "c" / "d"
    project = fetch_zip(home, server, zipped({evil: CONTENT, "other.csv": OTHER}))
    assert only(project) == ["mine.csv", "other.csv"]
    outside = [path for path in tmp_path.rglob("mine.csv") if home not in path.parents]
    assert outside == []


def test_zip_bomb_is_stopped(tmp_path, server):
    bomb = zipped({"mine.csv": b"0" * (8 << 20), "other.csv": OTHER})
    assert len(bomb) < 100_000
    with pytest.raises(MissingDataError, match="unpacks to more than is allowed"):
        fetch_zip(tmp_path, server, bomb)


def test_zips_nested_too_deep_are_left_alone(tmp_path, server):
    archive = zipped({"mine.csv": CONTENT, "other.csv": OTHER})
    for _ in range(5):
        archive = zipped({"inner.zip": archive})
    with pytest.raises(MissingDataError, match="holds no file of that name"):
        fetch_zip(tmp_path, server, archive)


@pytest.mark.parametrize(
    ("archive", "says"),
    [
        (zipped({"readme.txt": b"hello"}), "holds no file of that name"),
        (b"not a zip at all", "no zip archive"),
        (zipped({"mine.csv": CONTENT})[:-30], "no zip archive"),
    ],
)
def test_useless_archives(tmp_path, server, archive, says):
    with pytest.raises(MissingDataError, match=says):
        fetch_zip(tmp_path, server, archive)


def test_damaged_member(tmp_path, server):
    archive = bytearray(zipped({"mine.csv": CONTENT, "other.csv": OTHER}))
    archive[60:90] = bytes(30)
    with pytest.raises(MissingDataError, match="can't be read"):
        fetch_zip(tmp_path, server, bytes(archive))


def test_half_of_an_archive_is_still_written(tmp_path, server):
    with pytest.raises(MissingDataError, match=r"other\.csv"):
        fetch_zip(tmp_path, server, zipped({"mine.csv": CONTENT}))
    assert (tmp_path / "data" / "raw" / "mine" / "mine.csv").read_bytes() == CONTENT


def test_page_only_source_is_told_to_be_downloaded_by_hand(make_project):
    project = make_project()
    online = Project(project.root, project.config, project.data)
    with pytest.raises(MissingDataError, match="has to be downloaded by hand"):
        fetch(online, ["polity"])


def test_ingest_fetches_what_is_missing_and_says_why_it_failed(tmp_path, server, monkeypatch):
    from foedus.sources.ingest import ingest

    server.mood, server.times = "gone", 99
    project = make_project(tmp_path, server)
    monkeypatch.setattr(fetching, "Options", lambda: QUICK)
    with pytest.raises(MissingDataError, match="404"):
        ingest(project, ["mine"])
