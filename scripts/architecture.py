#!/usr/bin/env python3
"""Print whether the house stands as drawn: layers, lazy imports, names, and the size targets.

    python scripts/architecture.py [ROOT]

Exit 1 if a rule is broken. The same functions are tests, in tests/architecture.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import layers
import shape

START = "import adharness.cli.main"


def rules(root: Path) -> dict[str, list[str]]:
    """Map each rule to what breaks it."""
    return {
        "imports go down only": layers.layer_breaks(root),
        "no heavy import in the core": layers.heavy_imports(root),
        f"loaded by `{START}`": layers.loaded_by(START),
        "plugins use public names": layers.plugin_breaks(root),
        "one module knows rich": layers.rich_imports(root),
        "names that say nothing": layers.banned_names(root),
    }


def main(arguments: Sequence[str]) -> int:
    """Print every rule and every target; return 1 if one is missed."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1]
    broken = 0
    for rule, culprits in rules(root).items():
        broken += bool(culprits)
        print(f"{'MISS' if culprits else 'ok':<5} {rule:<38} {len(culprits):>5}   at most 0")
        for culprit in culprits:
            print(f"        {culprit}")
    return max(int(broken > 0), shape.main([str(root)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
