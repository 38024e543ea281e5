"""Expansion, identity, seeds and grouping of runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from coopgym.benchmarks.study import Block, Job, RunSpec, Study, Training, expand, group, seed_from
from coopgym.benchmarks.study.grouping import PLAYS_PER_JOB
from coopgym.games.registry import make_game


def example(**changes: Any) -> RunSpec:
    facts: dict[str, Any] = {
        "game": "TrustDilemma-v1",
        "parameters": {},
        "algorithm": "Random",
        "kind": "heuristic",
        "reward": "private",
        "view": "own",
        "seed": 1,
        "episodes": 2,
    }
    return RunSpec(**facts | changes)


def expand_one(game: str, parameters: dict[str, Any]) -> RunSpec:
    block = {"games": [game], "agents": ["Constant_50"], "parameters": parameters}
    return expand(Study.model_validate({"name": "one", "rewards": ["private"], "blocks": [block]}))[0]


def test_seeds_are_stable_across_processes_and_releases() -> None:
    assert seed_from("evaluation", "x", 1) == 870872584
    assert example().evaluation_seed == seed_from("evaluation", "TrustDilemma-v1", "{}", 1)


def test_agents_without_chance_count_once_in_games_without_chance(small: Study) -> None:
    runs = [run for run in expand(small) if run.game == "TrustDilemma-v1"]
    played = {
        name: {(run.seed, run.episodes) for run in runs if run.algorithm == name}
        for name in ("Random", "TitForTat", "Constant_50")
    }
    assert played == {"Random": {(7, 2), (8, 2)}, "TitForTat": {(7, 1)}, "Constant_50": {(7, 1)}}


def test_where_the_game_draws_everybody_meets_the_same_draws() -> None:
    learner = {"name": "IPPO", "env_steps": 8, "hyperparameters": {"num_envs": 2}}
    scenario = {"name": "with partners", "background": ["TitForTat"]}
    block = {
        "games": ["SynergySearch-v1"],
        "agents": ["Random", "TitForTat", "Oracle_Nash"],
        "constants": {"step": 50},
        "learners": [learner],
        "scenarios": [scenario],
        "cross_play": True,
    }
    study = Study.model_validate(
        {"name": "draws", "seeds": [7, 8], "episodes": 3, "stochastic_episodes": 5, "blocks": [block]}
    )
    draws: dict[tuple[str, str | None, str], set[tuple[int, int]]] = {}
    for run in expand(study):
        draws.setdefault((run.algorithm, run.scenario, run.reward), set()).add((run.evaluation_seed, run.episodes))
        assert run.stochastic_episodes == (3 if run.training else 0)
    assert len(draws) == 3 * (7 + 4 * 3 + 3)
    assert len(set(map(frozenset, draws.values()))) == 1
    assert len(next(iter(draws.values()))) == 2


def test_a_parameter_of_the_game_may_make_it_draw() -> None:
    noisy = {"games": ["SLCD-v1"], "agents": ["Constant_50"], "parameters": {"payoff_noise": 1}}
    runs = expand(Study.model_validate({"name": "noisy", "seeds": [7, 8], "episodes": 2, "blocks": [noisy]}))
    assert {(run.seed, run.episodes) for run in runs} == {(7, 2), (8, 2)}


@pytest.mark.parametrize(
    ("game", "ways"),
    [
        ("SLCD-v1", [{"theta": 8}, {"theta": 8.0}, {"theta": np.float64(8.0)}, {"theta": 8, "max_steps": 100}]),
        ("SLCD-v1", [{}, {"theta": 6}, {"norm": [0.3, 0.3]}, {"norm": np.array([0.3, 0.3])}]),
        (
            "SLCD-v1",
            [{"dependence": 0.5}, {"dependence": [[0, 0.5], [0.5, 0]]}, {"dependence": ((0.0, 0.5), (0.5, 0.0))}],
        ),
        ("RenaultNissan-v1", [{"phase": "crisis"}, {"phase": "crisis", "initial_trust": 0.3}]),
        ("ReciprocalDilemma-v0", [{"trust_params": {"xi": 1}}, {"trust_params": {"xi": 1.0, "lambda_plus": 0.1}}]),
    ],
)
def test_one_game_has_one_place_however_it_is_asked_for(game: str, ways: list[dict[str, Any]]) -> None:
    def runs(parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        block = {"games": [game], "agents": ["Random"], "parameters": parameters}
        audit = {"games": [game], "protocol": "surface", "parameters": parameters}
        study = Study.model_validate({"name": "ways", "blocks": [block], "audits": [audit]})
        return [(run.run_id, run.place, run.evaluation_seed, run.job_key) for run in expand(study)]

    first, *others = map(runs, ways)
    assert all(other == first for other in others)
    stored = json.loads(expand_one(game, ways[0]).parameters_json)
    assert make_game(game, **stored).parameters.canonical() == make_game(game, **ways[0]).parameters.canonical()


def test_runs_do_not_depend_on_what_else_is_in_the_study(small: Study) -> None:
    another = Block(games="all-v0", agents=["Gradual"])
    larger = small.model_copy(update={"name": "larger", "blocks": [another, *small.blocks]})
    assert {run.run_id for run in expand(small)} < {run.run_id for run in expand(larger)}


def test_the_same_run_in_two_blocks_is_one(small: Study) -> None:
    doubled = small.model_copy(update={"blocks": small.blocks * 2})
    assert [run.run_id for run in expand(doubled)] == [run.run_id for run in expand(small)]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("Trust", 18), ("*/TitForTat/private/*", 3), ("SynergySearch-v1/Constant_00/*", 6), ("nothing", 0)],
)
def test_only_selects_by_name(small: Study, pattern: str, count: int) -> None:
    assert len(expand(small, pattern)) == count


def test_the_three_modes_of_a_strategy_are_one_play_but_not_of_a_users_agent() -> None:
    assert example().play_key == example(reward="cooperative").play_key
    assert example().play_key != example(reward="mutuality=0.5").play_key
    assert example(kind="plugin").play_key != example(kind="plugin", reward="cooperative").play_key


def test_groups_hold_every_run_once_and_keep_plays_together(small: Study) -> None:
    study = small.model_copy(update={"blocks": [small.blocks[0].model_copy(update={"seeds": list(range(40))})]})
    runs = expand(study)
    jobs = group(runs)
    assert sorted(run.run_id for job in jobs for run in job.specs) == sorted(run.run_id for run in runs)
    assert all(len({run.game for run in job.specs}) == 1 for job in jobs)
    assert max(len({run.play_key for run in job.specs}) for job in jobs) == PLAYS_PER_JOB
    homes = {(run.game, run.play_key): job.id for job in jobs for run in job.specs}
    assert all(homes[run.game, run.play_key] == job.id for job in jobs for run in job.specs)


def test_replicas_of_a_learner_stack_into_full_crosses() -> None:
    training = Training("IPPO", 1000)
    missing = {("private", 1)}
    runs = [
        example(algorithm="IPPO", kind="learner", training=training, reward=reward, seed=seed)
        for reward in ("private", "integrated", "cooperative")
        for seed in (1, 2)
        if (reward, seed) not in missing
    ]
    crosses = [{(run.reward, run.seed) for run in job.specs} for job in group(runs)]
    assert sorted(map(len, crosses)) == [1, 4]


def test_reward_modes_share_their_training_seed() -> None:
    assert example().training_seed == example(reward="integrated").training_seed
    assert example().training_seed != example(seed=2).training_seed
    assert example().evaluation_seed == example(algorithm="TitForTat").evaluation_seed


def test_a_job_is_named_by_its_runs_not_by_their_order() -> None:
    one, two = example(), example(seed=2)
    assert Job((one, two)).id == Job((two, one)).id != Job((one,)).id


def test_private_policies_are_searched_for_deviations_unless_the_study_says_otherwise() -> None:
    learners = [{"name": name, "env_steps": 1} for name in ("IPPO", "QMIX")]
    block = {"games": ["TrustDilemma-v1"], "agents": ["TitForTat"], "learners": learners}

    def searched(**settings: object) -> set[tuple[str, str]]:
        runs = expand(Study.model_validate({"name": "s", "seeds": [1], "blocks": [block], **settings}))
        return {(run.algorithm, run.reward) for run in runs if run.exploitability}

    assert searched() == {("IPPO", "private")}
    assert searched(exploitability=False) == set()
    assert ("TitForTat", "cooperative") in searched(exploitability=True)
