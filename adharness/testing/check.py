"""A check of the kit: one promise of docs/contracts.md, and the function that tries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from unittest import SkipTest

from adharness.errors import ContractError
from adharness.testing.subject import ConformanceError, Subject

__all__ = ["Check", "ConformanceError", "require", "require_refused"]

SubjectT = TypeVar("SubjectT", bound=Subject)


def require(fact: bool, message: str) -> None:
    """Raise ConformanceError with the message unless the fact holds."""
    if not fact:
        raise ConformanceError(message)


def require_refused(tried: Callable[[], object], what: str, *errors: type[Exception]) -> None:
    """Raise ConformanceError unless the call raises one of these errors, or ContractError."""
    wanted = errors or (ContractError,)
    names = " or ".join(error.__name__ for error in wanted)
    try:
        tried()
    except wanted:
        return
    except SkipTest:
        raise
    except Exception as error:
        said = f"of {what} it makes a {type(error).__name__} ({error}), expected {names}"
        raise ConformanceError(said) from error
    raise ConformanceError(f"it takes {what}, expected {names}")


def _always(subject: Subject) -> bool:  # noqa: ARG001  whatever it is
    return True


@dataclass(frozen=True, slots=True)
class Check(Generic[SubjectT]):
    """One check.

    Parameters
    ----------
    clause
        Of docs/contracts.md, such as `S3`.
    test
        `check_<what it states>`: raises ConformanceError, or whatever the component raises, where
        the clause is broken; unittest.SkipTest where it cannot be tried here.
    applies
        Whether a subject makes this promise at all.
    """

    clause: str
    test: Callable[[SubjectT], None]
    applies: Callable[[SubjectT], bool] = _always

    @property
    def name(self) -> str:
        """What it states, in words joined by hyphens: what an exemption names."""
        return self.test.__name__.removeprefix("check_").replace("_", "-")

    @property
    def states(self) -> str:
        """The first line of the function's docstring."""
        return (self.test.__doc__ or "").strip().partition("\n")[0]
