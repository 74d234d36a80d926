"""What a run was made with: versions, source revision, machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from adharness.store.machine import libraries


@dataclass(frozen=True)
class Installed:
    """Versions of installed distributions, each read from disk once in a run."""

    _known: dict[str, dict[str, str]] = field(default_factory=dict)

    def versions(self, distributions: Iterable[str]) -> dict[str, str]:
        """Versions of these distributions and of what they directly require.

        And of what an extra brings that is called as it: `adharness-anomalib[anomalib]`.
        """
        found: dict[str, str] = {}
        for name in distributions:
            if name not in self._known:
                self._known[name] = _with_requirements(name)
            found |= self._known[name]
        return dict(sorted(found.items()))


def installed_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of those of these distributions that are installed."""
    found: dict[str, str] = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):  # an optional requirement
            found[name] = metadata.version(name)
    return found


def environment() -> dict[str, str]:
    """Version of every installed distribution, by its normalized name, sorted."""
    found: dict[str, str] = {}
    for one in metadata.distributions():
        about = one.metadata  # each look reads and parses the file anew
        if about["Name"]:  # a broken installation has none
            found.setdefault(canonicalize_name(about["Name"]), about["Version"])
    return dict(sorted(found.items()))


def _with_requirements(distribution: str) -> dict[str, str]:
    return installed_versions([distribution, *_requirements(distribution)])


def _requirements(distribution: str) -> list[str]:
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []
    names = (_needed(line) for line in lines)
    return sorted({name for name in names if name})


def _needed(requirement: str) -> str | None:
    """Name what a requirement asks for; None where it is optional and of no component.

    An extra that is called as what it brings (`x-y[y]`) is the heavy library of the components: its
    version is theirs. Other extras, such as `dev` or the core's `parquet`, change no number.
    """
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    name = match.group().lower() if match else None
    extra = re.search(r"""extra\s*==\s*["']([^"']+)""", requirement)
    return name if extra is None or extra.group(1).lower() == name else None


def provenance(
    versions: Mapping[str, str],
    git: Mapping[str, Any] | None = None,
    elsewhere: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe the source revision, the distributions, the interpreter and the machine.

    Parameters
    ----------
    git
        From `git_state` when the program began; asked now where it was not.
    elsewhere
        `libraries` of the processes that worked, where they were others.
    """
    return {
        "git": dict(git_state(Path.cwd()) if git is None else git),
        "versions": dict(versions),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "memory_gb": memory_gb(),
        "gpus": gpu_names(),
        "gpu_drivers": gpu_drivers(),
        **libraries(),
        **(elsewhere or {}),
    }


def git_state(folder: Path) -> dict[str, Any]:
    """Commit and dirtiness of the checkout that `folder` is in; nulls where it is in none."""
    commit = _output("git", "-C", str(folder), "rev-parse", "HEAD")
    changes = _output("git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": bool(changes) if commit else None}


def cpu_name() -> str:
    """Model of the processor as the system calls it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def memory_gb() -> float | None:
    """Physical memory in GB; None where the system does not say."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 1e9, 1)


def gpu_names() -> list[str]:
    """Names of the NVIDIA devices that the driver lists, without importing torch."""
    return _devices("name")


def gpu_drivers() -> list[str]:
    """Versions of the driver of the NVIDIA devices, each once."""
    return sorted(set(_devices("driver_version")))


def _devices(what: str) -> list[str]:
    listed = _output("nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader")
    return listed.splitlines() if listed else []


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed program names, no shell
            command, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
