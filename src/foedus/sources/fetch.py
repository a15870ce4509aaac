"""Download source files from their official addresses into <root>/data/raw, and verify them.

Only https, only the declared host and those it may redirect to; a download that stalls is dropped
and taken up again where it stopped; a zip is searched by file name to a bounded depth and size, and
no path inside it is ever used. A file appears under its name only when its checksum is right.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from foedus import __version__, store
from foedus.config import Project
from foedus.errors import MissingDataError
from foedus.sources.registry import FileFacts, SourceFacts
from foedus.sources.resolve import FoundSource, locate

Progress = Callable[[str], None]
Outcome = Literal["already there", "fetched", "by hand", "failed"]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BLOCK = 1 << 16
_FINAL_STATUS = (400, 401, 403, 404, 405, 410, 451)


@dataclass(frozen=True)
class Options:
    """How patient and how careful a download is.

    Attributes
    ----------
    timeout : float
        Seconds without a byte after which a connection counts as stalled.
    attempts : int
        Tries an address, each going on where the last one stopped.
    backoff : float
        Seconds before the second try; doubled for each further one.
    most_bytes : int
        Largest download, and largest sum of what a zip unpacks to.
    depth : int
        How deep zips may lie in zips.
    allow_loopback : bool
        Also http to this machine, for tests.
    """

    timeout: float = 30.0
    attempts: int = 4
    backoff: float = 1.0
    most_bytes: int = 1 << 30
    depth: int = 3
    allow_loopback: bool = False


@dataclass(frozen=True)
class FetchReport:
    """What became of one file."""

    id: str
    file: str
    outcome: Outcome
    path: Path | None = None
    message: str = ""


class _FetchError(Exception):
    """A download that failed; `again` says whether trying again may help."""

    def __init__(self, message: str, again: bool = False) -> None:
        super().__init__(message)
        self.again = again


def fetch(
    project: Project,
    ids: Iterable[str] | None = None,
    progress: Progress | None = None,
    options: Options | None = None,
) -> list[FetchReport]:
    """Download the files that aren't found yet.

    Parameters
    ----------
    project : Project
    ids : iterable of str, optional
        Source ids, data sets or aliases; by default all whose address is known.
    progress : callable, optional
        Told one line a file.
    options : Options, optional

    Returns
    -------
    list of FetchReport
        One a file, in order.

    Raises
    ------
    MissingDataError
        If --offline is set, or a file of a source asked for by name could not be had; the message
        names each with the reason and what to do. What could be had has been written.
    """
    if project.offline:
        raise MissingDataError(
            "fetch needs the network, and --offline forbids it. Leave out --offline, or put the "
            f"files under {project.raw_home} by hand."
        )
    found = list(locate(project, ids).values())
    if ids is None:  # what nothing needs is asked for by name
        found = [one for one in found if not one.facts.optional]
    reports = fetch_found(project, found, progress, options)
    failed = [report for report in reports if report.outcome in ("failed", "by hand")]
    if failed and ids is not None:
        raise MissingDataError(" ".join(report.message for report in failed))
    return reports


def fetch_missing(
    project: Project,
    sources: Sequence[FoundSource],
    progress: Progress | None = None,
    options: Options | None = None,
) -> list[FetchReport]:
    """Try to download the missing files of sources that have an address, without raising."""
    return fetch_found(project, sources, progress, options)


def fetch_found(
    project: Project,
    sources: Iterable[FoundSource],
    progress: Progress | None,
    options: Options | None,
) -> list[FetchReport]:
    """Download what is missing of sources that were looked for already."""
    chosen = options or Options()
    reports: list[FetchReport] = []
    for one in sources:
        for report in _fetch_source(project, one, chosen):
            reports.append(report)
            if progress:
                where = f" ({report.path})" if report.path else ""
                progress(f"{report.id}: {report.file}: {report.outcome}{where}")
    return reports


def _fetch_source(project: Project, found: FoundSource, options: Options) -> list[FetchReport]:
    facts = found.facts
    reports: dict[str, FetchReport] = {}
    wanted: dict[str, list[FileFacts]] = {}
    for file in found.files:
        name = file.facts.name
        if file.state in ("found", "accepted unpinned"):
            reports[name] = FetchReport(facts.id, name, "already there", file.path)
        elif not file.facts.url:
            reports[name] = FetchReport(
                facts.id, name, "by hand", None, _by_hand(project, file.facts)
            )
        else:
            wanted.setdefault(file.facts.url, []).append(file.facts)
    for url, files in wanted.items():
        for report in _fetch_url(project, facts, url, files, options):
            reports[report.file] = report
    return [reports[file.facts.name] for file in found.files]


def _by_hand(project: Project, file: FileFacts) -> str:
    page = file.page or file.url
    where = f"from {page}" if page else "from its project; no official address is known"
    return (
        f"{file.name} has to be downloaded by hand {where}. Put it, unzipped, anywhere under "
        f"{project.raw_home}."
    )


def _fetch_url(
    project: Project,
    facts: SourceFacts,
    url: str,
    files: Sequence[FileFacts],
    options: Options,
) -> list[FetchReport]:
    """Download one address and take from it the files that live there."""
    accepted = bool({facts.id, facts.alias} & set(project.config.accept_unpinned))
    folder = project.raw_home / facts.id
    try:
        part = download(url, project.raw_home / ".downloads", _hosts(url, files), options)
        contents = _contents(part, files, options, accepted)
    except _FetchError as error:
        return [_failed(project, facts, file, url, str(error)) for file in files]
    reports = []
    for file in files:
        content = contents.get(file.name)
        if content is None:
            message = f"the download holds no file of that name ({part.name})"
            reports.append(_failed(project, facts, file, url, message))
            continue
        digest = hashlib.sha256(content).hexdigest()
        if digest != file.sha256 and not accepted:
            message = (
                f"the address now gives other bytes: sha256 {digest}, where {facts.dataset} "
                f"{facts.version} has {file.sha256}. To use this version, accept it by name in "
                f"config/config.yaml: `accept_unpinned: [{facts.id}]`, and fetch again"
            )
            reports.append(_failed(project, facts, file, url, message))
            continue
        path = folder / file.name
        store.write_bytes(path, content)
        reports.append(FetchReport(facts.id, file.name, "fetched", path))
    _forget(part)
    return reports


def _failed(
    project: Project, facts: SourceFacts, file: FileFacts, url: str, why: str
) -> FetchReport:
    message = f"{facts.id}: {file.name} from {url}: {why}. {_by_hand(project, file)}"
    return FetchReport(facts.id, file.name, "failed", None, message)


def _hosts(url: str, files: Sequence[FileFacts]) -> frozenset[str]:
    own = urllib.parse.urlsplit(url).hostname or ""
    return frozenset([own, *(host for file in files for host in file.redirect_hosts)])


def _check_address(url: str, hosts: frozenset[str], options: Options) -> None:
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    loopback = options.allow_loopback and host in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise _FetchError(f"only https addresses are fetched, not {url}")
    if host not in hosts:
        raise _FetchError(
            f"the address redirects to {host}, a host that its YAML doesn't declare "
            "(redirect_hosts)"
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirect only to https on a declared host."""

    max_redirections = 5

    def __init__(self, hosts: frozenset[str], options: Options) -> None:
        self.hosts = hosts
        self.options = options

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,
        headers: http.client.HTTPMessage, newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        """Check the new address, then follow it as usual."""
        _check_address(newurl, self.hosts, self.options)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, folder: Path, hosts: frozenset[str], options: Options) -> Path:
    """Download an address whole into `folder` and return the file.

    Raises
    ------
    _FetchError
        When the tries are used up, or trying again is pointless.
    """
    _check_address(url, hosts, options)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / (hashlib.sha256(url.encode()).hexdigest()[:16] + ".part")
    opener = urllib.request.build_opener(_Redirects(hosts, options))
    for attempt in range(options.attempts):
        if attempt:
            time.sleep(options.backoff * 2 ** (attempt - 1))
        try:
            _download_once(url, part, opener, options)
            return part
        except _FetchError as error:
            if not error.again or attempt == options.attempts - 1:
                raise
    raise AssertionError("attempts is at least 1")


def _download_once(
    url: str, part: Path, opener: urllib.request.OpenerDirector, options: Options
) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": f"foedus/{__version__}"})
    request.add_header("Accept-Encoding", "identity")
    have = part.stat().st_size if part.is_file() else 0
    validator = _validator(part)
    if have and validator:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", validator)
    try:
        with opener.open(request, timeout=options.timeout) as response:
            _receive(response, part, have, options)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # the part is as long as the file, or longer than it
            _forget(part)
        again = error.code not in _FINAL_STATUS and error.code >= 400
        raise _FetchError(f"the server answered {error.code} {error.reason}", again) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        stalled = isinstance(reason, TimeoutError)
        text = f"no byte came for {options.timeout:g} seconds" if stalled else str(reason)
        raise _FetchError(f"the connection failed ({text})", again=True) from error


def _receive(response: Any, part: Path, have: int, options: Options) -> None:
    """Write what comes to the part file, going on at its end only if the server agrees."""
    resumed = bool(have) and response.status == 206 and _begins_at(response.headers, have)
    if response.status == 206 and not resumed:
        _forget(part)
        raise _FetchError("the server sent another part than asked for", again=True)
    length = response.headers.get("Content-Length")
    expected = int(length) if length and length.isdigit() else None
    before = have if resumed else 0
    if before + (expected or 0) > options.most_bytes:
        raise _FetchError(f"the file is larger than {options.most_bytes} bytes")
    if not resumed:
        _forget(part)
        _remember(part, response.headers)
    received = 0
    with part.open("ab" if resumed else "wb") as handle:
        while block := response.read1(_BLOCK):
            received += len(block)
            if before + received > options.most_bytes:
                raise _FetchError(f"the file is larger than {options.most_bytes} bytes")
            handle.write(block)
    if expected is not None and received < expected:
        raise _FetchError(
            f"the download broke off after {received} of {expected} bytes", again=True
        )


def _begins_at(headers: Mapping[str, str], have: int) -> bool:
    return str(headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _note(part: Path) -> Path:
    return part.with_suffix(".json")


def _remember(part: Path, headers: Mapping[str, str]) -> None:
    """Keep what tells whether the file at the address is still the same one."""
    strong = headers.get("ETag")
    validator = strong if strong and not strong.startswith("W/") else headers.get("Last-Modified")
    store.write_text(_note(part), store.dump_json({"validator": validator}))


def _validator(part: Path) -> str | None:
    try:
        stored = json.loads(_note(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = stored.get("validator")
    return str(found) if found else None


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _contents(
    part: Path, files: Sequence[FileFacts], options: Options, accepted: bool
) -> dict[str, bytes]:
    """Return the bytes of each file that a download holds: the file itself, or a zip of them."""
    content = part.read_bytes()
    start = content[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<head")):
        _forget(part)
        raise _FetchError("the server answered with a web page instead of the file")
    single = len(files) == 1
    if single and hashlib.sha256(content).hexdigest() == files[0].sha256:
        return {files[0].name: content}
    if not zipfile.is_zipfile(io.BytesIO(content)):
        if single:
            _forget(part)
            return {files[0].name: content}
        _forget(part)
        raise _FetchError("the download is no zip archive")
    try:
        return unzip(content, files, options)
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as error:
        _forget(part)
        raise _FetchError(f"the zip archive can't be read ({error})") from error


def unzip(content: bytes, files: Sequence[FileFacts], options: Options) -> dict[str, bytes]:
    """Take files out of a zip by name, at any depth of folders and of zips in zips.

    Where a name stands twice the pinned bytes win. No path of the archive is used for writing, so
    that none can lead outside; what it unpacks to is counted and bounded.

    Raises
    ------
    _FetchError
        If it unpacks to more than `options.most_bytes`.
    """
    wanted = {file.name: file.sha256 for file in files}
    found: dict[str, bytes] = {}
    left = options.most_bytes
    pending = [(content, 0)]
    while pending:
        archive, depth = pending.pop(0)
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for info in opened.infolist():
                name = PurePosixPath(info.filename.replace("\\", "/")).name
                nested = name.lower().endswith(".zip") and depth < options.depth
                if info.is_dir() or not (name in wanted or nested):
                    continue
                data = _bounded(opened, info, left)
                left -= len(data)
                if name in wanted:
                    _keep_pinned(found, name, data, wanted[name])
                elif zipfile.is_zipfile(io.BytesIO(data)):
                    pending.append((data, depth + 1))
    return found


def _keep_pinned(found: dict[str, bytes], name: str, data: bytes, pinned: str) -> None:
    if name not in found or hashlib.sha256(data).hexdigest() == pinned:
        found[name] = data


def _bounded(opened: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """Read a member, but never more than `most` bytes, whatever its header says."""
    buffer = io.BytesIO()
    with opened.open(info) as member:
        while block := member.read(_BLOCK):
            if buffer.tell() + len(block) > most:
                raise _FetchError("the zip archive unpacks to more than is allowed")
            buffer.write(block)
    return buffer.getvalue()


def clear_downloads(project: Project) -> None:
    """Remove unfinished downloads."""
    shutil.rmtree(project.raw_home / ".downloads", ignore_errors=True)
