"""Arrays of strangers: the header is checked against the bytes before anything is allocated."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from adharness.arrays import AnyArray
from adharness.errors import StoreError

TEXT_BYTES = 4 * 4096
"""Of one text of an array; numpy takes 4 bytes a character."""
_DTYPES: Mapping[str, tuple[str, ...]] = {
    "text": ("U",),
    "int64": ("<i8",),
    "float64": ("<f8",),
    "float32": ("<f4",),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What an array must be: `kind` is text, int64, float64 or float32.

    `shape` names its axes; equal names are equal lengths in one file, digits are lengths.
    """

    kind: str
    shape: tuple[str, ...]
    optional: bool = False
    nan: bool = False
    """Whether numbers may be NaN; infinite they never are."""


def read_npz(
    content: bytes,
    name: str,
    expected: Mapping[str, Expected],
    more: Callable[[str], Expected | None] = lambda _: None,
) -> dict[str, AnyArray]:
    """Read the arrays of an npz, in memory no larger than a few times its bytes.

    Parameters
    ----------
    expected
        By the array's name.
    more
        Gives what an array of another name must be; None refuses it.

    Raises
    ------
    StoreError
        The file is no npz; an array is missing, there twice, not expected, of another kind or
        shape, or holds a NaN, an infinity or a character that does not exist.
    """
    found: dict[str, AnyArray] = {}
    lengths: dict[str, int] = {}
    for array, stored in _members(content, name).items():
        rule = expected.get(array) or more(array)
        if rule is None:
            raise StoreError(f"{name} has the array '{array[:80]}', which is not expected")
        found[array] = _array(stored, f"{name}: {array}", rule, lengths)
    for array, rule in expected.items():
        if array not in found and not rule.optional:
            raise StoreError(f"{name} lacks the array '{array}'")
    return found


def _members(content: bytes, name: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > len(content):
                raise StoreError(f"{name} unpacks to more bytes than it has")
            stored = {m.filename: _plain(archive, m, name) for m in members}
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise StoreError(f"{name} is no npz: {error}") from error
    if len(stored) != len(members):
        raise StoreError(f"{name} has an array twice")
    return {key.removesuffix(".npy"): value for key, value in stored.items()}


def _plain(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    if not member.filename.endswith(".npy"):
        raise StoreError(f"{name} holds {member.filename[:80]!r}, which is no array")
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise StoreError(f"{name} holds {member.filename[:80]!r} compressed or encrypted")
    return archive.read(member)


def _array(stored: bytes, name: str, rule: Expected, lengths: dict[str, int]) -> AnyArray:
    shape, dtype, start = _header(stored, name)
    if rule.kind == "text" and shape == (0,) and dtype.str == "<f8":
        dtype = np.dtype("<U1")  # what numpy makes of an empty list of texts
    _check_dtype(dtype, name, rule)
    _check_shape(shape, name, rule, lengths)
    needed = math.prod(shape) * dtype.itemsize
    if needed != len(stored) - start:
        raise StoreError(
            f"{name} claims the shape {shape} of {needed} bytes, and has {len(stored) - start}"
        )
    if rule.kind == "text":
        _check_characters(stored[start:], name)
    values = np.frombuffer(stored, dtype=dtype, offset=start, count=math.prod(shape))
    values = values.reshape(shape).copy()
    if rule.kind.startswith("float"):
        _check_numbers(values, name, rule)
    return cast("AnyArray", values)


def _header(stored: bytes, name: str) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    file = io.BytesIO(stored)
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise StoreError(f"{name} has an npy header of version {version}, expected 1.0")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=1000)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        told = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise StoreError(f"{name} has no npy header: {told}") from error
    if dtype.hasobject:
        raise StoreError(f"{name} holds Python objects, which only pickle could read")
    if fortran and len(shape) > 1:
        raise StoreError(f"{name} is stored column by column")
    return shape, dtype, file.tell()


def _check_dtype(dtype: np.dtype[Any], name: str, rule: Expected) -> None:
    if rule.kind == "text":
        fits = dtype.kind == "U" and dtype.str[0] in "<|" and 0 < dtype.itemsize <= TEXT_BYTES
    else:
        fits = dtype.str in _DTYPES[rule.kind]
    if not fits:
        raise StoreError(f"{name} is {dtype.str[:40]}, expected {rule.kind}")


def _check_shape(
    shape: tuple[int, ...], name: str, rule: Expected, lengths: dict[str, int]
) -> None:
    told = f"{name} has the shape {shape}, expected ({', '.join(rule.shape)})"
    if len(shape) != len(rule.shape) or any(length < 0 for length in shape):
        raise StoreError(told)
    for axis, length in zip(rule.shape, shape, strict=True):
        if length != lengths.setdefault(axis, int(axis) if axis.isdigit() else length):
            raise StoreError(f"{told} with {axis} = {lengths[axis]}")


def _check_characters(stored: bytes, name: str) -> None:
    points = np.frombuffer(stored, dtype="<u4")
    if np.any(points > 0x10FFFF) or np.any((points >= 0xD800) & (points < 0xE000)):
        raise StoreError(f"{name} holds a character that does not exist")
    if np.any((points > 0) & (points < 0x20)) or np.any((points >= 0x7F) & (points < 0xA0)):
        raise StoreError(f"{name} holds a control character")


def _check_numbers(values: AnyArray, name: str, rule: Expected) -> None:
    wrong = np.isinf(values) if rule.nan else ~np.isfinite(values)
    if wrong.any():
        raise StoreError(f"{name} holds {values[wrong][0]}, expected finite numbers")
