"""Every command that a page shows is one that the program takes."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from docs_commands import Shown, parse, shown
from docs_links import mirrors

ROOT = Path(__file__).resolve().parents[2]
COPIES = set(mirrors().values())
PAGES = [
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/*.md")]
    if page not in COPIES
]


def commands_of(page: Path) -> list[Shown]:
    return shown(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_shown_is_taken_by_the_program(page: Path) -> None:
    for command in commands_of(page):
        try:
            parse(command.text, whole=command.whole)
        except click.ClickException as error:
            pytest.fail(f"{page.name}:{command.line}: {command.text}: {error.message}")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_suite_of_ours_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"(?<![\w/.])suites/[\w.-]+\.(?:yaml|csv)", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    page = """\
Say `adharness plugins
--json`, or `ADHARNESS`.

```bash
A=1 adharness run x.yaml --limit 4   # adharness nothing
pip install x && adharness check \\
    x.yaml
echo adharness
```

```yaml
adharness: no
```
"""
    assert shown(page) == [
        Shown(1, "adharness plugins --json", whole=False),
        Shown(5, "adharness run x.yaml --limit 4", whole=True),
        Shown(6, "adharness check     x.yaml", whole=True),
    ]
    assert sum(len(commands_of(each)) for each in PAGES) > 100


@pytest.mark.parametrize(
    "wrong",
    [
        "adharness walk x.yaml",
        "adharness data find",
        "adharness run x.yaml --no-such-option",
        "adharness run x.yaml --limit many",
        "adharness run x.yaml --limit 1",
        "adharness run",
        "adharness run x.yaml y.yaml",
        "adharness components scorers knn-faiss more",
        "adharness components something",
    ],
)
def test_a_command_that_the_program_would_refuse_is_found_out(wrong: str) -> None:
    with pytest.raises(click.ClickException):
        parse(wrong)


@pytest.mark.parametrize(
    "right",
    [
        "adharness run x.yaml --limit 4 --only method=knn --only seed=0 -q",
        "adharness data fetch visa --out ~/data",
        "adharness components scorers knn-faiss",
        "adharness --version",
        "adharness export table a b --to x.parquet",
    ],
)
def test_a_command_that_the_program_takes_is_let_pass(right: str) -> None:
    parse(right)


def test_a_command_named_in_a_sentence_may_leave_its_arguments_out_or_open() -> None:
    parse("adharness run", whole=False)
    parse("adharness new-plugin NAME --kind KIND", whole=False)
    with pytest.raises(click.ClickException):
        parse("adharness new-plugin NAME --kind kind", whole=False)
