"""Ids of all games and how to make one."""

from __future__ import annotations

import difflib
from functools import cache
from typing import Any

from coopgym.backend import NUMPY, Backend
from coopgym.games.game import AnyGame
from coopgym.games.spec import GameSpec
from coopgym.registration import GAME_IDS


@cache
def _classes() -> dict[str, type[AnyGame]]:
    from coopgym.games.formal import FORMAL
    from coopgym.games.released import RELEASED

    return {game.id: game for game in (*FORMAL, *RELEASED)}


def games(edition: str | None = None) -> tuple[str, ...]:
    """List the ids of all games, the formal edition first.

    Args:
        edition: ``"formal"`` (``-v1``), ``"released"`` (``-v0``) or None for both.

    Raises:
        ValueError: no such edition.

    >>> len(games()), games("formal")[:2]
    (40, ('TrustDilemma-v1', 'PartnerHoldUp-v1'))
    """
    versions = {None: ("-v1", "-v0"), "formal": ("-v1",), "released": ("-v0",)}
    if edition not in versions:
        raise ValueError(f"edition={edition!r}: expected 'formal', 'released' or None")
    return tuple(id for id in GAME_IDS if id.endswith(versions[edition]))


def game_class(id: str) -> type[AnyGame]:
    """Return the class behind an id, with or without the ``coopgym/`` namespace.

    Raises:
        ValueError: no such game; the message names the nearest one.
    """
    if not isinstance(id, str):
        raise TypeError(f"game id {id!r}: expected text such as 'TrustDilemma-v1'")
    name = id.removeprefix("coopgym/")
    if name not in _classes():
        near = difflib.get_close_matches(name, GAME_IDS, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(f"unknown game {id!r}{hint} List all with coopgym.games().")
    return _classes()[name]


def make_game(id: str, backend: Backend = NUMPY, **parameters: Any) -> AnyGame:
    """Make a game, the pure function behind every interface.

    Args:
        id: for example ``"TrustDilemma-v1"``.
        backend: where arrays live.
        parameters: keywords of the game; ``coopgym games ID`` lists them.

    Raises:
        ValueError: unknown id, or a parameter out of range.
        TypeError: unknown parameter or one of the wrong kind.

    >>> game = make_game("PublicGoods-v1", n_agents=3, max_steps=20)
    >>> game.n_agents, game.spec.horizon, game.endowments
    (3, 20, array([50., 50., 50.]))
    >>> make_game("PublicGoods-v1", agents=3)
    Traceback (most recent call last):
        ...
    TypeError: PublicGoods-v1 got an unexpected keyword argument 'agents'; did you mean 'n_agents'? ...
    """
    return game_class(id).configure(backend, **parameters)


def spec(id: str, **parameters: Any) -> GameSpec:
    """Describe a game: agents, horizon, endowments, baselines, interdependence, parameters.

    Raises:
        ValueError, TypeError: as `make_game`.

    >>> described = spec("PartnerHoldUp-v1")
    >>> described.endowments, described.baselines, float(described.interdependence[1, 0])
    (array([120.,  80.]), array([24., 16.]), 0.85)
    """
    return make_game(id, **parameters).spec
