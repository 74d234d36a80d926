"""One record of a plugin, checked: what is wrong with it, in one sentence."""

from __future__ import annotations

import re
from typing import get_args

from adharness.contracts.memories import MemoryKind
from adharness.contracts.specs import (
    SPEC_TYPES,
    AnySpec,
    BankSpec,
    ExtractorSpec,
    Gives,
    Params,
    ScorerSpec,
)

HOOK_TYPES: dict[str, type[AnySpec]] = {f"adharness_{spec.kind}s": spec for spec in SPEC_TYPES}
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def flaw_of(record: object, hook: str) -> str | None:
    """Return what is wrong with a record that `hook` yielded; None where nothing is.

    Notes
    -----
    Only what can be told without making the component: its type, the grammar of its name, its
    params model, that `make` can be called, and the kinds of memory it speaks of.
    """
    wanted = HOOK_TYPES[hook]
    if not isinstance(record, wanted):
        return f"{hook} yielded a {type(record).__name__}, expected a {wanted.__name__}"
    flaw = _name_flaw(record.name) or _params_flaw(record.params) or _text_flaw(record)
    flaw = flaw or _memory_flaw(record)
    return f"{hook} yielded {record.name!r}: {flaw}" if flaw else None


def _name_flaw(name: object) -> str | None:
    if isinstance(name, str) and NAME.fullmatch(name):
        return None
    return "its name is not lower-case words joined by hyphens, such as 'knn-faiss'"


def _params_flaw(params: object) -> str | None:
    if not (isinstance(params, type) and issubclass(params, Params)):
        return f"params is {params!r}, expected a subclass of Params"
    config = params.model_config
    if config.get("extra") != "forbid" or not config.get("frozen"):
        return f"{params.__name__} is not frozen or allows unknown keys; leave model_config alone"
    return None


def _text_flaw(spec: AnySpec) -> str | None:
    # A plugin's author may run no type checker, so that the annotations promise nothing here.
    make: object = spec.make
    summary: object = spec.summary
    if not callable(make):
        return f"make is {make!r}, which cannot be called"
    if not isinstance(summary, str) or len(summary.strip().splitlines()) != 1:
        return f"summary is {summary!r}, expected one line of text"
    return None


def _memory_flaw(spec: AnySpec) -> str | None:
    known = get_args(MemoryKind)
    if isinstance(spec, ExtractorSpec) and spec.gives not in get_args(Gives):
        return f"gives is {spec.gives!r}, expected one of {', '.join(get_args(Gives))}"
    if isinstance(spec, BankSpec) and spec.emits not in known:
        return f"emits is {spec.emits!r}, expected one of {', '.join(known)}"
    if isinstance(spec, ScorerSpec):
        accepted: object = spec.accepts
        if not (isinstance(accepted, tuple) and accepted and all(n in known for n in accepted)):
            return f"needs is {spec.needs!r}, expected some of {', '.join(known)}"
    return None
