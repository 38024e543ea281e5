"""Templates of self-contained pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup

from coopgym.visible_text import visible


@cache
def page_template(name: str, **filters: Callable[..., Any]) -> Template:
    """Return a template by its place in this package, such as ``report/page.html.j2``, compiled once in a process.

    Args:
        name: its place.
        filters: functions that it calls by these names.
    """
    environment = Environment(
        loader=PackageLoader("coopgym.benchmarks", "."),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= filters
    return environment.get_template(name)


def _shown(value: Any) -> Any:
    """What a page shows of a value: of text every character, as HTML does not allow them all."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
