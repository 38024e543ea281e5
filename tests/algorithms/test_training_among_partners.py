"""Learners among agents that are given by name: who is met, what is learned, and what it is known by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import coopgym
from coopgym.agents import Agent, make_agent
from coopgym.agents.heuristics import Constant
from coopgym.algorithms import learners
from coopgym.algorithms.llm.training.learner import LLM
from coopgym.algorithms.loading import load_agents
from coopgym.algorithms.marl import IPPO, TrainingResult
from coopgym.algorithms.marl.core.partnered_environment import PartneredEnvironment
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.benchmarks.study import Study, expand
from coopgym.benchmarks.study.run_spec import RunSpec
from coopgym.benchmarks.study.settings import parse_settings
from coopgym.games.registry import make_game
from coopgym.play import play
from coopgym.strangers import population
from tests.algorithms.quadratic_game import Quadratic

GAME, GROUPS, DRAWN = "TrustDilemma-v1", "PlatformEcosystem-v1", "SynergySearch-v1"
"""Of two seats; of five seats in two groups; with random draws."""
STEPS = 4
TINY: dict[str, Any] = {
    "hidden": (8,),
    "num_envs": 8,
    "n_epochs": 1,
    "n_minibatches": 2,
    "learning_starts": 32,
    "steps_per_update": 32,
    "batch_size": 8,
}
ABLE = ("IA2C", "IPPO", "IQL", "ISAC", "IndependentREINFORCE", "MAPPO", "MeanFieldAC")


def tiny(name: str, **given: Any) -> ReplicaLearner:
    kind = learners()[name]
    assert issubclass(kind, ReplicaLearner)
    fields = {field: value for field, value in TINY.items() if hasattr(kind, field)}
    return kind(**fields | {"partners": "strangers:training"} | given)


def trained(learner: ReplicaLearner, game: str = GAME, seeds: Sequence[int] = (0, 1), **given: Any) -> TrainingResult:
    keywords = {"env_steps": 160, "evaluations": 0, "game_parameters": {"max_steps": STEPS}} | given
    return learner.train(game, ["private"], seeds, **keywords)


def same_policies(one: TrainingResult, other: TrainingResult, rows: Any = slice(None)) -> bool:
    return all(
        np.array_equal(tensor[rows] if name.startswith("policy.") else tensor, other.tensors[name])
        for name, tensor in one.tensors.items()
    )


def environment(
    partners: Sequence[str],
    game: str = GAME,
    seat: int = 0,
    batch: tuple[int, int] = (1, 1),
    seed: int = 0,
    **given: Any,
) -> PartneredEnvironment:
    inner = coopgym.torch_env(game, batch, actions="units", reward="private", dtype=torch.float64, **given)
    found = PartneredEnvironment(inner, seat, partners)
    found.reset([seed + row for row in range(batch[0] * batch[1])])
    return found


@pytest.mark.parametrize(("game", "seat", "view"), [(GAME, 1, "own"), (GROUPS, 0, "full"), (GROUPS, 3, "own")])
@pytest.mark.parametrize(
    "partner", ["TitForTat", "GrimTrigger(opening_level=0.6)", "strangers:training/trained-private"]
)
def test_a_seat_among_partners_plays_the_game_that_agents_play(game: str, seat: int, view: str, partner: str) -> None:
    met, made = environment([partner], game, seat, view=view), make_game(game)
    agents: list[Agent] = [make_agent(partner) for _ in range(made.n_agents)]
    agents[seat] = Constant(0.3)
    expected = play(made, agents, reward="private", record=True).trajectory
    action = torch.full((1, 1, 1), 0.3 * made.spec.endowments[seat], dtype=torch.float64)
    for _ in range(2):  # and once more: of the first episode nothing is left
        rewards = torch.cat([met.step(action)[1] for _ in range(made.spec.horizon)]).flatten()
        assert rewards.numpy() == pytest.approx(expected.rewards[:, 0, seat], abs=1e-9)


def drawn(met: PartneredEnvironment) -> Iterator[list[str]]:
    """Yield who is met in each row, episode by episode; constants show what they are."""
    while True:
        for step in range(STEPS):
            observation, *_ = met.step(torch.zeros(*met.state.t.shape, 1, dtype=torch.float64))
            if step == 0:
                column = met.game.observation_columns("own", 0)["partner_actions"][0]
                levels = 100.0 * observation[..., 0, column].flatten() * met.game.action_scale[1]
                names = [f"Constant_{level:.0f}" for level in levels]
        yield names


def test_everybody_is_met_equally_often_and_by_lot() -> None:
    names = ("Constant_10", "Constant_20", "Constant_30")
    episodes = drawn(environment(names, batch=(2, 8), max_steps=STEPS))
    first, second = next(episodes), next(episodes)
    for replica in (first[:8], first[8:], second[:8]):
        assert sorted(map(replica.count, names)) == [2, 3, 3]
    assert first[:8] != second[:8]  # another draw for every episode
    assert first[:8] != first[8:]  # and for every replica
    assert first[8:] == next(drawn(environment(names, batch=(1, 8), seed=8, max_steps=STEPS)))  # whoever is beside it


def test_a_population_stands_for_its_members() -> None:
    expected = [f"strangers:training/{partner.name}" for partner in population(GAME, "training").partners]
    assert list(environment(["TitForTat", "strangers:training"]).names) == ["TitForTat", *expected]


def earned(partner: str, agents: Sequence[Agent], seat: int, steps: int) -> float:
    pair = list(agents)
    pair[1 - seat] = make_agent(partner)
    return float(play(make_game(GAME, max_steps=steps), pair, reward="private").returns["private"][0, seat])


@pytest.mark.parametrize("partner", ["TitForTat", pytest.param("Constant_00", marks=pytest.mark.slow)])
def test_the_best_response_is_found(partner: str) -> None:
    """It beats every constant among tit-for-tat; who never gives is worth no more than the best constant."""
    settings = IPPO(partners=partner, hidden=(16,), num_envs=32, learning_rate=3e-3, n_epochs=6, n_minibatches=2)
    result = trained(settings, seeds=[0], env_steps=9600, game_parameters={"max_steps": 10})
    best = max(earned(partner, [Constant(k / 100)] * 2, 0, 10) for k in range(101))
    found = [earned(partner, result.agents(), seat, 10) for seat in (0, 1)]
    assert found[0] == pytest.approx(found[1])  # learned in the first seat, played in either
    assert found[0] > best * (1.0 if partner == "TitForTat" else 0.999)


@pytest.mark.parametrize("name", ABLE)
def test_the_same_seed_gives_the_same_policy(name: str) -> None:
    game = "TeamProduction-v1" if name == "MeanFieldAC" else GAME
    learner = tiny(name)
    result = trained(learner, game)
    assert same_policies(result, trained(learner, game))
    assert not same_policies(result, trained(learner, game, seeds=[1, 0]))
    assert not same_policies(result, trained(tiny(name, partners="Constant_90"), game))


@pytest.mark.parametrize("extra", [{}, {"history": 4}, {"memory": "gru"}], ids=["memoryless", "history", "gru"])
def test_a_replica_does_not_depend_on_those_beside_it(extra: dict[str, Any]) -> None:
    learner = tiny("IPPO", hidden=(16, 16), num_envs=64, **extra)
    assert same_policies(trained(learner), trained(learner, seeds=[1]), slice(1, 2))


class StopError(Exception):
    pass


@pytest.mark.parametrize("game", [DRAWN, GROUPS])
@pytest.mark.parametrize(("name", "extra"), [("IPPO", {"memory": "gru"}), ("ISAC", {"rollout_steps": 3})])
def test_an_interrupted_training_goes_on_to_the_same_numbers(
    name: str, extra: dict[str, Any], game: str, tmp_path: Path
) -> None:
    """Also one whose blocks end in the middle of episodes, which partners remember: it goes on between two."""

    def stop(done: int, planned: int) -> None:
        if done >= 136:
            raise StopError

    learner, told = tiny(name, **extra), list[int]()
    keywords: dict[str, Any] = {"checkpoint": tmp_path, "checkpoint_every": 1, "evaluations": 3}
    with pytest.raises(StopError):
        trained(learner, game, progress=stop, **keywords)
    resumed = trained(learner, game, progress=lambda done, _: told.append(done), **keywords)
    whole = trained(learner, game, evaluations=3)
    assert told[0] > 96  # it did not begin anew
    assert same_policies(whole, resumed)
    assert whole.record == resumed.record


def test_what_the_first_seat_of_a_group_learned_serves_the_whole_group(tmp_path: Path) -> None:
    result = trained(tiny("MAPPO"), GROUPS)
    result.save(tmp_path)
    one, *others = [agent.policy.tensors for agent in result.agents()]
    assert all(np.array_equal(others[0][name], each[name]) for each in others for name in each)
    assert not np.array_equal(one["weight_0"], others[0]["weight_0"])
    game = make_game(GROUPS, max_steps=STEPS)
    kept, made = (play(game, list(agents)).payoffs for agents in (load_agents(tmp_path), result.agents()))
    assert np.array_equal(kept, made)
    with pytest.raises(ValueError, match="trained for seat 1"):
        play(game, [result.agents()[1], *result.agents()[1:]])


@pytest.mark.parametrize("name", sorted({*learners()} - {*ABLE, "LLM", "Mixed"}))
def test_others_refuse(name: str) -> None:
    with pytest.raises(
        (ValueError, ImportError), match=f"{name} learns from what other seats.*IPPO.*ISAC.*can|install"
    ):
        learners()[name](partners="TitForTat")  # type: ignore[call-arg]  # which is what is tested


def test_members_of_a_mixture_have_no_partners_of_their_own() -> None:
    with pytest.raises(ValueError, match=r"partners=.* differs from the mixture's"):
        learners()["Mixed"](members=[(IPPO(partners="TitForTat"), [0]), (IPPO(), [1])])  # type: ignore[call-arg]


TEST_PARTNERS = ("strangers:test", "strangers:test/grim-0.6", "Noisy(agent='strangers:test/grim-0.6')")


@pytest.mark.parametrize("name", TEST_PARTNERS)
@pytest.mark.parametrize("kind", [IPPO, LLM])
def test_nobody_trains_with_those_that_strangers_are_tested_on(kind: Any, name: str) -> None:
    with pytest.raises(ValueError, match=r"whoever trains with test partners.*expected strangers:training"):
        kind(partners=("TitForTat", name))


@pytest.mark.parametrize(
    ("partners", "objective", "error", "message"),
    [
        ("TitForTatt", "individual", ValueError, "unknown agent 'TitForTatt'; did you mean 'TitForTat'"),
        (5, "individual", TypeError, "partners=5: expected text or a list of text"),
        ("TitForTat", "team", ValueError, "expected objective='individual'.*reward 'cooperative'"),
    ],
)
def test_what_cannot_be_partners_is_said(partners: Any, objective: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        IPPO(partners=partners, objective=objective)


@pytest.mark.parametrize(
    ("game", "parameters", "partners", "message"),
    [
        ("TrustDilemma-v0", {}, "TitForTat", "may end early"),
        ("PublicGoods-v0", {}, "strangers:training", "games of the formal edition"),
    ],
)
def test_games_that_cannot_be_learned_among_partners_are_named(
    game: str, parameters: dict[str, Any], partners: str, message: str
) -> None:
    with pytest.raises(ValueError, match=f"{game}.*{message}"):
        IPPO(partners=partners).check(make_game(game, **parameters))


def test_on_the_command_line_an_address_is_a_text() -> None:
    assert parse_settings(["partners=strangers:training/grim-0.4"]) == {"partners": "strangers:training/grim-0.4"}
    with pytest.raises(ValueError, match="is not a TOML value"):
        parse_settings(["partners=strangers:"])


def test_in_a_game_of_one_seat_nobody_is_met() -> None:
    alone = Quadratic(1, agents=1).game
    with pytest.raises(ValueError, match="has one seat, so nobody is met; leave partners out"):
        IPPO(partners="TitForTat").check(alone)


def run_of(**hyperparameters: Any) -> RunSpec:
    block = {"games": [GAME], "learners": [{"name": "IPPO", "env_steps": 100, "hyperparameters": hyperparameters}]}
    (run,) = expand(Study(name="mine", rewards=["private"], seeds=[1], blocks=[block]))  # type: ignore[list-item]
    return run


def test_partners_are_part_of_what_a_run_is_known_by() -> None:
    alone, among = run_of(), run_of(partners="strangers:training")
    assert alone.key.training is not None
    assert among.key.training is not None
    assert alone.key.training.company == ()
    assert "partners" not in alone.key.training.settings  # as it was before there were any
    (partner,) = among.key.training.company
    assert partner.settings == {"release": "strangers-v1", "population": "training"}
    assert run_of(partners=["strangers:training"]).run_id == among.run_id
    assert run_of(partners="GrimTrigger(opening_level=0.5)").run_id != run_of(partners="GrimTrigger").run_id
