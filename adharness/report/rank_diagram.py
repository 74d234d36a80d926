"""The critical-difference diagram: average ranks over classes, and what does not differ joined."""

from __future__ import annotations

from adharness.report.drawings import RankDiagram, RankMark
from adharness.report.headings import protocol_title
from adharness.report.significance import ClassRanks

_WIDTH, _EDGE_PX, _ROW_PX, _BAR_PX, _AXIS_PX = 460.0, 130.0, 16.0, 7.0, 22.0


def rank_diagram(ranks: ClassRanks) -> RankDiagram:
    """Lay out a diagram: the best on the left, their labels on the left side."""
    count = len(ranks.methods)
    per_rank = (_WIDTH - 2 * _EDGE_PX) / max(1, count - 1)
    below = _AXIS_PX + 8 + _BAR_PX * len(ranks.cliques)
    group = ranks.group
    at = {
        method: _EDGE_PX + (average - 1) * per_rank
        for method, average in zip(ranks.methods, ranks.average_ranks, strict=True)
    }
    left = (count + 1) // 2
    rows = [place if place < left else count - 1 - place for place in range(count)]
    marks = tuple(
        _mark(method, average, at[method], below + 8 + _ROW_PX * row, left_side=place < left)
        for place, (method, average, row) in enumerate(
            zip(ranks.methods, ranks.average_ranks, rows, strict=True)
        )
    )
    return RankDiagram(
        title=f"{group.dataset}, {protocol_title(group.protocol)}: average ranks",
        note=f"over {len(ranks.classes)} classes, normalizer {group.normalizer}; "
        "a bar joins methods that do not differ",
        keys={"dataset": group.dataset, "normalizer": group.normalizer},
        width=_WIDTH,
        height=below + 16 + _ROW_PX * left,
        axis_y=_AXIS_PX,
        ticks=tuple((round(_EDGE_PX + i * per_rank, 1), str(i + 1)) for i in range(count)),
        marks=marks,
        joined=tuple(
            (round(at[clique[0]] - 4, 1), round(at[clique[-1]] + 4, 1), _AXIS_PX + 8 + _BAR_PX * i)
            for i, clique in enumerate(ranks.cliques)
        ),
    )


def _mark(method: str, average: float, x: float, y: float, *, left_side: bool) -> RankMark:
    edge = _EDGE_PX - 8 if left_side else _WIDTH - _EDGE_PX + 8
    return RankMark(
        label=method,
        text=f"{average:.2f}",
        path=f"M{x:.1f} {_AXIS_PX:g}V{y:.1f}H{edge:g}",
        x=edge - 4 if left_side else edge + 4,
        y=y + 4,
        anchor="end" if left_side else "start",
    )
