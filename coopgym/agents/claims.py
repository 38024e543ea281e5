"""Who plays with an agent: whoever let it begin last."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

_HOLDERS: dict[int, object] = {}
"""What the last holder of every living agent goes by, under the agent's identity."""


def claim(agents: Iterable[Any], holder: object) -> None:
    """Note that agents begin to play for a holder, whoever held them before.

    An agent whose class allows no weak references is not watched.
    """
    for agent in agents:
        if id(agent) not in _HOLDERS:
            try:
                weakref.finalize(agent, _HOLDERS.pop, id(agent), None).atexit = False
            except TypeError:
                continue
        _HOLDERS[id(agent)] = holder


def check_claims(agents: Iterable[Any], holder: object) -> None:
    """Make sure that agents have begun nothing else since a holder claimed them.

    Raises:
        RuntimeError: one has, so that its memory belongs to another game.
    """
    for agent in agents:
        if _HOLDERS.get(id(agent), holder) is not holder:
            raise RuntimeError(
                f"a {type(agent).__name__} object plays in several environments at once: it has begun another game "
                "since this one did; give each environment an agent of its own (a name, or one object for each)"
            )
