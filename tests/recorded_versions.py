"""Results by version: what every game, reward, agent, audit and learner comes to in a small trial.

``tests/data/versions.json`` keeps, for each, its version and a fingerprint of its results. Where results change, the
version has to be raised, because runs are known by it; then ``python -m tests.recorded_versions`` writes the file anew.

A fingerprint is a few sums of all numbers of a trial with fixed random weights, not a hash: other machines round
otherwise, and two numbers that differ in the last digit have hashes that have nothing in common.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from unittest import mock

import numpy as np

from coopgym.agents import Strategy, agent_names, make_agent
from coopgym.algorithms import learners
from coopgym.benchmarks.audits import AUDIT_VERSIONS, AUDITS, AuditOptions
from coopgym.games.registry import game_class, games, make_game
from coopgym.games.spec import View
from coopgym.games.step import Step
from coopgym.oracles.agents import ORACLES, WORLD_ORACLES, Oracle, PublishedOracle, ThompsonModels
from coopgym.oracles.agents.informed import InformedOracle
from coopgym.oracles.dynamic.deviation_search import SEARCH_VERSION
from coopgym.oracles.dynamic.exploitability import exploitability
from coopgym.play import play
from coopgym.rewards import reward_layer, transform_class, transform_kinds
from coopgym.rewards.trust_gained import MECHANISMS
from coopgym.testing.tape import numbers, random_tape, replay

Numbers: TypeAlias = Sequence[np.ndarray[Any, Any]]

FILE = Path(__file__).parent / "data" / "versions.json"
SUMS = 4
"""Sums in a fingerprint: what leaves one of them as it was moves another."""
EXACT, SOLVED, SINGLE, LEARNED = 1e-11, 1e-7, 1e-5, 1e-4
"""Differences that mean nothing, in units of a trial's size: of float64 arithmetic, of numbers that solvers approach,
of solutions that were searched in single precision, and of float32 networks after some updates, whose rounding grows.
Between vector instructions of one machine they are below 1e-14, 2e-10, one step of float32 and 2e-6; a tenth more of a
learning rate, of γ or of a clip moves learners by 2e-4 to 1e-1."""


@dataclass(frozen=True)
class Entry:
    """Something with a version, and how to try it."""

    version: int
    trial: Callable[[], Numbers]
    tolerance: float
    among: Mapping[str, int]
    """Versions of what else takes part in the trial: where one of them has changed, so may the results."""


def entries() -> dict[str, Entry]:
    """Return everything that has a version, by kind and name."""
    return {
        f"{kind} {name}": entry
        for kind, found in (
            ("game", _games()),
            ("reward", _rewards()),
            ("transform", _transforms()),
            ("agent", _agents()),
            ("oracle", _oracles()),
            ("oracle", _world_oracles()),
            ("audit", _audits()),
            ("search", _search()),
            ("learner", _learners()),
        )
        for name, entry in found
    }


def fingerprint(numbers: Numbers) -> list[float]:
    """Return sums over the numbers of a trial, each divided by what such a sum usually comes to.

    Numbers are taken as ``arsinh(x)``, so that large ones do not hide what happens to small ones.
    """
    flat = np.arcsinh(np.concatenate([np.asarray(each, dtype=np.float64).ravel() for each in numbers]))
    weights = np.random.default_rng(0).standard_normal((SUMS, len(flat)))
    return (weights @ flat / np.sqrt(len(flat))).tolist()


def mismatch(entry: Entry, recorded: Mapping[str, Any] | None) -> str | None:
    """Say what to do about an entry that is not as it was recorded; None where it is."""
    again = "run: python -m tests.recorded_versions"
    if recorded is None or recorded["version"] != entry.version:
        return f"version {entry.version} has not been recorded; {again}"
    if recorded["among"] != dict(entry.among):
        return f"it was recorded among {recorded['among']}, now {dict(entry.among)}; {again}"
    found = fingerprint(entry.trial())
    if np.allclose(found, recorded["sums"], rtol=0.0, atol=entry.tolerance):
        return None
    return (
        f"results of version {entry.version} have changed: {found} instead of {recorded['sums']}. If they were meant "
        f"to, raise its `version`, so that stored runs are not taken for new ones; then {again}"
    )


def _games() -> Iterator[tuple[str, Entry]]:
    for id in games():
        yield id, Entry(game_class(id).version, partial(_played, id), EXACT, {})


def _played(id: str) -> Numbers:
    """Play the whole range of actions, high ones and low ones, side by side."""
    game = make_game(id)
    tape = random_tape(game, max(5, 240 // game.n_agents), (3,), seed=1)
    tape.actions[:, 1] = 0.2 * tape.actions[:, 1] + 0.8 * game.spec.endowments
    tape.actions[:, 2] *= 0.2
    found: list[np.ndarray[Any, Any]] = []
    for _, _, transition in replay(game, tape):
        found += numbers(transition).values()
    return [*found, *(game.observe(transition.state, view) for view in game.views)]


def _rewards() -> Iterator[tuple[str, Entry]]:
    among = _versions(TEAM)
    matrix = "matrix=1,0.5,0,0;0,1,0,0;0.25,0,1,0;0,0,0,1"
    modes = ("private", "integrated", "cooperative", "mutuality=0.25", "svo=30", "inequity=1,0.5", matrix)
    for mode in modes:
        found = reward_layer(mode).mode
        yield type(found).__name__, Entry(found.version, partial(_rewarded, mode), EXACT, among)


def _rewarded(mode: str) -> Numbers:
    game, layer = make_game(TEAM), reward_layer(mode)
    played = replay(game, random_tape(game, 5, (2,), seed=2))
    return [layer(Step(game, t, *step)) for t, step in enumerate(played)]


DESIGN = Path(__file__).parent / "data" / "team_design.json"
TRIED: Mapping[str, Sequence[str]] = {
    "designed": (f"designed({DESIGN})", f"designed({DESIGN}, everyone=true)"),
    "bradley_terry": ("bradley_terry(welfare)", "bradley_terry(error=0.25, queue=2, episodes=3)"),
    "episodic": ("episodic",),
    "lare": ("episodic + lare(layers=1)", "episodic + lare(width=8, steps=3, shared=true)"),
    "oni": ("oni", "oni(model=classifier, beta=2)", "oni(model=ranking, batch=2)"),
    "spo": ("spo", "spo(cycle, error=0.25, queue=3, weight=2)"),
    "shaping": ("shaping(trust)", "shaping(mean_trust, weight=2, gamma=0.9)"),
    "trust_gained": tuple(f"trust_gained(trust, weight=2, mechanism={each}, eta=0.02)" for each in MECHANISMS),
}
"""How each kind of transform is tried."""
EPISODES = {"bradley_terry": 3}
"""Episodes of learned transforms that pay something only after more than one."""


def _transforms() -> Iterator[tuple[str, Entry]]:
    for kind in transform_kinds():
        transform = transform_class(kind)
        near = LEARNED if transform.learned else EXACT
        yield kind, Entry(transform.version, partial(_transformed, TRIED[kind]), near, _versions(TEAM))


def _transformed(texts: Sequence[str]) -> Numbers:
    game = make_game(TEAM, max_steps=5)
    tape, found = random_tape(game, 5, (2,), seed=2), []
    for text in texts:
        running = reward_layer(f"integrated + {text}").running(game, (2,))
        for _ in range(EPISODES.get(text.partition("(")[0], 2) if running.learned else 1):
            running.reset()
            found += [running(Step(game, t, *step)) for t, step in enumerate(replay(game, tape))]
    return found


class Drawn(Strategy):
    """Plays what it draws; it has no version, because nobody else uses it."""

    def cooperate(self, observation: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return self.rng.random(self.episodes)


def _agents() -> Iterator[tuple[str, Entry]]:
    for name, agent in ((name, make_agent(name)) for name in agent_names()):
        if isinstance(agent, Oracle):
            continue
        yield name, Entry(agent.version, partial(_among_drawn, name), EXACT, _versions(TEAM))  # type: ignore[attr-defined]


def _among_drawn(name: str) -> Numbers:
    agents = [make_agent(name), Drawn(), make_agent(name), Drawn()]
    played = play(make_game(TEAM, max_steps=20), agents, episodes=3, seed=3, record=True).trajectory
    assert played is not None
    return [played.actions]


def _oracles() -> Iterator[tuple[str, Entry]]:
    for oracle in ORACLES:
        editions = ("formal", "released")
        places = [next((id for id in games(each) if oracle.applies_to(make_game(id))), None) for each in editions]
        ids = [id for id in places if id is not None]
        near = SINGLE if issubclass(oracle, PublishedOracle) else SOLVED
        yield oracle.title(), Entry(oracle.version, partial(_alone, oracle.title(), ids), near, _versions(*ids))


def _alone(name: str, ids: Sequence[str]) -> Numbers:
    found = []
    for id in ids:
        game = make_game(id, max_steps=3)
        played = play(game, [make_agent(name) for _ in range(game.n_agents)], record=True).trajectory
        assert played is not None
        found.append(played.actions / game.spec.endowments)
    return found


def _world_oracles() -> Iterator[tuple[str, Entry]]:
    for oracle in (*WORLD_ORACLES, ThompsonModels):
        yield oracle.title(), Entry(oracle.version, partial(_in_a_world, oracle), SINGLE, _versions(TEAM))


def _in_a_world(oracle: type[Oracle]) -> Numbers:
    game = make_game(TEAM, world="private", max_steps=6)
    view: View = "full" if issubclass(oracle, InformedOracle) else "own"
    played = play(game, [oracle() for _ in range(game.n_agents)], views=view, episodes=2, record=True).trajectory
    assert played is not None
    return [played.shares]


def _audits() -> Iterator[tuple[str, Entry]]:
    for name, version in AUDIT_VERSIONS.items():
        id = f"{DYAD}-v0" if name.startswith("reference") else f"{DYAD}-v1"
        yield name, Entry(version, partial(_audited, name, id), SOLVED, _versions(id))


def _audited(name: str, id: str) -> Numbers:
    options = AuditOptions(surface_step=0.25, grid_step=0.5, switch_step=0.5, search=None)
    audited = AUDITS[name](make_game(id, max_steps=8), "private", 1, options)
    columns = [column for table in audited.tables.values() for column in table.columns if str(column.type) != "string"]
    return [
        column.drop_null().cast("double").to_numpy() for column in columns if not str(column.type).startswith("list")
    ]


def _search() -> Iterator[tuple[str, Entry]]:
    yield "deviations", Entry(SEARCH_VERSION, _deviated, SOLVED, _versions(f"{DYAD}-v1"))


def _deviated() -> Numbers:
    game = make_game(f"{DYAD}-v1", max_steps=4)
    found = exploitability(game, lambda: [make_agent("TitForTat") for _ in range(2)], effort="quick")
    return [found.gains, found.returns]


TINY: Mapping[str, Any] = {
    "hidden": (8,),
    "num_envs": 16,
    "rollout_steps": 5,
    "batch_size": 16,
    "learning_starts": 80,
    "steps_per_update": 40,
    "snapshot_every": 100,
}
"""What makes a training small; everything else is as it is by default."""
OWN: Mapping[str, Mapping[str, Any]] = {
    # The second stage begins late: it picks policies by their returns, and among near ones rounding would choose.
    "FCP": {"teams": 3, "strangers": 1, "examined": 2, "marks": 4, "population_share": 0.7},
    "LLM": {
        "layers": 1,
        "width": 16,
        "heads": 2,
        "context": 384,
        "max_turns": 2,
        "max_tokens": 16,
        "warm_up_steps": 1,
        "prompts": 2,
        "group_size": 2,
    },
    "Mixed": {"members": [{"learner": "IPPO", "seats": [0], "hidden": [8]}, {"learner": "IA2C", "seats": [1]}]},
}
BUDGET, DECISIONS = 320, 4
"""Steps of a training, and decisions of a language model's: one update of each kind, and a few of most."""
DYAD, TEAM = "TrustDilemma", "TeamProduction-v1"


def _learners() -> Iterator[tuple[str, Entry]]:
    for name, kind in learners().items():
        id = f"{DYAD}-v1" if kind.min_agents <= 2 else TEAM
        yield name, Entry(kind.version, partial(_trained, name, id), LEARNED, _versions(id))


def _trained(name: str, id: str) -> Numbers:
    """Train on a short game. Of the many methods of language models only the usual one is tried."""
    kind = learners()[name]
    known = {field.name for field in dataclasses.fields(kind)}
    learner = kind(**{key: value for key, value in TINY.items() if key in known} | OWN.get(name, {}))
    with tempfile.TemporaryDirectory() as cache, mock.patch.dict(os.environ, COOPGYM_CACHE=cache):
        steps = DECISIONS if name == "LLM" else BUDGET
        result = learner.train(id, ["integrated"], [0], steps, game_parameters={"max_steps": 5})
    game = make_game(id, max_steps=5)
    played = play(game, result.agents(0), record=True).trajectory
    assert played is not None
    return [np.array([value for _, _, value in result.curves(0)]), played.actions / game.spec.endowments]


def _versions(*ids: str) -> dict[str, int]:
    return {id: game_class(id).version for id in ids}


def record() -> dict[str, Any]:
    """Try everything."""
    return {
        name: {"version": entry.version, "among": dict(entry.among), "sums": fingerprint(entry.trial())}
        for name, entry in entries().items()
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(), indent=1) + "\n", encoding="utf-8")
