"""Links of the documentation that leave `docs/`: where they lead in the site.

On a host of the repository a relative link to a source file works by itself. In the site it leads
to the page's mirror (a plugin's README), to the repository if `[project.urls]` names one, and
becomes the file's path, as code, if it does not: never a dead link.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urldefrag

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2`*~*[ ]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[(?P<text>[^\[\]]*)\]\((?!#|[a-z][a-z+.-]*:)(?P<target>[^()\s]+)\)")
LANDINGS: Mapping[str, str] = {".": "index.md", "README.md": "index.md", "plugins": "plugins.md"}


def mirrors(docs: Path = DOCS) -> dict[Path, Path]:
    """Map each page that lies outside `docs/` to the copy that the site makes of it."""
    readmes = sorted((ROOT / "plugins").glob("*/README.md"))
    pages = {readme: docs / "plugins" / f"{readme.parent.name}.md" for readme in readmes}
    return {**pages, ROOT / "CONTRIBUTING.md": docs / "contributing.md"}


def repository() -> str:
    """Address of the repository's files, from `[project.urls]`; empty where it is not told."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = str(project.get("urls", {}).get("Repository", "")).rstrip("/")
    return f"{address}/blob/main" if address else ""


def resolve(text: str, source: Path, page: Path | None = None, *, docs: Path = DOCS) -> str:
    """Make the links of a page right for the site.

    Parameters
    ----------
    text
        The page's Markdown. What stands in fenced blocks is left as it is, and so is a link to
        what is not there: Sphinx warns of it.
    source
        The file that the text is of: its links are relative to it.
    page
        Where the site has it; the same file by default.
    docs
        The folder of the site's pages.
    """
    turned = partial(_turned, source=source, page=page or source, docs=docs)
    return "".join(part if fenced else LINK.sub(turned, part) for fenced, part in _parts(text))


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """Cut into what is fenced and what is not."""
    begin = 0
    for fence in FENCE.finditer(text):
        yield False, text[begin : fence.start()]
        yield True, fence.group()
        begin = fence.end()
    yield False, text[begin:]


def _turned(link: re.Match[str], *, source: Path, page: Path, docs: Path) -> str:
    path, fragment = urldefrag(link["target"])
    target = Path(os.path.normpath(source.parent / path))
    inside = _in_site(target, docs)
    if inside is not None:
        anchor = f"#{fragment}" if fragment else ""
        return f"[{link['text']}]({os.path.relpath(inside, page.parent)}{anchor})"
    if not target.exists():
        return link.group()
    name = target.relative_to(ROOT).as_posix()
    if files := repository():
        return f"[{link['text']}]({files}/{name})"
    return f"`{name}`" if link["text"].strip("`") in name else f"{link['text']} (`{name}`)"


def _in_site(target: Path, docs: Path) -> Path | None:
    """Give the page or picture of the site that a file is; None where it has none."""
    copies = mirrors(docs)
    copy = copies.get(target) or copies.get(target / "README.md")
    landing = LANDINGS.get(os.path.relpath(target, ROOT))
    own = target if target.is_relative_to(docs) and target.is_file() else None
    return copy or (docs / landing if landing else own)
