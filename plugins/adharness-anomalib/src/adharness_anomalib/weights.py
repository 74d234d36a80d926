"""Where the backbones of anomalib's models get their weights: never from a download unasked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import timm
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from adharness import DataError
from adharness_timm.bundled import bundled_state

Weights = Literal["bundled", "pretrained", "none"]


@contextlib.contextmanager
def backbones(weights: Weights) -> Iterator[None]:
    """Run the block so that every backbone that is made in it gets these weights.

    Most of anomalib's models have no option for it: they ask timm or torchvision for pretrained
    networks, and those download. So while the block runs, in this thread alone, timm is asked for
    the network without weights and the bundled ones are put into it, torchvision is asked for it
    without, and no host can be looked up. With `pretrained` nothing is changed.

    Raises
    ------
    SuiteError
        If the weights are `bundled` and a backbone is asked for that has none.
    DataError
        If the block tries to download all the same.
    """
    if weights == "pretrained":
        yield
        return
    with contextlib.ExitStack() as stack:
        create = _here(timm.create_model, _creator(timm.create_model, weights))
        stack.enter_context(_replaced(timm, "create_model", create))
        verify: Any = vars(WeightsEnum)["verify"]
        none = classmethod(_here(verify.__func__, lambda _cls, _obj: None))
        stack.enter_context(_replaced(WeightsEnum, "verify", none))
        offline = _here(socket.getaddrinfo, _refuse)
        stack.enter_context(_replaced(socket, "getaddrinfo", offline))
        yield


def _creator(original: Callable[..., Any], weights: Weights) -> Callable[..., Any]:
    def create(model_name: str, pretrained: bool = False, *rest: Any, **options: Any) -> Any:
        module = original(model_name, False, *rest, **options)
        if pretrained and weights == "bundled":
            _load(module, bundled_state(model_name.split(".")[0]))
        return module

    return create


def _load(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Copy what the module has of the state: a backbone that gives layers has no classifier."""
    wanted = module.state_dict()
    missing = [name for name in wanted if name not in state]
    if missing:
        raise DataError(f"the bundled weights have no {missing[0]!r}, which the backbone asks for")
    module.load_state_dict({name: state[name] for name in wanted})


def _refuse(host: Any, *_rest: Any, **_options: Any) -> Any:
    raise DataError(
        f"the model wants to download from {host}, and only weights: pretrained allows it",
        hint="set weights: pretrained, or name what it needs under options",
    )


def _here(original: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function that is the replacement in this thread and the original in all others."""
    owner = threading.get_ident()

    def chosen(*rest: Any, **options: Any) -> Any:
        function = replacement if threading.get_ident() == owner else original
        return function(*rest, **options)

    return chosen


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
