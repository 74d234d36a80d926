"""Who may import whom. Each rule is also shown a house that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from layers import banned_names, heavy_imports, layer_breaks, loaded_by, rich_imports

ROOT = Path(__file__).resolve().parents[2]


def test_the_core_imports_downwards_only() -> None:
    assert layer_breaks(ROOT) == []


def test_the_core_imports_no_heavy_library_at_import_time() -> None:
    assert heavy_imports(ROOT) == []


def test_only_render_knows_rich() -> None:
    assert rich_imports(ROOT) == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert banned_names(ROOT) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "import adharness.cli.main",
        "from adharness.cli.main import run; run(['--help'])",
        "from adharness.registry import discover; assert discover().components",
    ],
    ids=["start", "help", "discovery"],
)
def test_starting_listing_and_discovering_load_no_heavy_library(statement: str) -> None:
    # A plugin that imports torch at its top slows every command, `--help` included.
    assert loaded_by(statement) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("adharness/contracts/x.py", "from adharness.registry import discover\n"),
        ("adharness/contracts/x.py", "from adharness import registry\n"),
        ("adharness/contracts/x.py", "from ..registry import discover\n"),
        ("adharness/contracts/x.py", "def f():\n    import adharness.registry.value\n"),
        ("adharness/contracts/x.py", "if TYPE_CHECKING:\n    from adharness.suite import S\n"),
        ("adharness/contracts/x.py", "from adharness import Params\n"),
        ("adharness/report/x.py", "from adharness.engine import cell\n"),
        ("adharness/engine/x.py", "import adharness.report\n"),
        ("adharness/novelty.py", "from adharness.errors import AdharnessError\n"),
    ],
    ids=[
        "up",
        "up through the package",
        "up, relative",
        "up, in a function",
        "up, for types only",
        "the public names from below",
        "sideways",
        "sideways, as a module",
        "a room in no layer",
    ],
)
def test_an_import_that_is_not_downwards_is_found(
    path: str, source: str, house: Callable[[str, str], Path]
) -> None:
    assert len(layer_breaks(house(path, source))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("adharness/engine/x.py", "from adharness.registry import discover\n"),
        ("adharness/engine/x.py", "from adharness.store import records\n"),
        ("adharness/report/x.py", "from adharness.store import records\n"),
        ("adharness/engine/x.py", "from .cell import score\nfrom adharness.engine.run import r\n"),
        ("adharness/engine/x.py", "from adharness import __version__\nimport numpy\n"),
        ("adharness/__init__.py", "from adharness.hooks import hookimpl\n"),
    ],
)
def test_an_import_downwards_is_allowed(
    path: str, source: str, house: Callable[[str, str], Path]
) -> None:
    assert layer_breaks(house(path, source)) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import torch\n", 1),
        ("from sklearn.manifold import TSNE\n", 1),
        ("def f():\n    import torch\n", 1),
        ("def f():\n    from skimage import data\n", 0),
        ("import scipy\n", 0),
    ],
)
def test_a_heavy_import_is_found(
    source: str, found: int, house: Callable[[str, str], Path]
) -> None:
    assert len(heavy_imports(house("adharness/engine/x.py", source))) == found


def test_rich_is_found_outside_render(house: Callable[[str, str], Path]) -> None:
    house("adharness/cli/render.py", "import rich\n")
    root = house("adharness/cli/run.py", "from rich.table import Table\n")
    assert rich_imports(root) == ["adharness.cli.run:1"]


def test_a_banned_name_is_found_as_a_file_and_as_a_folder(
    house: Callable[[str, str], Path],
) -> None:
    house("adharness/utils.py", "")
    house("adharness/baselines/x.py", "")
    root = house("plugins/adharness-x/src/adharness_x/Core/x.py", "")
    assert banned_names(root) == ["adharness/utils.py", "plugins/adharness-x/src/adharness_x/Core"]
