"""Language models in seats: they keep an agent's promises, leave a transcript, and are kept on disk."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coopgym.agents import make_agent
from coopgym.algorithms.llm.models import SmallModel
from coopgym.algorithms.llm.play.agent import LanguageAgent, LanguagePolicy
from coopgym.algorithms.llm.play.conversation import Decoding
from coopgym.algorithms.llm.play.generators import ModelGenerator
from coopgym.algorithms.llm.training.result import LanguageResult, talk_record, training_record
from coopgym.algorithms.loading import load_agents
from coopgym.benchmarks.execute.corpus_rows import turn_table, turns_of
from coopgym.corpus.schema import SCHEMAS
from coopgym.digests import DIGESTS_FILE
from coopgym.games.registry import make_game
from coopgym.interfaces.text import Rules
from coopgym.play import play
from coopgym.testing import check_agent
from tests.algorithms.llm.parrot import Parrot

RULES = Rules(max_turns=2, on_invalid="fallback")
DECODING = Decoding(max_tokens=24)
GAME = make_game("TrustDilemma-v1", max_steps=4)


@pytest.fixture(scope="session")
def policy(pupil: Callable[[], SmallModel]) -> LanguagePolicy:
    return LanguagePolicy(ModelGenerator(pupil(), DECODING), "compact", RULES)


def parrots(message: str) -> list[LanguageAgent]:
    policy = LanguagePolicy(ModelGenerator(Parrot(lambda text: message), DECODING), "compact", RULES)
    return [LanguageAgent(policy), LanguageAgent(policy)]


def test_it_keeps_the_promises_of_agents() -> None:
    brief = LanguagePolicy(ModelGenerator(Parrot(lambda text: "submit .50"), DECODING), "compact", Rules(max_turns=1))
    check_agent(lambda: LanguageAgent(brief), games=("PartnerHoldUp-v1",))


@pytest.mark.slow
@pytest.mark.parametrize("stochastic", [False, True])
def test_a_model_that_has_learned_keeps_them_too(stochastic: bool, policy: LanguagePolicy) -> None:
    brief = dataclasses.replace(policy, rules=Rules(max_turns=1))
    check_agent(lambda: LanguageAgent(brief, stochastic), games=("PartnerHoldUp-v1",))


def test_play_repeats_itself(policy: LanguagePolicy) -> None:
    def said(stochastic: bool, seed: int) -> list:
        agents = [LanguageAgent(policy, stochastic), LanguageAgent(policy, stochastic)]
        episodes = play(GAME, agents, episodes=2, seed=seed)
        return [episodes.payoffs.tolist(), *(agent.transcript for agent in agents)]

    assert said(False, 0) == said(False, 0)
    assert said(True, 0) == said(True, 0)
    assert said(True, 0) != said(True, 1)
    assert said(True, 0) != said(False, 0)


def test_remembering_messages_changes_none(policy: LanguagePolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    agents = [LanguageAgent(policy), LanguageAgent(policy)]
    remembered = play(GAME, agents, episodes=2, seed=1)
    generator = policy.generator
    assert isinstance(generator, ModelGenerator)
    monkeypatch.setattr("coopgym.algorithms.llm.play.generators.REMEMBERED", -1)
    forgetful = LanguagePolicy(ModelGenerator(generator.model, DECODING), "compact", RULES)
    again = [LanguageAgent(forgetful), LanguageAgent(forgetful)]
    assert np.array_equal(play(GAME, again, episodes=2, seed=1).payoffs, remembered.payoffs)
    assert [agent.transcript for agent in again] == [agent.transcript for agent in agents]


def test_transcripts_are_rows_of_the_table_of_turns(policy: LanguagePolicy) -> None:
    agents = [LanguageAgent(policy), make_agent("TitForTat")]
    episodes = play(GAME, agents, episodes=2)
    table = turn_table("run", turns_of(agents, episodes.lengths))
    assert table.schema.equals(SCHEMAS["turns"])
    rows = table.to_pylist()
    assert {(row["episode"], row["t"]) for row in rows} == {(e, t) for e in range(2) for t in range(4)}
    for episode in range(2):
        own = [row for row in rows if row["episode"] == episode]
        assert [row["turn"] for row in own] == list(range(len(own)))
        assert [row["t"] for row in own] == sorted(row["t"] for row in own)
    written = [row for row in rows if row["role"] == "assistant"]
    assert all(row["completion_tokens"] == len(row["content"]) + 1 for row in written if row["valid"])
    assert all(row["prompt_tokens"] is None for row in rows if row["role"] != "assistant")
    assert any(row["action"] is not None for row in written)
    assert turns_of([make_agent("Random")], episodes.lengths) == []
    later = turns_of(agents, episodes.lengths, first_episode=6)
    assert {row["episode"] for row in later} == {6, 7}


def test_a_message_s_prompt_is_all_that_stood_before_it() -> None:
    agent, other = parrots("payoff .50 .50")
    play(make_game("TrustDilemma-v1", max_steps=1), [agent, other])
    prompt, first, answer, second = agent.transcript
    assert first["prompt_tokens"] == len(prompt["content"])
    assert second["prompt_tokens"] == len(prompt["content"]) + first["completion_tokens"] + len(answer["content"])


def test_an_unreadable_answer_is_kept_and_the_fallback_played() -> None:
    agents = parrots("cooperate, always")
    episodes = play(GAME, agents, episodes=1, record=True)
    written = [row for row in agents[0].transcript if row["role"] == "assistant"]
    assert {row["content"] for row in written} == {"cooperate, always"}
    assert {(row["valid"], row["action"]) for row in written} == {(False, None)}
    assert episodes.trajectory is not None
    norm = agents[0].seat.norm * agents[0].seat.endowment
    assert np.allclose(episodes.trajectory.actions[:, 0, 0], norm)


def test_an_answer_that_is_cut_off_is_no_answer() -> None:
    agent, other = parrots("submit .50" + " " * 40)
    play(make_game("TrustDilemma-v1", max_steps=1), [agent, other])
    (said,) = (row for row in agent.transcript if row["role"] == "assistant")
    assert (said["valid"], said["action"], said["completion_tokens"]) == (False, None, DECODING.max_tokens)


def test_what_is_said_after_an_episode_s_end_is_not_recorded() -> None:
    agents = parrots("submit .50")
    play(GAME, agents, episodes=2)
    rows = turns_of(agents, np.array([2.0, 4.0]))
    assert {row["t"] for row in rows if row["episode"] == 0} == {0, 1}
    assert {row["t"] for row in rows if row["episode"] == 1} == set(range(4))


def test_a_context_without_room_is_told() -> None:
    policy = LanguagePolicy(ModelGenerator(Parrot(context=20), DECODING))
    with pytest.raises(ValueError, match=r"the prompt has .* tokens and the model's context is 20; use a longer"):
        play(GAME, [LanguageAgent(policy), LanguageAgent(policy)])


@pytest.fixture
def result(pupil: Callable[[], SmallModel]) -> LanguageResult:
    entry = {"reward": "private", "diverged_at": None, "decisions": 8, "gradient_updates": 1}
    replicas = [
        {**entry, "seed": 0, "curves": [[8, "outcome", 0.5]]},
        {**entry, "seed": 1, "curves": [], "diverged_at": 8},
    ]
    talk = talk_record("compact", RULES, DECODING)
    record = training_record(GAME.spec.id, "own", 2, {"method": "grpo"}, talk, replicas)
    return LanguageResult(record, [pupil(), None])


def test_results_say_what_they_hold(result: LanguageResult) -> None:
    assert result.replicas == [("private", 0), ("private", 1)]
    assert (result.status(0), result.status(("private", 1)), result.diverged_at(1)) == ("trained", "diverged", 8)
    assert result.curves(0) == [(8, "outcome", 0.5)]
    assert (result.env_steps, result.gradient_updates) == (8, 1)
    with pytest.raises(ValueError, match="replica 1 diverged and left no policy"):
        result.agents(1)


def test_saved_agents_play_as_they_did(result: LanguageResult, tmp_path: Path) -> None:
    result.save(tmp_path / "trained")
    for stochastic in (False, True):
        loaded = load_agents(tmp_path / "trained", ("private", 0), stochastic=stochastic)
        played = play(GAME, result.agents(0, stochastic=stochastic), seed=2)
        assert np.array_equal(play(GAME, loaded, seed=2).payoffs, played.payoffs)
    with pytest.raises(ValueError, match="replica 1 diverged and left no policy"):
        load_agents(tmp_path / "trained", 1)


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda folder: (folder / "training.json").unlink(), FileNotFoundError, "training.json is missing"),
        (lambda folder: (folder / "training.json").write_text('{"kind": "lang'), ValueError, "not a readable training"),
        (lambda folder: drop(folder / "training.json", "talk"), ValueError, "not a readable training result: .*'talk'"),
        (lambda folder: (folder / "model_000" / "model.json").unlink(), FileNotFoundError, "model.json is missing"),
        (lambda folder: (folder / "model_000" / "model.safetensors").unlink(), FileNotFoundError, "model.safetensors"),
        (lambda folder: cut(folder / "model_000" / "model.safetensors"), ValueError, "model.safetensors is damaged"),
    ],
)
def test_damaged_files_are_told(
    damage: Callable[[Path], object], error: type[Exception], message: str, result: LanguageResult, tmp_path: Path
) -> None:
    result.save(tmp_path)
    (tmp_path / DIGESTS_FILE).unlink()  # a record that its digest vouches for is not damaged
    damage(tmp_path)
    with pytest.raises(error, match=message):
        load_agents(tmp_path)


@pytest.mark.parametrize("file", ["training.json", "model_000/model.json", "model_000/model.safetensors"])
def test_an_altered_file_is_refused(file: str, result: LanguageResult, tmp_path: Path) -> None:
    result.save(tmp_path)
    content = bytearray((tmp_path / file).read_bytes())
    content[-3] ^= 0x01
    (tmp_path / file).write_bytes(bytes(content))
    with pytest.raises(ValueError, match=rf"{re.escape(file)} is damaged or was altered"):
        load_agents(tmp_path)


def drop(path: Path, key: str) -> None:
    path.write_text(json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name != key}))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])
