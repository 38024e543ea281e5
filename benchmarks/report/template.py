"""Templates of self-contained pages."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from benchmarks.summary import score_text


def page_template(name: str) -> Template:
    """Return a template by its place in this package, such as ``report/page.html.j2``."""
    environment = Environment(
        loader=PackageLoader("benchmarks", "."),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = score_text
    return environment.get_template(name)
