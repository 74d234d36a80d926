"""How much room there is, on a disk and in memory: asked of the system, or told by a test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def free_disk(folder: Path) -> int:
    """Bytes that may still be written where a folder is, or will be made."""
    return shutil.disk_usage(_existing(folder)).free


def free_memory() -> int:
    """Bytes of memory that programs may still take without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def used_memory() -> int:
    """Bytes of memory that this process holds now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


@dataclass(frozen=True)
class Room:
    """Where to ask for free bytes."""

    disk: Callable[[Path], int] = free_disk
    memory: Callable[[], int] = free_memory


def one_disk(first: Path, second: Path) -> bool:
    """Whether two folders, there or not, share their free space."""
    return _existing(first).stat().st_dev == _existing(second).stat().st_dev


def size_text(count: float) -> str:
    """Write bytes for people, in decimal units as disks are sold: `1.5 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _existing(folder: Path) -> Path:
    whole = folder.absolute()
    return next((path for path in (whole, *whole.parents) if path.exists()), whole)
