"""What a run was asked to do, as its record keeps it."""

from __future__ import annotations

from typing import Any

from adharness.plan import Plan
from adharness.suite.bind import BoundMethod, BoundSuite


def asked(plan: Plan, command: str) -> dict[str, Any]:
    """Describe the suite: the fields of a RunRecord that are known before it starts."""
    suite = plan.suite
    return {
        "suite": suite.name,
        "suite_text": suite.text,
        "suite_file": suite.path.name,
        "command": command,
        "protocols": list(suite.protocols),
        "metrics": list(suite.metrics),
        "methods": {m.name: _method(m) for m in suite.methods},
        "maps": suite.maps.model_dump(mode="json"),
        "split": suite.split.told(),
        "statistics": suite.statistics.model_dump(mode="json"),
        "deployment": costs_told(suite),
        "seeds": list(suite.seeds),
        "reference": suite.report.reference,
    }


def costs_told(suite: BoundSuite) -> dict[str, float] | None:
    """Give what `image_cost` counts by; None where it is not measured."""
    return None if suite.deployment is None else suite.deployment.model_dump(mode="json")


def _method(method: BoundMethod) -> dict[str, Any]:
    return {
        "extractor": {"name": method.extractor_name, **method.extractor.identity()},
        "bank": method.bank.identity(),
        "scorer": method.scorer.identity(),
        "maps": method.maps.model_dump(mode="json"),
    }


def distributions(plan: Plan) -> list[str]:
    """Name the distributions that take part in a plan."""
    suite = plan.suite
    bounds = [d.bound for d in suite.data] + [*suite.normalizers, *suite.thresholders]
    bounds += [suite.pixel_threshold] if suite.pixel_threshold else []
    bounds += [b for m in suite.methods for b in (m.extractor, m.bank, m.scorer)]
    return sorted({b.component.distribution for b in bounds})
