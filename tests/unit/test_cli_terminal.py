"""What a person at a terminal sees: the live bar, drawn by a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

SUITE = """\
schema: 1
name: tiny
data: [{use: textures, classes: [brick], size: 64, train: 6, good: 2, per_defect: 1}]
protocols: [absolute-unified]
extractors: {px: {use: pixel-patches, resize: 64, patch_px: 16}}
methods: [{name: floor, extractor: px, bank: {use: all}, scorer: {use: random-scores}}]
thresholders: [{use: quantile, q: 0.8}]
metrics: [image_auroc]
statistics: {bootstrap: 5}
"""


def at_a_terminal(*arguments: str) -> tuple[int, str]:
    """Exit code and everything printed, with all three streams on a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        code = "from adharness.cli.main import main; main()"
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-c", code, *arguments])
    printed = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        printed += part
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), printed.decode()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_run_at_a_terminal_shows_a_bar_and_ends_well(tmp_path: Path) -> None:
    suite = tmp_path / "tiny.yaml"
    suite.write_text(SUITE)
    folders = ["--out", str(tmp_path / "out"), "--cache-dir", str(tmp_path / "cache")]
    code, printed = at_a_terminal("run", str(suite), *folders)
    assert code == 0, printed
    assert "images" in printed
    assert "1/1 cells" in printed
    assert "leaderboard:" in printed
