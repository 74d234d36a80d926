"""What every component promises, whatever its kind: clauses A of docs/contracts.md."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Mapping
from functools import cache
from unittest import SkipTest

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts.flaws import flaw_of
from adharness.testing.check import Check, require
from adharness.testing.guards import (
    offline,
    random_states,
    shuffled_globals,
    stdout_heard,
    thread_counts,
)
from adharness.testing.subject import Subject, as_given, read_only, strided

HEAVY = (
    *("torch", "torchvision", "timm", "faiss", "sklearn", "skimage", "tensorflow", "jax"),
    *("onnxruntime", "openvino", "cv2", "pandas", "matplotlib", "lightning", "anomalib", "pyod"),
)
"""What `adharness --help` would wait for if a plugin imported it when it is loaded."""
IMPORT_S = 60
CALLS = 16


def check_record_is_whole(subject: Subject) -> None:
    """Its record is one that the registry takes."""
    flaw = flaw_of(subject.spec, f"adharness_{subject.spec.kind}s")
    require(flaw is None, flaw or "")


def check_imports_nothing_heavy(subject: Subject) -> None:
    """Importing the modules of its record and parameters imports no heavy library."""
    spec = subject.spec
    modules = (spec.params.__module__, getattr(spec.make, "__module__", "builtins"))
    if "__main__" in modules:
        raise SkipTest("its record was made in a script, which cannot be imported again")
    names = ", ".join(sorted(set(modules)))
    problem, loaded = _imported(tuple(sorted(set(modules))))
    require(not problem, f"importing {names} fails:\n{problem}")
    require(not loaded, f"importing {names} imports {', '.join(loaded)}")


@cache  # the records of one package are in one module
def _imported(modules: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Import modules in a new process: what went wrong, and the heavy libraries it loaded."""
    lines = [f"import {module}" for module in modules]
    lines += ["import sys, json", f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"]
    done = subprocess.run(  # noqa: S603  this interpreter, on code of this module
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        timeout=IMPORT_S,
        check=False,
        env=_environment(),
    )
    if done.returncode:
        return done.stderr[-2000:] or f"exit code {done.returncode}", ()
    return "", tuple(json.loads(done.stdout.strip().splitlines()[-1]))


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def check_ignores_global_random_state(subject: Subject) -> None:
    """What it gives does not depend on a global random state, which stays as it was."""
    subject.use(as_given)  # libraries may draw once, when they are loaded
    given = []
    for seed in (1, 2):
        with shuffled_globals(seed):
            before = random_states()
            given.append(subject.use(as_given))
            after = random_states()
        moved = [name for name, state in before.items() if after.get(name) != state]
        require(not moved, f"it draws from the global state of {', '.join(moved)}")
    _require_equal(given[0], given[1], "with another global random state")


def check_repeats_itself(subject: Subject) -> None:
    """From the same inputs and seeds it gives the same, to the last bit."""
    _require_equal(subject.use(as_given), subject.use(as_given), "the second time")


def check_leaves_inputs_unchanged(subject: Subject) -> None:
    """It changes no array that it is given."""
    handed: list[tuple[AnyArray, AnyArray]] = []

    def watched(array: AnyArray) -> AnyArray:
        mine = array.copy()
        handed.append((mine, array.copy()))
        return mine

    subject.use(watched)
    for now, before in handed:
        same = np.array_equal(now, before, equal_nan=now.dtype.kind == "f")
        require(same, f"it changed an input of shape {before.shape} that it was given")


def check_takes_read_only_inputs(subject: Subject) -> None:
    """It takes arrays that cannot be written to, and gives the same."""
    _require_equal(subject.use(as_given), subject.use(read_only), "of read-only arrays")


def check_takes_strided_inputs(subject: Subject) -> None:
    """It takes arrays that are not contiguous, and gives the same within 1e-5."""
    expected, found = subject.use(as_given), subject.use(strided)
    _require_equal(expected, found, "of arrays that are not contiguous", within=1e-5)


def check_downloads_nothing(subject: Subject) -> None:
    """It is made and used without the network."""
    with offline() as tried:
        try:
            subject.use(as_given)
        finally:
            require(not tried, f"it connects to {', '.join(tried)}")


def check_prints_nothing(subject: Subject) -> None:
    """It writes nothing to stdout, which belongs to the command."""
    with stdout_heard() as heard:
        subject.use(as_given)
    require(not heard.text, f"it prints {heard.text[:200]!r}")


def check_leaves_threads_alone(subject: Subject) -> None:
    """It leaves the number of threads as it found it; the run decides that."""
    subject.use(as_given)  # its libraries are loaded now
    before = thread_counts()
    subject.use(as_given)
    after = thread_counts()
    changed = {n: f"{before.get(n)} -> {v}" for n, v in after.items() if before.get(n) != v}
    require(not changed, f"it changes the number of threads: {changed}")


def check_describes_its_parameters(subject: Subject) -> None:
    """Each parameter has a description."""
    model = subject.spec.params
    silent = [n for n, field in model.model_fields.items() if not field.description]
    require(not silent, f"{model.__name__} does not describe {', '.join(silent)}")


def check_parameters_come_back(subject: Subject) -> None:
    """The identity of its parameters is JSON, and gives them back."""
    identity = subject.params.identity()
    known = {**subject.params.model_dump(), **json.loads(json.dumps(identity))}
    back = type(subject.params)(**known)
    require(back == subject.params, f"{identity} gives back {back!r}")


def check_keeps_no_memory(subject: Subject) -> None:
    """Used again and again, it does not keep what it was given."""
    call, given_bytes = subject.again()
    for _ in range(2):
        call()
    gc.collect()
    tracemalloc.start()
    try:
        call()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(CALLS):
            call()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    each = grown / CALLS
    require(
        each < given_bytes / 2,
        f"each call leaves {each:.0f} bytes behind, of {given_bytes} that it is given",
    )


def check_exemptions_have_reasons(subject: Subject) -> None:
    """Each exemption of its record has a reason."""
    bare = [name for name, reason in subject.spec.exempt.items() if not reason.strip()]
    require(not bare, f"the exemption of {', '.join(bare)} has no reason")


def _require_equal(
    expected: Mapping[str, AnyArray],
    found: Mapping[str, AnyArray],
    when: str,
    *,
    within: float = 0.0,
) -> None:
    require(expected.keys() == found.keys(), f"it gives {sorted(found)} {when}")
    for name, array in expected.items():
        other = found[name]
        same = array.shape == other.shape and np.allclose(
            array, other, rtol=within, atol=within, equal_nan=True
        )
        require(same, f"its {name} are others {when}{_apart(array, other)}")


def _apart(one: AnyArray, other: AnyArray) -> str:
    if one.shape != other.shape:
        return f": shape {other.shape}, and {one.shape} before"
    with np.errstate(invalid="ignore"):  # two infinities are no number apart
        apart = np.abs(one.astype(np.float64) - other.astype(np.float64))
    return f", by up to {np.max(apart, initial=0.0):.3g}"


RECORD_CHECKS: tuple[Check[Subject], ...] = (
    Check("A1", check_record_is_whole),
    Check("A2", check_imports_nothing_heavy),
    Check("A9", check_describes_its_parameters),
    Check("A11", check_exemptions_have_reasons),
)
"""Checks that look at a record alone."""

ANY_CHECKS: tuple[Check[Subject], ...] = (
    Check("A3", check_ignores_global_random_state),
    Check("A4", check_leaves_inputs_unchanged),
    Check("A4", check_takes_read_only_inputs),
    Check("A4", check_takes_strided_inputs),
    Check("A5", check_downloads_nothing),
    Check("A6", check_repeats_itself),
    Check("A7", check_prints_nothing),
    Check("A8", check_leaves_threads_alone),
    Check("A9", check_parameters_come_back),
    Check("A10", check_keeps_no_memory),
)
"""Checks of every component that can be made."""
