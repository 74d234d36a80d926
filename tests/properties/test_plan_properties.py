from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness.plan import Plan, expand
from adharness.suite.bind import bind
from adharness.suite.load import Suite
from adharness.suite.schema import Document
from adharness.suite.source import parse
from adharness.suite.wording import validate

PROTOCOLS = ["per-class", "model-unified", "absolute-unified"]


def some(items: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=3, unique_by=str)


SUITES = st.fixed_dictionaries(
    {
        "name": st.just("toy"),
        "data": some([{"use": "toy-set", "seed": 1}, {"use": "other-set"}]),
        "protocols": some(PROTOCOLS),
        "seeds": some([0, 1, 7]),
        "extractors": st.just({"net": {"use": "net"}, "big": {"use": "net", "model": "big"}}),
        "methods": st.fixed_dictionaries(
            {
                "name": st.just("knn"),
                "extractor": st.sampled_from(["net", "big"]),
                "bank": st.just({"use": "random"}),
                "scorer": st.just({"use": "knn"}),
                "sweep": st.fixed_dictionaries(
                    {},
                    optional={
                        "scorer.k": some([1, 3, 9]),
                        "bank.ratio": some([0.01, 0.1, 1]),
                        "scorer.metric": some(["euclidean", "cosine"]),
                    },
                ),
            }
        ).map(lambda method: [method]),
        "normalizers": some([{"use": "raw"}, {"use": "zscore"}]),
        "thresholders": some([{"use": "f1"}, {"use": "quantile", "q": 0.9}, {"use": "quantile"}]),
    }
)


def planned(values: dict[str, Any], registry: Any) -> Plan:
    source = parse(Path("x.yaml"), yaml.safe_dump(values, sort_keys=False))
    document, errors = validate(Document, source.values, source, lambda loc: loc)
    assert document is not None, errors
    return expand(bind(Suite(document, source), registry))


def described(plan: Plan) -> list[Any]:
    return [
        (
            cell.dataset.name,
            cell.method.name,
            cell.method.bank.identity(),
            cell.method.scorer.identity(),
            cell.protocol,
            cell.seed,
            cell.normalizer.name,
            cell.thresholder.name,
        )
        for cell in plan.cells
    ]


def shuffled(value: Any, data: st.DataObject) -> Any:
    """The same value with the keys of every mapping in another order."""
    if isinstance(value, dict):
        keys = data.draw(st.permutations(list(value)))
        return {key: shuffled(value[key], data) for key in keys}
    return [shuffled(item, data) for item in value] if isinstance(value, list) else value


@settings(max_examples=60)
@given(values=SUITES)
def test_the_size_of_a_plan_is_the_product_of_its_lists(values: Any, toy_registry: Any) -> None:
    size = 1
    for values_listed in values["methods"][0]["sweep"].values():
        size *= len(values_listed)
    for key in ("data", "protocols", "seeds", "normalizers", "thresholders"):
        size *= len(values[key])
    cells = described(planned(values, toy_registry))
    assert len(cells) == size
    assert len({str(cell) for cell in cells}) == size


@settings(max_examples=60)
@given(values=SUITES, data=st.data())
def test_a_plan_does_not_depend_on_the_order_of_keys(
    values: Any, data: st.DataObject, toy_registry: Any
) -> None:
    other = shuffled(values, data)
    assert described(planned(other, toy_registry)) == described(planned(values, toy_registry))


@settings(max_examples=60)
@given(values=SUITES)
def test_groups_hold_each_cell_once_and_agree_on_features(values: Any, toy_registry: Any) -> None:
    plan = planned(values, toy_registry)
    groups = plan.by_features()
    assert sorted(id(cell) for group in groups for cell in group) == sorted(map(id, plan.cells))
    assert all(len({cell.features for cell in group}) == 1 for group in groups)
    assert len({group[0].features for group in groups}) == len(groups)
