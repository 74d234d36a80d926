"""Cost against quality as figures, each with its numbers in a table."""

from __future__ import annotations

from adharness.report.boards import headline_label
from adharness.report.cost_groups import CostGroup, cost_groups, is_bound, values_of
from adharness.report.cost_table import cost_table
from adharness.report.costs import AXES
from adharness.report.drawings import CostFigure, Figure
from adharness.report.embedded import Plain
from adharness.report.leaderboard import Leaderboard, Standing


def cost_figures(board: Leaderboard) -> list[tuple[str, CostFigure]]:
    """Draw what is ranked together, with its numbers; each figure with its protocol."""
    return [
        (one.protocol, CostFigure(_figure(board, one), cost_table(one, f"cost-{place}")))
        for place, one in enumerate(cost_groups(board), 1)
    ]


def _figure(board: Leaderboard, one: CostGroup) -> Figure:
    what, order = headline_label(one.protocol), list(board.run.methods)
    normalizers = list(one.shown)
    choices: list[Plain] = [
        {"name": "cost", "label": "Cost", "values": [axis.title for axis in AXES]},
        {"name": "normalizer", "label": "Normalizer", "values": normalizers},
    ]
    return Figure(
        kind="pareto",
        title=f"{one.dataset}: {what} against cost, {one.protocol}",
        note=_under(one) + (f". Judged apart: {one.apart}" if one.apart else ""),
        keys={"dataset": one.dataset},
        data={
            "choices": choices,
            "quality": what,
            "methods": [
                {
                    "name": method,
                    "colour": order.index(method) if method in order else 0,
                    "costs": [None if cost is None else float(f"{cost:.4g}") for cost in costs],
                }
                for method, costs in zip(one.methods, one.costs, strict=True)
            ],
            "under": {
                name: {
                    "points": [_point(found.get(method)) for method in one.methods],
                    "fronts": one.fronts[name],
                }
                for name, found in one.shown.items()
            },
        },
        instead="Its numbers are in the table below.",
    )


def _under(one: CostGroup) -> str:
    if len(one.standings) == 1:
        return f"normalizer {next(iter(one.standings))}"
    if one.alike:
        return "the same under every normalizer"
    return "a normalizer changes the quality, not the cost"


def _point(standing: Standing | None) -> Plain:
    if standing is None:
        return None
    value, *ends = values_of(standing)
    return {"bound": is_bound(standing), "value": value, "ends": ends}
