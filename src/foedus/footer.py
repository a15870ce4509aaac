"""The footer of a parquet file, taken apart and put together: Thrift's compact protocol, no more.

Parquet keeps everything about a file's columns (where each chunk of bytes begins, its encoding, its
statistics) in one Thrift structure at the end. Columns that were encoded separately become one file
when their bytes stand one after the other and the footer says where. Fields that this module
doesn't know are carried along as they are.

Source: Apache Parquet format 2, ``parquet.thrift``; Apache Thrift, "Thrift compact protocol".
"""

from __future__ import annotations

from typing import Any

MAGIC = b"PAR1"

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)

Struct = dict[int, tuple[int, Any]]
"""Field number → (type, value); a list's value is (type of its items, items)."""


def footer_of(content: memoryview) -> Struct:
    """Return the footer of a parquet file's bytes."""
    assert content[-4:] == MAGIC
    length = int.from_bytes(content[-8:-4], "little")
    return _Reader(content[len(content) - 8 - length : len(content) - 8]).struct()


def packed(footer: Struct) -> bytes:
    """Return a footer as the bytes that end a parquet file, length and magic included."""
    out = bytearray()
    _write_struct(out, footer)
    return bytes(out) + len(out).to_bytes(4, "little") + MAGIC


class _Reader:
    """Reads values one after the other."""

    def __init__(self, content: memoryview) -> None:
        self.content, self.at = bytes(content), 0

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.content[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def integer(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def raw(self, length: int) -> bytes:
        self.at += length
        return self.content[self.at - length : self.at]

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self.raw(1)[0]:
            kind = head & 0x0F
            number = number + (head >> 4) if head >> 4 else self.integer()
            fields[number] = (kind, self.value(kind))
        return fields

    def value(self, kind: int) -> Any:
        if kind in _INTEGERS:
            return self.integer()
        if kind == _BINARY:
            return self.raw(self.varint())
        if kind == _STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            head = self.raw(1)[0]
            size = head >> 4 if head >> 4 != 0x0F else self.varint()
            items = head & 0x0F
            if items in (_TRUE, _FALSE):
                return items, [self.raw(1) for _ in range(size)]
            return items, [self.value(items) for _ in range(size)]
        if kind in (_TRUE, _FALSE):
            return None  # the type says it
        assert kind in (_BYTE, _DOUBLE), f"a footer holds a field of the unknown type {kind}"
        return self.raw(8 if kind == _DOUBLE else 1)


def _varint(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write_struct(out: bytearray, fields: Struct) -> None:
    last = 0
    for number in sorted(fields):
        kind, value = fields[number]
        if 0 < number - last <= 15:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            _varint(out, number << 1)
        last = number
        _write_value(out, kind, value)
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
    elif kind == _BINARY:
        _varint(out, len(value))
        out += value
    elif kind == _STRUCT:
        _write_struct(out, value)
    elif kind in (_LIST, _SET):
        items, listed = value
        if len(listed) < 15:
            out.append(len(listed) << 4 | items)
        else:
            out.append(0xF0 | items)
            _varint(out, len(listed))
        for item in listed:
            if items in (_TRUE, _FALSE):
                out += item
            else:
                _write_value(out, items, item)
    elif kind not in (_TRUE, _FALSE):
        out += value
