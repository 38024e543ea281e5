"""Language models as agents by the URI of their server: ``llm:http://127.0.0.1:8000/v1#model``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from coopgym.algorithms.llm.models.endpoint import Endpoint
from coopgym.algorithms.llm.play.agent import LanguageAgent, LanguagePolicy
from coopgym.algorithms.llm.play.endpoint_generator import EndpointGenerator, Price
from coopgym.interfaces.text import Rules

OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "temperature": float,
    "max_tokens": int,
    "cache": str,
    "concurrency": int,
    "requests_per_minute": float,
    "retries": int,
    "timeout": float,
    "time_limit": float,
    "patience": int,
    "max_turns": int,
    "input_price": float,
    "output_price": float,
}
"""What the query of an address may set, and how it is read. No option names a key: those are the environment's."""


def agent(address: str, **options: Any) -> LanguageAgent:
    """Make an agent of a model behind an OpenAI-compatible server.

    Nothing is asked before the agent plays.

    Args:
        address: where the server is, e.g. ``http://127.0.0.1:8000/v1?temperature=0.7&cache=answers#model``; without a
            model, the first that the server lists. The query sets `OPTIONS`.
        options: the same, as keywords; they come before the address's. With ``temperature`` 0, the default, the
            likeliest messages are written, and samples otherwise. ``patience`` is `EndpointGenerator`'s, ``max_turns``
            that of the dialogues, the prices are those of a million tokens read and written, the others are
            `Endpoint`'s.

    Raises:
        ValueError: an address or option that is none.
    """
    parts = urlsplit(address)
    settings = {"temperature": 0.0} | _options(parts.query) | options
    waiting = _taken(settings, patience="patience")
    rules = _taken(settings, max_turns="max_turns")
    price = _taken(settings, input_price="read", output_price="written")
    url = urlunsplit(parts._replace(query="", fragment=""))
    endpoint = Endpoint(url=url, model=parts.fragment or None, **settings)
    speaker = EndpointGenerator(endpoint, price=Price(**price) if price else None, **waiting)
    policy = LanguagePolicy(speaker, dialect="json", rules=Rules(**rules))
    return LanguageAgent(policy, stochastic=endpoint.temperature > 0.0)


def _taken(settings: dict[str, Any], **names: str) -> dict[str, Any]:
    """Take settings out, under other names."""
    return {other: settings.pop(name) for name, other in names.items() if name in settings}


def _options(query: str) -> dict[str, Any]:
    """Read the query of an address.

    Raises:
        ValueError: an unknown option, one that is given twice, or a value that cannot be read.
    """
    found: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"unknown option {name!r} in the address; {hint}known: {', '.join(OPTIONS)}")
        if name in found:
            raise ValueError(f"option {name!r} stands twice in the address")
        try:
            found[name] = OPTIONS[name](text)
        except ValueError:
            kind = "a whole number" if OPTIONS[name] is int else "a number"
            raise ValueError(f"option {name}={text!r} in the address: expected {kind}") from None
    return found
