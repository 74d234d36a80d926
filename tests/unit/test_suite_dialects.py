from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adharness.errors import SuiteError
from adharness.suite.load import load_suite

Write = Callable[[str], Path]


@pytest.fixture
def metrics(write_suite: Write, good_suite: str) -> Callable[[str], tuple[str, ...]]:
    """Reads a suite whose metrics, from line 2 after `metrics:` on, are the given lines."""

    def metrics(lines: str) -> tuple[str, ...]:
        return load_suite(write_suite(f"metrics:\n{lines}\n{good_suite}")).document.metric_ids

    return metrics


def refusal(metrics: Callable[[str], object], lines: str) -> tuple[str, str, str | None]:
    with pytest.raises(SuiteError) as caught:
        metrics(lines)
    line = str(caught.value.where).rpartition(":")[2]
    return caught.value.message, line, caught.value.hint


def test_a_dialect_is_a_mapping_or_the_id_itself(metrics) -> None:
    lines = (
        "  - image_auroc\n  - {metric: region_aupro_30, dialect: ader}\n  - region_aupro_30@rd4ad"
    )
    assert metrics(lines) == ("image_auroc", "region_aupro_30@ader", "region_aupro_30@rd4ad")


@pytest.mark.parametrize(
    ("lines", "message", "line", "hint"),
    [
        (
            "  - image_auroc\n  - {metric: region_aupro_3, dialect: ader}",
            "metrics[1].metric: unknown metric 'region_aupro_3'", "3", "01 to 100",
        ),
        (
            "  - {metric: region_aupro_30, dialect: adr}",
            "metrics[0].dialect: unknown dialect 'adr'", "2", "did you mean 'ader'?",
        ),
        (
            "  -\n    metric: image_auroc\n    dialect: ader",
            "metrics[0].dialect: the dialect 'ader' has no image_auroc", "4", "it reads region_",
        ),
        ("  - image_auroc@ader", "metrics[0]: the dialect 'ader' has no image_auroc", "2", "reads"),
        ("  - pixel_ap@binned_1", "metrics[0]: unknown dialect 'binned_1'", "2", "binned_50"),
        ("  - {metric: pixel_ap}", "metrics[0].dialect: the key is missing", "2", "`dialect:`"),
        (
            "  - {metric: pixel_ap, dialct: ader, dialect: trapezoid}",
            "metrics[0].dialct: unknown key", "2", "did you mean 'dialect'?",
        ),
        (
            "  - {metric: pixel_ap, dialect: [ader]}",
            'metrics[0].dialect: expected text, got ["ader"]', "2", None,
        ),
        ("  - 3", "metrics[0]: expected text or a mapping (key: value), got 3", "2", "quote it"),
        (
            "  - pixel_ap@trapezoid\n  - {metric: pixel_ap, dialect: trapezoid}",
            "metrics[1]: 'pixel_ap@trapezoid' is given twice", "3", "keep one of them",
        ),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_told_with_its_line_and_a_hint(metrics, lines, message, line, hint):
    told = refusal(metrics, lines)
    assert told[:2] == (message, line)
    assert hint is None or hint in str(told[2])
