"""What can be earned in worlds, from kept computations on test draws.

``python -m coopgym.benchmarks.documentation.worlds [GAME ...]`` computes what is not kept yet, a world of a game at a
time, so that it can be interrupted and goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from coopgym.benchmarks.documentation.wording import listed, paragraph, short, table
from coopgym.benchmarks.provenance import package_version
from coopgym.benchmarks.study.admission import KEPT, PRICE_OF_ANARCHY, admission, kept_worlds
from coopgym.corpus.writer import write_atomically
from coopgym.games.registry import games, make_game
from coopgym.games.spec import View
from coopgym.worlds import TEST_SEEDS, WORLDS

DRAWS = 32
"""Test draws that are played, the first of all; whether they are dilemmas is asked of all."""
AGENTS: Mapping[str, View] = {"ExploreThenCommit": "own", "Inferring": "own", "Oracle_InformedPlan": "full"}
"""Agents that are scored, and the view they need."""


def computed(game_id: str, world: str) -> dict[str, Any]:
    """Return the ends of the score in a world of a game, and what agents score.

    Raises:
        ImportError: torch is not installed.
    """
    from coopgym.agents import make_agent
    from coopgym.oracles.dynamic.informed import constant_returns, drawn_states, welfare_score
    from coopgym.oracles.dynamic.opening_dilemmas import opening_dilemmas
    from coopgym.oracles.dynamic.world_scores import world_anchors, world_score
    from coopgym.play import CommonRandomNumbers

    game, seeds = make_game(game_id, world=world), TEST_SEEDS[:DRAWS]
    anchors = world_anchors(game, seeds)
    uninformed, informed = anchors.uninformed.welfare, anchors.informed
    levels = np.repeat(np.linspace(0.0, 1.0, 21)[:, None], game.n_agents, axis=1)
    draws = CommonRandomNumbers(game, seeds[0], DRAWS)
    constants = constant_returns(game, drawn_states(game, seeds), levels, draws).sum(-1)
    scores = {
        name: world_score(game, [make_agent(name) for _ in range(game.n_agents)], anchors, view)
        for name, view in AGENTS.items()
    }
    dilemmas = opening_dilemmas(game, drawn_states(game, TEST_SEEDS)).at_price(PRICE_OF_ANARCHY)
    return {
        "spread": spread_of(game_id, world),
        "dilemmas": float(dilemmas.mean()),
        "level": [float(anchors.uninformed.levels[group[0]]) for group in game.traits().exchangeable],
        "of_informed": float(uninformed.sum() / informed.sum()),
        "best_common_constant": max(welfare_score(each, uninformed, informed) for each in constants),
        **scores,
    }


def spread_of(game_id: str, world: str) -> float:
    """Return the spread of a game in a world.

    Raises:
        ValueError: nothing is drawn in it.
    """
    told = make_game(game_id, world=world).traits().world
    if told is None:
        raise ValueError(f"{game_id}: nothing is drawn in world={world!r}")
    return told.spread


def worlds_table() -> str:
    """Return the three criteria of admission for every game and world, and the spread of the game."""
    headings = ["game", "spread", "best level in `common`, %"]
    for world in WORLDS:
        headings += [f"`{world}`: best level, of the informed", "Inferring", "dilemmas, %"]
    return table(headings, (_row(game, found) for game, found in kept_worlds().items()))


def _row(game: str, found: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    common = found["common"]
    cells = [short(game), f"{common['spread']:g}", "/".join(f"{100 * level:.0f}" for level in common["level"])]
    for world in WORLDS:
        numbers = admission(game, world)
        cells += [f"{numbers.of_informed:.3f}", f"{numbers.inferring:.2f}", f"{100 * numbers.dilemmas:.0f}"]
    return cells


def admitted() -> str:
    """Say which games are admitted in which worlds, and by how much others fail."""
    found = kept_worlds()
    cells = [(game, world, found[game][world]) for game in found for world in WORLDS]
    out = [
        f"{short(game)} in `{world}` ({'; '.join(remarks)})"
        for game, world, _ in cells
        if (remarks := admission(game, world).remarks)
    ]
    constant = max(each["best_common_constant"] for *_, each in cells)
    committed = [each["ExploreThenCommit"] for _, world, each in cells if world == "common"]
    excluded = f"Not admitted: {listed(out)}." if out else "None stays out."
    return paragraph(f"""
        {len(cells) - len(out)} of {len(cells)} games and worlds are admitted. {excluded} Scores are of the first
        {DRAWS} test draws, dilemmas of all {len(TEST_SEEDS)}. No level that is common to all seats scores above
        {max(constant, 0.0):.3f}; `ExploreThenCommit` scores {min(committed):.2f} to {max(committed):.2f} in `common`.
    """)


def missing(chosen: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield games and worlds that are not kept yet, or with another spread."""
    kept = kept_worlds()
    for game in chosen:
        for world in WORLDS:
            if kept.get(game, {}).get(world, {}).get("spread") != spread_of(game, world):
                yield game, world


def keep(game: str, world: str, result: Mapping[str, Any]) -> None:
    """Put one result into the file, games in their order."""
    kept_worlds.cache_clear()
    kept = {each: dict(found) for each, found in kept_worlds().items()}
    kept.setdefault(game, {})[world] = dict(result)
    ordered = {each: kept[each] for each in games("formal") if each in kept}
    content = {"package_version": package_version(), "draws": DRAWS, "games": ordered}
    write_atomically(KEPT, (json.dumps(content, indent=1) + "\n").encode())
    kept_worlds.cache_clear()


if __name__ == "__main__":
    for game, world in missing(sys.argv[1:] or games("formal")):
        keep(game, world, computed(game, world))
        print(f"{game} {world}")
