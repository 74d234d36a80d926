"""The code keeps the shape it promises, and the script that says so can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

import shape

ROOT = Path(__file__).resolve().parents[2]


def test_the_code_keeps_its_shape() -> None:
    missed = [target for target in shape.measure(ROOT) if not target.met]
    assert missed == []


def house(root: Path, source: str) -> Path:
    folder = root / "adharness"
    folder.mkdir()
    (folder / "room.py").write_text(source)
    return root


def missed(root: Path) -> list[str]:
    return [target.name for target in shape.measure(root) if not target.met]


def function(lines: int, *, signature: str = "() -> None") -> str:
    return f"def f{signature}:\n" + "    x = 1\n" * lines


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (function(8), []),
        (function(9), ["body median, lines"]),
        (function(1) * 9 + function(26), []),
        (function(1) * 8 + function(26) * 2, ["body p90, lines"]),
        (function(1) * 99 + function(60), []),
        (function(1) * 99 + function(61), ["body max, lines"]),
        ("x = 1\n" * 260, []),
        ("x = 1\n" * 261, ["files over 260 lines"]),
        (function(1, signature="(a) -> None"), ["functions not fully annotated"]),
        (function(1, signature="(*a) -> None"), ["functions not fully annotated"]),
        (function(1, signature="(a: int)"), ["functions not fully annotated"]),
        (function(1, signature="(self, /, *, a: int) -> None"), []),
        ("async " + function(1, signature="()"), ["functions not fully annotated"]),
        ('def f() -> None:\n    """' + "line\n" * 50 + '    """\n    x = 1\n', []),
        ('def f() -> None:\n    """Stub."""\n' * 9 + function(9), ["body median, lines"]),
    ],
)
def test_each_target_is_missed_just_beyond_its_limit(
    source: str, expected: list[str], tmp_path: Path
) -> None:
    assert missed(house(tmp_path, source)) == expected


def test_the_script_names_the_culprit_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = house(tmp_path, function(1, signature="(a)"))
    assert shape.main([str(root)]) == 1
    assert "adharness/room.py:1 f" in capsys.readouterr().out


def test_the_script_exits_0_where_every_target_is_met(tmp_path: Path) -> None:
    assert shape.main([str(house(tmp_path, function(1)))]) == 0


def test_plugins_are_measured_too_but_not_their_tests(tmp_path: Path) -> None:
    for folder in ("src", "tests"):
        (tmp_path / "plugins" / "adharness-x" / folder).mkdir(parents=True)
        file = tmp_path / "plugins" / "adharness-x" / folder / "x.py"
        file.write_text(function(1, signature="(a)"))
    (target,) = [t for t in shape.measure(tmp_path) if not t.met]
    assert target.culprits == ("plugins/adharness-x/src/x.py:1 f",)
