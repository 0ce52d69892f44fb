"""Look into an ONNX file before any library opens it: what it may hold, read off the protobuf encoding itself.

The message and field numbers are those of onnx.proto (ONNX IR specification); the package `onnx` is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from conflictnlp.errors import BundleError

# Opsets of the standard operators that this version was tried with.
OLDEST_OPSET, NEWEST_OPSET = 14, 23
# A protobuf message holds at most this many bytes.
LARGEST = (1 << 31) - 1
# The standard operators, and those that ONNX Runtime itself brings: what its fusion and quantisation write.
_DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
# Operators by which a graph names a file of compiled code.
_REFUSED = frozenset({"EPContext"})
# An encoder's graph has no deeper graphs in its graph; a file of a million nested ones would exhaust the stack.
_DEEPEST = 8
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_Field = tuple[int, memoryview | int]


class _Malformed(Exception):
    """The bytes are not a protobuf message."""


def read_model(path: Path) -> bytes:
    """Read an ONNX file and refuse what a bundle's may not hold.

    Args:
        path: the file.

    Returns:
        its bytes: what was checked is what is then loaded.

    Raises:
        BundleError: it keeps weights in another file, uses operators of its own, is of an opset that this version
            does not read, is too large, or is no ONNX file.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise BundleError(f"{path}: {size} bytes, more than an ONNX file can hold; nothing was loaded")
    content = path.read_bytes()
    try:
        fault = _model_fault(memoryview(content))
    except (_Malformed, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: damaged, or no ONNX file; export the model again") from error
    if fault:
        raise BundleError(f"{path}: {fault}; nothing was loaded")
    return content


def _model_fault(model: memoryview) -> str | None:
    graphs, opset = [], None
    for number, value in _fields(model):
        if number == 7:
            graphs.append(_message(value))
        elif number == 8:
            domain, version = _opset(_message(value))
            if domain not in _DOMAINS:
                return f"uses operators of the domain {domain!r}, which ONNX Runtime does not bring"
            if domain in ("", "ai.onnx"):
                opset = version
        elif number == 20:
            return "holds a training graph"
        elif number == 25:
            return "holds functions of its own"
    if opset is None or len(graphs) != 1:
        raise _Malformed
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        return f"is of opset {opset}; this version reads {OLDEST_OPSET} to {NEWEST_OPSET}, so export the model again"
    return _graph_fault(graphs[0], 0)


def _opset(message: memoryview) -> tuple[str, int]:
    domain, version = "", 0
    for number, value in _fields(message):
        if number == 1:
            domain = _text(value)
        elif number == 2 and isinstance(value, int):
            version = value
    return domain, version


def _graph_fault(graph: memoryview, depth: int) -> str | None:
    if depth > _DEEPEST:
        return "holds graphs within graphs without end"
    for number, value in _fields(graph):
        fault = None
        if number == 1:
            fault = _node_fault(_message(value), depth)
        elif number == 5:
            fault = _tensor_fault(_message(value))
        elif number == 15:
            fault = _sparse_fault(_message(value))
        if fault:
            return fault
    return None


def _node_fault(node: memoryview, depth: int) -> str | None:
    operator, domain = "", ""
    for number, value in _fields(node):
        if number == 4:
            operator = _text(value)
        elif number == 7:
            domain = _text(value)
        elif number == 5 and (fault := _attribute_fault(_message(value), depth)):
            return fault
    if domain not in _DOMAINS or operator in _REFUSED:
        return f"uses the operator {operator!r} of the domain {domain!r}, which no exported bundle needs"
    return None


def _attribute_fault(attribute: memoryview, depth: int) -> str | None:
    for number, value in _fields(attribute):
        fault = None
        if number in (5, 10):
            fault = _tensor_fault(_message(value))
        elif number in (6, 11):
            fault = _graph_fault(_message(value), depth + 1)
        elif number in (22, 23):
            fault = _sparse_fault(_message(value))
        if fault:
            return fault
    return None


def _sparse_fault(sparse: memoryview) -> str | None:
    faults = (_tensor_fault(_message(value)) for number, value in _fields(sparse) if number in (1, 2))
    return next((fault for fault in faults if fault), None)


def _tensor_fault(tensor: memoryview) -> str | None:
    for number, value in _fields(tensor):
        # external_data, and a data_location that is not the file itself.
        if number == 13 or (number == 14 and value != 0):
            return "keeps weights in another file, which a bundle may not"
    return None


def _text(value: memoryview | int) -> str:
    return bytes(_message(value)).decode()


def _message(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise _Malformed
    return value


def _fields(message: memoryview) -> Iterator[_Field]:
    """Yield (field number, value) of a protobuf message; a value's bytes are not copied."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise _Malformed
        if at + length > end:
            raise _Malformed
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise _Malformed
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _Malformed
