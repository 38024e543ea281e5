"""What can be earned in worlds, from kept computations on the first test draws.

``python -m coopgym.benchmarks.documentation.worlds [GAME ...]`` computes what is not kept yet, a world of a game at a
time, so that it can be interrupted and goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from coopgym.benchmarks.documentation.kept import RESULTS
from coopgym.benchmarks.documentation.wording import listed, paragraph, short, table
from coopgym.benchmarks.provenance import package_version
from coopgym.corpus.writer import write_atomically
from coopgym.games.registry import games, make_game
from coopgym.games.spec import View
from coopgym.worlds import TEST_SEEDS, WORLDS

KEPT = RESULTS / "worlds.json"
DRAWS = 32
"""Test draws that are played, the first of all."""
AGENTS: Mapping[str, View] = {"ExploreThenCommit": "own", "Inferring": "own", "Oracle_InformedPlan": "full"}
"""Agents that are scored, and the view they need."""
MOST = 0.95
"""Part of the informed plans' welfare that the best uninformed level may earn, for a game to be worth the name."""
Kept = dict[str, dict[str, dict[str, Any]]]
"""Game → world → what was computed."""


def kept_worlds() -> Kept:
    """Return what is kept; nothing where there is no file yet."""
    found: Kept = json.loads(KEPT.read_text(encoding="utf-8"))["games"] if KEPT.exists() else {}
    return found


def computed(game_id: str, world: str) -> dict[str, Any]:
    """Return the ends of the score in a world of a game, and what agents score.

    Raises:
        ImportError: torch is not installed.
    """
    from coopgym.agents import make_agent
    from coopgym.oracles.dynamic.informed import constant_returns, drawn_states, welfare_score
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
    return {
        "level": [float(anchors.uninformed.levels[group[0]]) for group in game.traits().exchangeable],
        "of_informed": float(uninformed.sum() / informed.sum()),
        "best_common_constant": max(welfare_score(each, uninformed, informed) for each in constants),
        **scores,
    }


def worlds_table() -> str:
    """Return, per game and world, what part of the informed plans the best level earns, and what `Inferring` scores."""
    headings = ["game", "best level in `common`, %"]
    for world in WORLDS:
        headings += [f"`{world}`: best level, of the informed", f"`{world}`: Inferring"]
    return table(headings, (_row(game, found) for game, found in kept_worlds().items()))


def _row(game: str, found: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    cells = [short(game), "/".join(f"{100 * level:.0f}" for level in found["common"]["level"])]
    for world in WORLDS:
        cells += [f"{found[world]['of_informed']:.3f}", f"{found[world]['Inferring']:.2f}"]
    return cells


def admission() -> str:
    """Say where the best level leaves enough to find out, and what agents make of it."""
    found = kept_worlds()
    cells = [(game, world, found[game][world]) for game in found for world in WORLDS]
    near = [f"{short(game)} in `{world}`" for game, world, each in cells if each["of_informed"] > MOST]
    low = [f"{short(game)} in `{world}`" for game, world, each in cells if each["Inferring"] < 0.5]
    constant = max(each["best_common_constant"] for *_, each in cells)
    committed = [each["ExploreThenCommit"] for _, world, each in cells if world == "common"]
    return paragraph(f"""
        On the first {DRAWS} test draws the best uninformed level earns at most {MOST:g} of the informed plans'
        welfare in {len(cells) - len(near)} of {len(cells)} games and worlds; more in {listed(near)}. No level that is
        common to all seats scores above {max(constant, 0.0):.3f}. `Inferring` scores below 0.5 in {listed(low)} only;
        `ExploreThenCommit` scores {min(committed):.2f} to {max(committed):.2f} in `common`.
    """)


def missing(chosen: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield games and worlds that are not kept yet."""
    kept = kept_worlds()
    return ((game, world) for game in chosen for world in WORLDS if world not in kept.get(game, {}))


def keep(game: str, world: str, result: Mapping[str, Any]) -> None:
    """Put one result into the file, games in their order."""
    kept = kept_worlds()
    kept.setdefault(game, {})[world] = dict(result)
    ordered = {each: kept[each] for each in games("formal") if each in kept}
    content = {"package_version": package_version(), "draws": DRAWS, "games": ordered}
    write_atomically(KEPT, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    for game, world in missing(sys.argv[1:] or games("formal")):
        keep(game, world, computed(game, world))
        print(f"{game} {world}")
