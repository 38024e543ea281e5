"""Templates of self-contained pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape


def page_template(name: str, **filters: Callable[..., Any]) -> Template:
    """Return a template by its place in this package, such as ``report/page.html.j2``.

    Args:
        name: its place.
        filters: functions that it calls by these names.
    """
    environment = Environment(
        loader=PackageLoader("benchmarks", "."),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name)
