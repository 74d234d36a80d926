"""Numbers as the page prints them: one rule for each unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adharness.report.seeds import Score

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def percent(value: float) -> str:
    """Share of one in percent, one decimal: 0.9864 -> `98.6`."""
    return f"{100 * value:.1f}".replace("-", MINUS)


def points(value: float) -> str:
    """Difference of two shares in percentage points, signed; a rounded zero has no sign."""
    text = f"{100 * value:+.1f}"
    return text.replace("-", MINUS) if text[1:] != "0.0" else "0.0"


def interval(score: Score) -> str:
    """Write the image interval or the seeds' spread; empty where there is none."""
    return _range(score, percent, DASH)


def quartiles(score: Score) -> str:
    """Write the middle half of the images, `IQR 31.0-98.2`; empty where images have no number."""
    spread = score.quartiles
    return f"IQR {percent(spread.q1)}{DASH}{percent(spread.q3)}" if spread else ""


def points_interval(score: Score) -> str:
    """Write the interval of a difference."""
    return _range(score, points, " to ")


def scaled_interval(score: Score, write: Callable[[float], str]) -> str:
    """Write the interval or the seeds' spread of an amount in the words of the amount itself."""
    return _range(score, write, DASH)


def seconds(value: float) -> str:
    """Wall time: `0.42 s`, `12 s`, `3 min 20 s`, `2 h 05 min`."""
    if value < 9.95:
        return f"{value:.2g} s" if value < 1 else f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def counted(count: int, noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Join names for a sentence: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def clipped(text: str, longest: int = 160) -> str:
    """Cut the middle out of a text that is too long to read, visibly: `a/very[...]name.png`."""
    if len(text) <= longest:
        return text
    kept = longest - len("[...]")
    return f"{text[: kept - kept // 2]}[...]{text[len(text) - kept // 2 :]}"


def compact(value: float) -> str:
    """Three significant digits, thousands spaced: scores, milliseconds, megabytes."""
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}").replace("-", MINUS)
    return f"{value:.3g}".replace("-", MINUS)


def aligned(values: Sequence[float | None]) -> list[str]:
    """Write a column of amounts with the same decimals: two, fewer where the largest has digits.

    None is a dash; what would round to zero is written as below the smallest step: `<0.1`.
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    places = 2 if largest < 10 else 1 if largest < 100 else 0
    step = 10.0**-places
    return [
        DASH
        if value is None
        else f"<{step:.{places}f}"
        if 0 < value < step / 2
        else f"{value:,.{places}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        for value in values
    ]


def _range(score: Score, write: Callable[[float], str], between: str) -> str:
    if score.spread is not None:
        return write(score.spread[0]) + between + write(score.spread[1])
    if score.low is None or score.high is None:
        return ""
    return write(score.low) + between + write(score.high)
