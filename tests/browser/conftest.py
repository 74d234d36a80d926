"""A browser for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browser import CHROMIUM, Page, browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page in headless Chromium; skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH")
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page
