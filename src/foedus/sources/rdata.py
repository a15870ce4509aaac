"""R's saved workspaces (.RData) as plain values: vectors, lists and their attributes, no code.

R writes `save()` as a stream of typed items in XDR (R Internals, section 1.8, "Serialization
formats"), compressed as a whole. Only items that hold data are known here; a function, a formula or
anything else that R could run stops the reading, and nothing in a file is ever run.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from foedus.errors import SourceError

_MAGIC = (b"RDX2\nX\n", b"RDX3\nX\n")
_LARGEST = 1 << 28
_DEEPEST = 60
_SYMBOL, _PAIRLIST, _CHARS, _LOGICAL, _INTEGER, _REAL, _STRINGS, _LIST = 1, 2, 9, 10, 13, 14, 16, 19
_NULL, _REFERENCE = 254, 255
_CODE = {
    3: "a function", 4: "an environment", 5: "a promise", 6: "a call", 7: "a builtin",
    8: "a builtin", 20: "an expression", 21: "byte code", 22: "a pointer", 23: "a weak reference",
    25: "an S4 object", 238: "a compact vector", 242: "an environment", 253: "an environment",
}  # fmt: skip


@dataclass(frozen=True)
class RValue:
    """One value of R.

    Attributes
    ----------
    data : numpy array, list or None
        Numbers as an array (logicals and integers as int32 with the least for NA), strings as a
        list of str or None, lists as a list of `RValue`, NULL as None.
    attributes : dict
        Names, dimensions, class and the like.
    """

    data: Any
    attributes: dict[str, RValue] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names attribute, empty without one."""
        return list(self.attributes["names"].data) if "names" in self.attributes else []

    def named(self) -> dict[str, RValue]:
        """Return a list's members by name."""
        return dict(zip(self.names, self.data, strict=True))


class _BrokenError(Exception):
    """The stream breaks off, or holds what is no data."""


class _Stream:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0
        self.symbols: list[str] = []

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.content):
            raise _BrokenError(f"it breaks off after {self.at} bytes")
        part = self.content[self.at : self.at + size]
        self.at += size
        return part

    def integer(self) -> int:
        return int.from_bytes(self.take(4), "big", signed=True)

    def length(self, width: int) -> int:
        count = self.integer()
        if count < 0 or count * width > len(self.content) - self.at:
            raise _BrokenError(f"a vector at byte {self.at} is longer than the file")
        return count

    def item(self, depth: int = 0) -> RValue:
        """Read one item with everything in it."""
        if depth > _DEEPEST:
            raise _BrokenError("its lists are nested too deeply")
        flags = self.integer()
        kind, has_attributes = flags & 0xFF, bool(flags & 0x200)
        if kind == _NULL:
            return RValue(None)
        if kind == _REFERENCE:
            return RValue(self._symbol(flags >> 8 or self.integer()))
        if kind == _SYMBOL:
            name = self.item(depth + 1).data
            self.symbols.append(str(name))
            return RValue(name)
        if kind == _CHARS:
            return RValue(self._characters(flags))
        if kind == _PAIRLIST:
            return self._pairlist(flags, depth)
        data = self._vector(kind, depth)
        found = self.item(depth + 1).named() if has_attributes else {}
        return RValue(data, found)

    def _symbol(self, number: int) -> str:
        if not 1 <= number <= len(self.symbols):
            raise _BrokenError(f"a reference at byte {self.at} points nowhere")
        return self.symbols[number - 1]

    def _characters(self, flags: int) -> str | None:
        size = self.integer()
        if size == -1:
            return None
        latin = bool((flags >> 12) & 0x4)
        return self.take(size).decode("latin-1" if latin else "utf-8", errors="replace")

    def _pairlist(self, flags: int, depth: int) -> RValue:
        """Read a chain of tagged values as a named list."""
        tags, values = [], []
        while flags & 0xFF == _PAIRLIST:
            if flags & 0x200:
                self.item(depth + 1)
            tags.append(str(self.item(depth + 1).data) if flags & 0x400 else "")
            values.append(self.item(depth + 1))
            flags = self.integer()
        if flags & 0xFF != _NULL:
            raise _BrokenError(f"a chain at byte {self.at} has no end")
        return RValue(values, {"names": RValue(tags)})

    def _vector(self, kind: int, depth: int) -> Any:
        if kind in (_LOGICAL, _INTEGER):
            count = self.length(4)
            return np.frombuffer(self.take(4 * count), ">i4").astype(np.int32)
        if kind == _REAL:
            count = self.length(8)
            return np.frombuffer(self.take(8 * count), ">f8").astype(np.float64)
        if kind == _STRINGS:
            return [self.item(depth + 1).data for _ in range(self.length(4))]
        if kind == _LIST:
            return [self.item(depth + 1) for _ in range(self.length(4))]
        raise _BrokenError(
            f"it holds {_CODE.get(kind, f'an item of type {kind}')}, which is no data"
        )


def read_rdata(path: Path) -> dict[str, RValue]:
    """Return the objects of a saved workspace by name.

    Raises
    ------
    SourceError
        If the file is no workspace, breaks off, or holds anything but data.
    """
    content = _unpacked(path)
    if not content.startswith(_MAGIC):
        what = "a web page" if content[:64].lstrip().lower().startswith(b"<") else "no workspace"
        raise SourceError(
            f"{path}: this is {what} that R saved in its binary form. Delete it and fetch the "
            "released file again."
        )
    stream = _Stream(content)
    try:
        stream.take(len(_MAGIC[0]))
        version = stream.integer()
        stream.take(8)
        if version == 3:
            stream.take(stream.length(1))
        return stream.item().named()
    except (_BrokenError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SourceError(
            f"{path}: this workspace of R can't be read: {error}. Delete it and fetch the released "
            "file again."
        ) from error


def _unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        if content.startswith(b"\xfd7zXZ"):
            unpack: Any = lzma.LZMADecompressor()
        elif content.startswith(b"BZh"):
            unpack = bz2.BZ2Decompressor()
        elif content.startswith(b"\x1f\x8b"):
            unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
            return _whole(path, unpack.decompress(content, _LARGEST + 1), finished=unpack.eof)
        else:
            return content
        return _whole(path, unpack.decompress(content, _LARGEST + 1), finished=unpack.eof)
    except (lzma.LZMAError, OSError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise SourceError(
            f"{path}: the compressed file is damaged ({error}). Delete it and fetch it again."
        ) from error


def _whole(path: Path, content: bytes, *, finished: bool) -> bytes:
    if len(content) > _LARGEST:
        raise SourceError(
            f"{path}: it unpacks to more than {_LARGEST >> 20} MiB, which no released file does. "
            "Delete it and fetch it again."
        )
    if not finished:
        raise SourceError(f"{path}: the compressed file breaks off. Delete it and fetch it again.")
    return content
