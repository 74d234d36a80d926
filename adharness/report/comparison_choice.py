"""What two runs are compared by: the metrics and the methods that both have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from adharness.errors import StoreError
from adharness.report.comparable import Difference, readings
from adharness.report.comparison import Pair, Side
from adharness.report.leaderboard import AXES
from adharness.report.metric_names import compared, metric_name
from adharness.store.records import CellRecord
from adharness.suggest import closest


def choose_metrics(first: Side, second: Side, asked: Sequence[str]) -> list[str]:
    """Give the metrics to compare: those asked for, else all that both runs rank methods by.

    Raises
    ------
    StoreError
        One that is asked for is not measured by both, is read in other dialects, or is no share of
        one; or, where none is asked for, a metric is read in other dialects, or none is shared.
    """
    sides = first.run.metrics, second.run.metrics
    shared = [metric for metric in sides[0] if metric in sides[1]]
    if asked:
        return [_asked(metric, sides, shared) for metric in dict.fromkeys(asked)]
    found = compared(shared)
    apart = readings(*sides)
    if apart:
        raise not_comparable([str(one) for one in apart], _instead(found))
    if not found:
        raise StoreError(
            f"the runs share no metric: {', '.join(sides[0])} | {', '.join(sides[1])}",
            hint=_instead(shared),
        )
    return found


def _asked(metric: str, sides: tuple[list[str], list[str]], shared: Sequence[str]) -> str:
    if metric_name(metric).unit != "share":
        raise StoreError(
            f"{metric} is a cost, and a tolerance is in percentage points",
            hint="compare the decisions it is made of: image_recall, image_fpr",
        )
    if metric in shared:
        return metric
    exact = metric.partition("@")[0]
    apart = readings(*([m for m in side if m.partition("@")[0] == exact] for side in sides))
    if apart:
        raise not_comparable([str(one) for one in apart], _instead(compared(shared)))
    having = [which for which, side in zip(("second", "first"), sides, strict=True)
              if metric not in side]  # fmt: skip
    fact = "neither run measured" if len(having) == 2 else f"only the {having[0]} run measured"
    raise StoreError(f"{fact} '{metric}'", hint=closest(metric, shared, otherwise="both have"))


def _instead(metrics: Sequence[str]) -> str | None:
    return f"compare by what both have: --metric {metrics[0]}" if metrics else None


def match_methods(
    first: Iterable[CellRecord], second: Iterable[CellRecord], asked: Sequence[str]
) -> dict[str, list[str]]:
    """Read `a=b`: method a of the first run is compared with b of the second.

    Raises
    ------
    StoreError
        A method is unknown, or the text is not of that form.
    """
    known = [sorted({cell.method for cell in cells}) for cells in (first, second)]
    found: dict[str, list[str]] = {}
    for text in asked:
        # Names of a sweep hold equals signs too: `knn[scorer.k=1]=knn[scorer.k=3]`.
        splits = [(text[:i], text[i + 1 :]) for i, c in enumerate(text) if c == "="]
        meant = [pair for pair in splits if pair[0] in known[0] and pair[1] in known[1]]
        if not meant:
            raise _unmatched(text, splits, known)
        found.setdefault(meant[0][0], []).append(meant[0][1])
    return found


def _unmatched(
    text: str, splits: Sequence[tuple[str, str]], known: Sequence[Sequence[str]]
) -> StoreError:
    if not splits:
        return StoreError(f"--methods {text}: not of the form FIRST=SECOND", hint="knn=padim")
    names = next((pair for pair in splits if pair[0] in known[0]), splits[0])
    which, name, there = (
        ("second", names[1], known[1]) if names[0] in known[0] else ("first", names[0], known[0])
    )
    hint = closest(name, there, otherwise="it has")
    return StoreError(f"--methods {text}: the {which} run has no method '{name}'", hint=hint)


def not_comparable(reasons: Sequence[str], hint: str | None) -> StoreError:
    """Make the error that says why two runs are not compared, a line a reason."""
    return StoreError("\n".join(["the runs are not comparable", *reasons]), hint=hint)


def refuse(found: Mapping[Difference, Sequence[str]], pairs: Sequence[Pair]) -> None:
    """Raise StoreError where something keeps the pairs apart: every reason, with both values."""
    if not found:
        return
    every = list(dict.fromkeys(pair.first.dataset for pair in pairs))
    reasons = [
        str(reason) if len(every) == 1 else f"{', '.join(places)}: {reason}"
        for reason, places in found.items()
    ]
    fine = [name for name in every if all(name not in places for places in found.values())]
    hint = f"compare what can be: --only dataset={fine[0]}" if fine else (
        "run both suites with one data set, split, --limit and version of adharness"
    )  # fmt: skip
    raise not_comparable(reasons, hint)


def nothing_shared(first: Side, second: Side) -> StoreError:
    """Make the error for runs without a cell in common: what each has of what differs."""
    told, hint = [], "name two runs of one suite"
    for axis in AXES:
        mine, theirs = (
            list(dict.fromkeys(str(getattr(cell, axis)) for cell in side.cells))
            for side in (first, second)
        )
        if set(mine) != set(theirs):
            told.append(f"{axis}: {', '.join(mine)} | {', '.join(theirs)}")
            if axis == "method":
                hint = f"compare different methods with --methods '{mine[0]}={theirs[0]}'"
    return StoreError("\n".join(["the runs have no cell in common", *told]), hint=hint)
