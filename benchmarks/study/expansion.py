"""From a study to its runs."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from coopgym.benchmarks.study.agent_info import agent_info
from coopgym.benchmarks.study.hashing import canonical_json
from coopgym.benchmarks.study.run_spec import Auditing, Meeting, Player, RunSpec, StrangersMeeting, Training
from coopgym.benchmarks.study.schema import LearnerEntry, ScenarioEntry
from coopgym.benchmarks.study.study import AuditBlock, Block, Study
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.spec import View
from coopgym.rewards import Private, reward_layer
from coopgym.strangers import EPISODES


def expand(study: Study, only: str | Iterable[str] | None = None, *, common_draws: bool = True) -> list[RunSpec]:
    """List the runs of a study, each once.

    Args:
        study: a validated study.
        only: keep runs whose path ``game/algorithm/reward/seed`` matches this pattern, or one of these; without
            wildcards, contains it. A game in a world is called ``game@world`` there.
        common_draws: let everybody play all seeds, and as many episodes, where the game draws. Without, agents that
            leave nothing to chance play the first seed only, as in corpora made before schema 1.3.

    >>> from coopgym.benchmarks.study import Study
    >>> block = {"games": ["TrustDilemma-v1"], "agents": ["TitForTat", "Random"]}
    >>> runs = expand(Study(name="mine", rewards=["private"], seeds=[1, 2], blocks=[block]))
    >>> [run.path for run in runs]
    ['TrustDilemma-v1/TitForTat/private/1', 'TrustDilemma-v1/Random/private/1', 'TrustDilemma-v1/Random/private/2']
    """
    places = [_Place(study, block, *game, common_draws) for block in study.blocks for game in _games(block)]
    trained = _Trained(places)
    plays = (run for place in places for run in _block_runs(place, trained))
    audits = (run for block in study.audits for run in _audit_runs(study, block))
    runs = {run.run_id: run for run in (*plays, *audits)}
    return list(matching(runs.values(), only)) if only else list(runs.values())


def matching(runs: Iterable[RunSpec], only: str | Iterable[str]) -> Iterator[RunSpec]:
    """Keep runs whose path matches a pattern, or one of several; without wildcards, contains it."""
    asked = [only] if isinstance(only, str) else list(only)
    patterns = [each if any(mark in each for mark in "*?[") else f"*{each}*" for each in asked]
    return (run for run in runs if any(fnmatch.fnmatchcase(run.path, pattern) for pattern in patterns))


@dataclass(frozen=True)
class _Place:
    """One configured game of a block, with what all its runs share."""

    study: Study
    block: Block
    game_id: str
    parameters: Mapping[str, Any]
    """As `coopgym.games.game.Game.overridden` has them."""
    common_draws: bool

    @cached_property
    def game(self) -> AnyGame:
        return make_game(self.game_id, **self.parameters)

    @property
    def draws_for_all(self) -> bool:
        """Whether the game draws, and everybody is to meet the same draws."""
        return self.common_draws and self.game.stochastic

    @property
    def rewards(self) -> list[str]:
        return self.block.rewards or self.study.rewards

    @property
    def modes(self) -> list[str]:
        """The modes of the rewards: transforms are for those who learn."""
        return modes_of(self.rewards)

    def seeds(self, deterministic: bool) -> list[int]:
        """Replicates of a run: one where nothing is left to chance, neither to the players' nor to the game's.

        Where the game draws, everybody meets all its draws, so that whatever is compared has met the same ones.
        """
        seeds = self.block.seeds or self.study.seeds
        return seeds[:1] if deterministic and not self.draws_for_all else seeds

    @property
    def searched(self) -> bool | None:
        """Whether deviations are searched; None leaves it to who plays."""
        return self.study.exploitability if self.block.exploitability is None else self.block.exploitability

    @property
    def view(self) -> View:
        """What seats see."""
        return self.block.view or self.study.view or self.game.spec.default_view

    def run(self, **facts: Any) -> RunSpec:
        study, block = self.study, self.block
        shared = {
            "game": self.game_id,
            "parameters": self.parameters,
            "view": self.view,
            "exploitability": self.searched or False,
            "record_steps": study.record_steps if block.record_steps is None else block.record_steps,
        }
        return RunSpec(**{**shared, **facts})

    def episodes(self, deterministic: bool) -> int:
        """Episodes of an evaluation: one where all would be copies, so that it pretends to no precision."""
        episodes = self.block.episodes or self.study.episodes
        return 1 if deterministic and not self.game.stochastic else episodes

    def drawn_episodes(self) -> int:
        """Episodes in which a learner's actions are drawn; where the game draws, as many as everybody plays."""
        asked = self.study.stochastic_episodes
        if self.block.stochastic_episodes is not None:
            asked = self.block.stochastic_episodes
        return self.episodes(deterministic=False) if asked and self.draws_for_all else asked

    def training_run(self, entry: LearnerEntry, reward: str, seed: int) -> RunSpec:
        learner, layer = entry.learner, reward_layer(reward)
        transforms = tuple(transform.name for transform in layer.transforms)
        training = Training(entry.name, entry.env_steps, entry.settings, transforms)
        selfish = layer.mode.name == Private.name and learner.objective == "individual" and learner.searchable
        return self.run(
            algorithm=entry.title + training.suffix,
            kind="learner",
            training=training,
            reward=layer.mode.name,
            seed=seed,
            episodes=self.episodes(deterministic=True),
            exploitability=selfish if self.searched is None else self.searched,
            stochastic_episodes=self.drawn_episodes(),
        )


def modes_of(rewards: Iterable[str]) -> list[str]:
    """Return the modes of rewards, each once."""
    return list(dict.fromkeys(reward_layer(reward).mode.name for reward in rewards))


def _games(block: Block) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((game, settings) for game in block.games for settings in block.settings(game))


@dataclass(frozen=True)
class _Trained:
    """Finds the run that trains a learner of the study."""

    places: list[_Place]

    def __call__(self, name: str, place: _Place, reward: str, seed: int) -> RunSpec | None:
        found = self._homes.get((name, place.game_id, canonical_json(place.parameters)))
        return found[0].training_run(found[1], reward, seed) if found else None

    @cached_property
    def _homes(self) -> dict[tuple[str, str, str], tuple[_Place, LearnerEntry]]:
        """By learner and game: where it trains first."""
        homes: dict[tuple[str, str, str], tuple[_Place, LearnerEntry]] = {}
        for place in self.places:
            for entry in place.block.learners:
                homes.setdefault((entry.title, place.game_id, canonical_json(place.parameters)), (place, entry))
        return homes


def _block_runs(place: _Place, trained: _Trained) -> Iterator[RunSpec]:
    block = place.block
    for name in (*block.agents, *(block.constants.agents if block.constants else ())):
        own = agent_info(name)
        for reward, seed in product(place.modes, place.seeds(own.deterministic)):
            yield place.run(
                algorithm=name,
                kind=own.kind,
                reward=reward,
                view=own.view or place.view,
                seed=seed,
                episodes=place.episodes(own.deterministic),
            )
    for entry in block.learners:
        for reward, seed in product(place.rewards, place.seeds(deterministic=False)):
            yield place.training_run(entry, reward, seed)
    yield from _meetings(place, trained)
    if block.strangers:
        yield from _with_strangers(block.strangers, place, trained)


def _with_strangers(population: str, place: _Place, trained: _Trained) -> Iterator[RunSpec]:
    """Every agent and learner of the block among strangers, who are the same ones under every seed."""
    focal = [(Player(name), agent_info(name).kind, Private.name, place.seeds(True)[0]) for name in place.block.agents]
    for entry in place.block.learners:
        for reward, seed in product(place.rewards, place.seeds(deterministic=False)):
            mode = reward_layer(reward).mode.name
            focal.append((_player(entry.title, place, reward, seed, trained), "learner", mode, seed))
    for player, kind, mode, seed in focal:
        yield place.run(
            algorithm=player.name,
            kind=kind,
            reward=mode,
            view="own",
            seed=seed,
            episodes=EPISODES,
            exploitability=False,
            record_steps=False,
            protocol="strangers",
            strangers=StrangersMeeting(population, player),
        )


def _meetings(place: _Place, trained: _Trained) -> Iterator[RunSpec]:
    """Every agent and learner of the block as the focal one of every scenario."""
    block = place.block
    scenarios = [*block.scenarios, *(block.encounters if block.cross_play else ())]
    visitors = [(name, agent_info(name).kind) for name in block.agents] + [(e.title, "learner") for e in block.learners]
    for scenario, (name, kind) in product(scenarios, visitors):
        if scenario.background == (name,) and scenario.focal_seats == "each":
            continue  # alone among its copies: that is self-play
        rewards = dict.fromkeys((*place.rewards, *place.modes))
        for reward, seed in product(rewards, place.seeds(deterministic=False)):
            focal, background = (
                tuple(_player(each, place, reward, seed, trained) for each in names)
                for names in ((name,), scenario.background)
            )
            deterministic = all(
                player.trained_by or agent_info(player.name).deterministic for player in (*focal, *background)
            )
            learning = any(player.trained_by for player in (*focal, *background))
            if seed not in place.seeds(deterministic and not learning):
                continue
            if reward not in (place.rewards if learning else place.modes):
                continue
            mode = reward_layer(reward).mode.name
            met = scenario.name if focal[0].trained_by else scenario.name + reward.removeprefix(mode)
            yield place.run(
                algorithm=focal[0].name,
                kind=kind,
                reward=mode,
                seed=seed,
                episodes=place.episodes(deterministic),
                exploitability=False,
                protocol="scenario",
                meeting=Meeting(met, focal[0], background, _seats(scenario)),
            )


def _seats(scenario: ScenarioEntry) -> tuple[int, ...]:
    return () if scenario.focal_seats == "each" else scenario.focal_seats


def _player(name: str, place: _Place, reward: str, seed: int, trained: _Trained) -> Player:
    run = trained(name, place, reward, seed)
    return Player(run.algorithm if run else name, trained_by=run)


def _audit_runs(study: Study, block: AuditBlock) -> Iterator[RunSpec]:
    rewards, seeds = modes_of(block.rewards or study.rewards), block.seeds or study.seeds[:1]
    for game_id in block.games:
        game = make_game(game_id, **block.parameters)
        parameters = game.overridden()
        for label, reward, seed in product(block.labels_of(game_id), rewards, seeds):
            yield RunSpec(
                game=game_id,
                parameters=parameters,
                algorithm=label,
                kind="label",
                reward=reward,
                view=game.spec.default_view,
                seed=seed,
                episodes=1,
                protocol=block.protocol,
                audit=Auditing(block.options.model_dump(mode="json", exclude_defaults=True)),
            )
