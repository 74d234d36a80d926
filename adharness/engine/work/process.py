"""The process that works on units: `python -m adharness.engine.work.process`.

It reads lines of JSON from its standard input and answers on what was its standard output; what a
plugin prints goes to standard error. It ends when its input does.

in: `{"request": RunRequest}`, then any number of `{"bench": BenchRequest}` and
`{"do": Unit, "time_s": ..., "memory_mb": ...}`.
out: `{"ready": versions}` after the request and `{"ready": {}}` after a bench; of a unit
`{"event": name, "facts": {...}}` while it lasts, `{"done": result}` or, where it raised,
`{"failed": failure}`, and in any case `{"ended": Death or null}`. `{"refused": failure}` instead of
an answer is what ends a run: a suite that cannot be bound here, a disk or a cache that refuses.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from adharness.engine.events import Event, Loaded, Printed, event_facts, event_name
from adharness.engine.failures import failure_of
from adharness.engine.work.child import in_child
from adharness.engine.work.limits import Allowed, Death
from adharness.engine.work.request import RunRequest
from adharness.engine.work.site import Site
from adharness.engine.work.units import BenchRequest, Fit, Identify, Unit, unit_of
from adharness.errors import AdharnessError, StoreError
from adharness.registry import discover
from adharness.store.machine import libraries


def main() -> None:
    """Work until nobody asks for more."""
    talk = Talk.begun()
    site: Site | None = None
    for message in talk.heard():
        try:
            if "request" in message:
                site = _opened(message["request"])
                talk.say({"ready": site.versions()})
            elif "bench" in message:
                assert site is not None  # noqa: S101  a request comes first
                site.open(BenchRequest.model_validate(message["bench"]))
                talk.say({"ready": {}})
            else:
                assert site is not None  # noqa: S101  a request comes first
                _work(site, message, talk)
        except AdharnessError as error:
            talk.refuse(error)


def _opened(told: Mapping[str, Any]) -> Site:
    request = RunRequest.model_validate(told)
    request.enter()
    return Site(request, request.plan(discover(request.plugins)))


@dataclass(frozen=True)
class Talk:
    """Both ends of the talk with who asks for work."""

    inward: int
    outward: int

    @classmethod
    def begun(cls) -> Talk:
        """Take over this process's input and output; what else is printed goes to stderr."""
        inward, outward = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(sys.stderr.fileno(), 1)
        os.close(nothing)
        return cls(inward, outward)

    def heard(self) -> Iterator[dict[str, Any]]:
        """Give what is asked, message by message, until the other side is gone."""
        with os.fdopen(os.dup(self.inward), encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def say(self, message: Mapping[str, Any]) -> None:
        """Answer; each message is a line, begun on a new one: a death may have torn the last."""
        data = f"\n{json.dumps(message)}\n".encode()
        while data:
            data = data[os.write(self.outward, data) :]

    def refuse(self, error: AdharnessError) -> None:
        """Say what ends the run."""
        self.say({"refused": failure_of("work", error).model_dump(mode="json")})

    def is_wanted(self) -> bool:
        """Whether the other side is there still. It says nothing while a unit is worked on."""
        watched = select.poll()
        watched.register(self.inward, select.POLLIN)
        return not watched.poll(0)  # readable without a message is the end of the pipe


def _work(site: Site, message: Mapping[str, Any], talk: Talk) -> None:
    """Work on a unit in a child, and say what came of it."""
    unit = unit_of(message["do"])
    site.warm(unit)
    ended = in_child(
        lambda: _do(site, unit, talk),
        Allowed(message["time_s"], message["memory_mb"]),
        talk.is_wanted,
    )
    if isinstance(ended, str) and ended:
        _tell(talk, Printed(unit.label, ended))
    talk.say({"ended": asdict(ended) if isinstance(ended, Death) else None})


def _do(site: Site, unit: Unit, talk: Talk) -> None:
    """Be the child: work, and say the result."""
    try:
        done = site.do(unit, lambda event: _tell(talk, event))
    except StoreError as error:
        talk.refuse(error)
    except Exception as error:  # noqa: BLE001 - what a plugin raises where nobody else catches it
        talk.say({"failed": failure_of("work", error).model_dump(mode="json")})
    else:
        talk.say({"done": done})
        if isinstance(unit, Identify | Fit):
            _tell(talk, Loaded(libraries()))


def _tell(talk: Talk, event: Event) -> None:
    talk.say({"event": event_name(event), "facts": event_facts(event)})


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        main()
