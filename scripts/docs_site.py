"""The Sphinx extension of the documentation: what happens to a page while it is read.

`<!-- generated: NAME ARGUMENT... -->` becomes what a function below writes; links that leave
`docs/` are resolved; the lists of links on the first page become the site's table of contents.
Pages that lie elsewhere, such as the plugins' READMEs, are mirrored into `docs/` before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import docs_api
import docs_commands
import docs_links
import docs_tables

MARK = re.compile(r"^<!-- generated: (?P<name>[\w-]+)(?P<arguments>[^\n]*?) -->$", re.MULTILINE)
GENERATED: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "api": docs_api.api,
        "components": docs_tables.components,
        "decisions": docs_tables.decisions,
        "plugins": docs_tables.plugins,
        "record": docs_tables.record,
        "suite-keys": docs_tables.suite_keys,
    }
)


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    # Now, for autodoc spoils pydantic's BaseModel for models that are defined after it.
    list(docs_commands.commands())
    app.connect("config-inited", mirror)
    app.connect("env-get-outdated", generated_pages)
    app.connect("source-read", prepare)
    return {"parallel_read_safe": True}


def mirror(app: Any, config: Any) -> None:  # noqa: ARG001  Sphinx's signature
    """Copy the pages that lie outside `docs/`; what has not changed is left alone."""
    docs = Path(app.srcdir)
    if docs != docs_links.DOCS:
        return  # a trial with other pages
    for source, page in docs_links.mirrors(docs).items():
        text = docs_links.resolve(source.read_text(encoding="utf-8"), source, page, docs=docs)
        page.parent.mkdir(exist_ok=True)
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def generated_pages(app: Any, env: Any, *changes: Any) -> list[str]:  # noqa: ARG001  as above
    """Name the pages to read again though they are unchanged: the code may have changed."""
    pages = [Path(env.doc2path(name)) for name in env.found_docs]
    return [env.path2doc(p) for p in pages if MARK.search(p.read_text(encoding="utf-8"))]


def prepare(app: Any, name: str, source: list[str]) -> None:
    """Replace the text of a page by what the site shows."""
    docs = Path(app.srcdir)
    text = docs_links.resolve(generate(source[0]), docs / f"{name}.md", docs=docs)
    source[0] = text + contents(text) if name == "index" else text


def generate(text: str) -> str:
    """Fill in what is generated. Raises KeyError for a name that is not known."""
    return MARK.sub(lambda m: GENERATED[m["name"]](*m["arguments"].split()), text)


def contents(text: str) -> str:
    """Make a table of contents of the lists of links below each heading."""
    parts = []
    for section in text.split("\n## ")[1:]:
        pages = re.findall(r"^- \[[^\]]+\]\(([\w/-]+)\.md\)", section, re.MULTILINE)
        caption = section.splitlines()[0]
        entries = "\n".join(pages)
        parts.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```")
    return "\n\n" + "\n\n".join(parts) + "\n"
