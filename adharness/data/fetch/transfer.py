"""Download one file over HTTP: resumed where it stopped, never larger than said."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from math import ceil
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from adharness.errors import DataError
from adharness.progress import tell

_CHUNK = 1 << 18
_MB = 1_000_000
UNKNOWN_LIMIT = 500_000 * _MB
"""Most bytes of a file whose size nobody said."""
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download waits.

    Parameters
    ----------
    timeout_s
        For the connection, and for the next bytes.
    tries
        Connections in a row that may end early without bringing a byte.
    pause_s
        Before the next connection; doubled each time.
    sleep
        Waits.
    """

    timeout_s: float = 30.0
    tries: int = 5
    pause_s: float = 1.0
    sleep: Callable[[float], object] = time.sleep


class _Dropped(Exception):
    """The connection ended early, or the server was busy."""


class StaySafe(HTTPRedirectHandler):
    """Follows redirects, but never from HTTPS to anything else."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Give the next request; see urllib."""
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise DataError(
                f"{req.full_url} leads to {newurl}, which is not encrypted",
                hint="download it by hand from the page of the data set",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True)
class _State:
    """A file that is being downloaded, and what the server said of it: it survives the program."""

    part: Path

    @property
    def _note(self) -> Path:
        return self.part.with_name(self.part.name + ".json")

    @property
    def have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def validator(self, url: str) -> str | None:
        """Give what `If-Range` asks about; None where it is another file, or nobody said."""
        try:
            noted = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        same = isinstance(noted, dict) and noted.get("url") == url
        return noted.get("validator") if same else None

    def note(self, url: str, headers: Mapping[str, str]) -> None:
        tag = headers.get("ETag") or ""
        strong = tag if tag and not tag.startswith("W/") else None
        noted = {"url": url, "validator": strong or headers.get("Last-Modified")}
        self._note.write_text(json.dumps(noted), encoding="utf-8")

    def forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def forget(part: Path) -> None:
    """Remove a download that was begun, with what is noted of it."""
    _State(part).forget()


def transfer(url: str, part: Path, *, size_bytes: int | None, patience: Patience) -> bool:
    """Download a file to `part`, going on where an earlier download of it stopped.

    Parameters
    ----------
    url
        HTTP or HTTPS; redirects are followed, but not out of HTTPS.
    part
        Where it goes; what is already in it is kept if the server still has that very file
        (`Range` with `If-Range`: an entity tag or a date).
    size_bytes
        Of the file; None where it is not known. A server that sends another number is refused.
    patience
        How long to wait, and how often to try.

    Returns
    -------
    bool
        Whether some of it was there before.

    Raises
    ------
    DataError
        Where the server refuses or has another file, the connection ends early too often, or the
        disk is too small. What has come stays, and the next call goes on from it.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"{url!r} is no address of the web", hint="use https://")
    state = _State(part)
    resumed, idle = state.have > 0 and state.validator(url) is not None, 0
    while True:
        before = state.have
        try:
            _connect(url, state, size_bytes, patience)
        except _Dropped as drop:
            idle = 0 if state.have > before else idle + 1
            if idle >= patience.tries:
                raise _gave_up(url, state, str(drop)) from drop
            patience.sleep(patience.pause_s * 2**idle)
        else:
            return resumed


def _connect(url: str, state: _State, size_bytes: int | None, patience: Patience) -> None:
    """Ask once for what is missing and append it."""
    validator = state.validator(url)
    if validator is None:
        state.forget()
    if size_bytes is not None and state.have == size_bytes:
        return
    headers = {"Accept-Encoding": "identity", "User-Agent": "adharness"}
    if state.have and validator:
        headers |= {"Range": f"bytes={state.have}-", "If-Range": validator}
    try:
        opener = build_opener(StaySafe())
        with opener.open(Request(url, headers=headers), timeout=patience.timeout_s) as answer:  # noqa: S310  the scheme is checked above
            _receive(url, answer, state, size_bytes)
    except HTTPError as error:
        _refused(url, error, state)
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise _Dropped(str(reason) or type(reason).__name__) from error


def _refused(url: str, error: HTTPError, state: _State) -> None:
    if error.code == 416:  # there is nothing after what we have, or it is another file
        if error.headers.get("Content-Range") == f"bytes */{state.have}":
            return
        state.forget()
        raise _Dropped("the server has another file than the one begun") from error
    if error.code in _PASSING:
        raise _Dropped(f"the server says {error.code} {error.reason}") from error
    raise DataError(
        f"the server refuses {url}: {error.code} {error.reason}",
        hint="the address may have changed: look at the page of the data set",
    ) from error


def _receive(url: str, answer: Any, state: _State, size_bytes: int | None) -> None:
    begin = _begins_at(answer) if answer.status == 206 else 0
    if begin != (state.have if answer.status == 206 else 0):
        state.forget()
        raise _Dropped("the server sent another range than the one asked for")
    total = _total(url, answer, begin, size_bytes)
    _check_room(state.part, (total or 0) - begin)
    state.note(url, answer.headers)
    with state.part.open("r+b" if begin else "wb") as file:
        file.seek(begin)
        done = _copy(answer, file, begin, total or UNKNOWN_LIMIT)
    if total is not None and done < total:
        raise _Dropped(f"the connection ended after {done} of {total} bytes")


def _begins_at(answer: Any) -> int:
    """Where a partial answer begins; -1 where it does not say so."""
    said = str(answer.headers.get("Content-Range", ""))
    first = said.removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else -1


def _total(url: str, answer: Any, begin: int, size_bytes: int | None) -> int | None:
    """Bytes of the whole file. Raises DataError where the server's number is not the record's."""
    said = str(answer.headers.get("Content-Length", ""))
    total = begin + int(said) if said.isdigit() else None
    if size_bytes is not None and total not in (None, size_bytes):
        raise DataError(
            f"{url} has {total} bytes, but the archive that is known has {size_bytes}",
            hint="the owners may have changed it: look at the page of the data set",
        )
    return total if size_bytes is None else size_bytes


def _copy(answer: Any, file: IO[bytes], done: int, limit: int) -> int:
    while chunk := _read(answer):
        done += len(chunk)
        if done > limit:
            raise DataError(f"the server sends more than {limit} bytes", hint="try again later")
        file.write(chunk)
        if limit != UNKNOWN_LIMIT:
            tell(ceil(done / _MB), ceil(limit / _MB), "MB")
    return done


def _read(answer: Any) -> bytes:
    # `read1` gives what has come; `read` would hold a slow server's bytes back until a chunk is
    # full, and lose them where the connection breaks.
    return bytes(answer.read1(_CHUNK))


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise DataError(
            f"{needed / 1e9:.1f} GB are still to come, and {part.parent} has {free / 1e9:.1f} GB",
            hint="give another folder with --out DIR; what was downloaded is kept",
            where=str(part.parent),
        )


def _gave_up(url: str, state: _State, reason: str) -> DataError:
    return DataError(
        f"the download of {url} stopped after {state.have} bytes: {reason}",
        hint="type the same command again: it goes on from there",
        where=str(state.part),
    )
