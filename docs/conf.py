"""The documentation site: `sphinx-build -W --keep-going -n -b html docs build/docs`.

The pages are plain Markdown that reads on any host of the repository; what is generated, links
that leave `docs/` and the table of contents are made by `scripts/docs_site.py` as pages are read.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

project = "adharness"
release = version_of("adharness")
version = release
copyright = "the adharness authors"  # noqa: A001  Sphinx's name for it
root_doc = "index"
default_role = "code"  # in docstrings, as in Markdown
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "sphinx_click", "docs_site"]

html_theme = "furo"
html_title = f"adharness {release}"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"footer_icons": []}

myst_heading_anchors = 4  # the anchors that other hosts give headings, so that links work on both
myst_enable_extensions = ["attrs_block"]


autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
numpydoc_show_class_members = False  # autodoc lists them, with their signatures
numpydoc_xref_param_type = False  # shapes such as (N, h, w, D) are no types

# Names of other projects, which only the network could resolve, and those that are not public.
nitpick_ignore_regex = [
    (r"py:.*", r"(numpy|np|pydantic|annotated_types|collections|typing|types|pathlib|pluggy)\..*"),
    (r"py:.*", r"adharness\.(.*\.)?(_\w+|RoleT|Pattern|Listing|Spec|Subject)"),
]
