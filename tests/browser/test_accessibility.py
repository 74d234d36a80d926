"""axe-core on the page, in light and in dark: nothing serious, nothing critical."""

from __future__ import annotations

import pytest

from axe import serious
from board_runs import BoardRun
from browser import Page

RUN = BoardRun(methods=("knn", "padim", "patchcore"), failure=True)
LONG = BoardRun(
    methods=tuple(f"method-{number}" for number in range(30)),
    classes=tuple(f"class-{number}" for number in range(12)),
    metrics=("image_auroc",),
    normalizers=("raw",),
)


@pytest.fixture(scope="module", params=[RUN, LONG], ids=["short", "long"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    run: BoardRun = request.param
    return run.write(tmp_path_factory.mktemp("run")).as_uri()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_is_found(chromium: Page, address: str, theme: str) -> None:
    chromium.media(prefers_color_scheme=theme)
    chromium.open(address)
    chromium.run("document.querySelectorAll('.menu').forEach((menu) => { menu.open = true; })")
    assert serious(chromium) == []


def test_the_check_finds_what_is_wrong(chromium: Page, address: str) -> None:
    chromium.open(address)
    chromium.run("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
    assert [each.split(" | ")[0] for each in serious(chromium)] == ["button-name"]
