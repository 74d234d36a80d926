"""An exception becomes a record, so that the run goes on and the board can show it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from adharness.errors import AdharnessError, StoreError
from adharness.store.records import Failure


def failure_of(stage: str, error: BaseException) -> Failure:
    """Keep the type, the message, the hint and the traceback of what went wrong."""
    known = error if isinstance(error, AdharnessError) else None
    message = known.message if known else str(error)
    return Failure(
        stage=stage,
        type=type(error).__name__,
        message=message or type(error).__name__,
        hint=known.hint if known else None,
        where=known.where if known else None,
        traceback="".join(traceback.format_exception(error)),
    )


def refusal_of(told: Mapping[str, Any]) -> StoreError:
    """Give the error that ends a run, from the failure that a process told as JSON."""
    failure = Failure.model_validate(told)
    return StoreError(failure.message, hint=failure.hint, where=failure.where)
