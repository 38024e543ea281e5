"""Models behind an address: decisions as chats, failures on record, everywhere where an agent's name works."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import coopgym
from coopgym.agents import Seat, make_agent
from coopgym.algorithms.llm.models.endpoint import Endpoint
from coopgym.algorithms.llm.play.agent import LanguageAgent
from coopgym.algorithms.llm.play.endpoint_generator import EndpointGenerator, Price
from coopgym.algorithms.llm.play.trajectories import Usage
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.progress import LineProgress
from coopgym.benchmarks.study import Study, expand
from coopgym.corpus import Corpus
from coopgym.interfaces.text import TOOLS, Dialogue, Rules, SeatMemory, chat_format_named
from coopgym.play import Scenario, play
from coopgym.rewards import MODES
from tests.algorithms.llm.chat_server import (
    CUTS,
    REFUSALS,
    TROUBLES,
    Answer,
    ChatServer,
    TimelessClock,
    completion,
)

PAYOFF = '<tool_call>{"name": "payoff", "arguments": {"own": 0.4, "partner": 0.5}}</tool_call>'
SUBMIT = '<tool_call>{"name": "submit", "arguments": {"level": 0.4}}</tool_call>'
NOBODY = "llm:http://127.0.0.1:9/v1?retries=0#m"


def player(request: dict[str, Any]) -> dict[str, Any]:
    """Ask for a payoff first, then submit."""
    return completion(SUBMIT if len(request["messages"]) > 1 else PAYOFF)


pytestmark = pytest.mark.usefixtures("no_key")


@pytest.fixture
def server(server: ChatServer) -> ChatServer:
    server.usual = Answer(player)
    return server


@pytest.fixture
def decision() -> Callable[[], Dialogue]:
    game = coopgym.make_game("TrustDilemma-v1")
    observation = game.observe(game.initial_state(), "own")[0]

    def opened() -> Dialogue:
        memory = SeatMemory(game, Seat.of(game, 0, "own", "private"), MODES["private"])
        memory.see(observation)
        return Dialogue(memory, chat_format_named("json"), Rules(), TOOLS)

    return opened


def generator(server: ChatServer, patience: int = 2, price: Price | None = None, **settings: Any) -> EndpointGenerator:
    usual = {"url": server.url, "model": "m", "retries": 0, "timeout": 5.0, "clock": TimelessClock()}
    return EndpointGenerator(Endpoint(**{**usual, **settings}), patience, price)


def decided(speaker: EndpointGenerator, *dialogues: Dialogue, stochastic: bool = False) -> list[list[Usage]]:
    return speaker.decide(dialogues, streams(len(dialogues)), stochastic).result(timeout=30)


def streams(count: int) -> list[np.random.Generator]:
    return np.random.default_rng(0).spawn(count)


def test_a_decision_is_a_chat(server: ChatServer, decision: Callable[[], Dialogue]) -> None:
    dialogue = decision()
    usage = decided(generator(server, temperature=0.5), dialogue)
    assert (dialogue.level, dialogue.ended_by) == (0.4, "answer")
    assert usage == [[Usage(7, 3, paid_tokens=10, cached_tokens=0, requests=1, finish="stop")] * 2]
    first, second = server.requests
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
    assert [message["content"] for message in second["messages"]] == [turn.content for turn in dialogue.turns[:3]]
    assert first["temperature"] == 0.0
    assert "seed" not in first


def test_chance_is_the_dialogues_own(server: ChatServer, decision: Callable[[], Dialogue]) -> None:
    samples = generator(server, temperature=0.5)
    decided(samples, decision(), decision(), stochastic=True)
    together = {(request["seed"], len(request["messages"])) for request in server.requests}
    assert {request["temperature"] for request in server.requests} == {0.5}
    assert len({seed for seed, _ in together}) == 2
    server.requests.clear()
    samples.decide([decision()], streams(2)[1:], stochastic=True).result(timeout=30)
    assert {(request["seed"], len(request["messages"])) for request in server.requests} < together


@pytest.mark.parametrize("name", [*TROUBLES, *REFUSALS])
def test_what_fails_is_recorded_and_counted(server: ChatServer, decision: Callable[[], Dialogue], name: str) -> None:
    answer, reason = {**TROUBLES, **REFUSALS}[name]
    server.script = [answer]
    fails, works = decision(), decision()
    usage = decided(generator(server, concurrency=1, temperature=1.0), fails, works, stochastic=True)
    assert (fails.level, fails.ended_by, fails.problems, fails.action) == (None, "error", 1, fails.memory.seat.norm)
    said = fails.turns[-1]
    assert (said.role, said.valid) == ("assistant", False)
    assert said.content == "I thi" or reason in said.content
    assert reason in (usage[0][0].note or "")
    assert (usage[0][0].finish, usage[0][0].requests) == ("error", 1)
    assert works.level == 0.4


@pytest.mark.parametrize("name", CUTS)
def test_half_a_message_is_not_played_whatever_it_says(
    server: ChatServer, decision: Callable[[], Dialogue], name: str
) -> None:
    answer, finish = CUTS[name]
    whole = f"{SUBMIT} and so "
    server.script = [replace(answer, body=completion(whole, finish=answer.body["choices"][0]["finish_reason"]))]
    dialogue = decision()
    ((usage,),) = decided(generator(server), dialogue)
    ending = "max_tokens" if finish == "length" else "error"
    assert (dialogue.level, dialogue.ended_by, dialogue.problems) == (None, ending, 1)
    assert (dialogue.turns[-1].content, dialogue.turns[-1].valid) == (whole, False)
    assert (usage.finish, usage.completion_tokens) == (finish, 3)


def test_a_message_that_is_all_cut_off_has_a_row_of_its_own(
    server: ChatServer, decision: Callable[[], Dialogue]
) -> None:
    server.script = [Answer(completion(None, finish="length"))]
    dialogue = decision()
    decided(generator(server), dialogue)
    assert dialogue.turns[-1].content == "(no message: nothing but a limit of tokens)"


def test_a_decision_has_a_time_limit_over_all_its_messages(
    server: ChatServer, decision: Callable[[], Dialogue]
) -> None:
    busy = Answer(status=503, headers={"Retry-After": "40"})
    server.script = [busy, Answer(player), busy]
    dialogue = decision()
    usage = decided(generator(server, retries=5, time_limit=70.0), dialogue)
    assert [each.requests for each in usage[0]] == [2, 1]
    assert "the limit of 70 s leaves no time" in dialogue.turns[-1].content


def test_what_was_asked_before_is_not_paid_again(
    server: ChatServer, decision: Callable[[], Dialogue], tmp_path: Path
) -> None:
    speaker = generator(server, price=Price(read=1000.0, written=2000.0), cache=tmp_path)
    paid, same = decided(speaker, decision(), decision())
    (later,) = decided(speaker, decision())
    assert [(each.paid_tokens, each.cached_tokens, each.requests) for each in paid] == [(10, 0, 1)] * 2
    assert [each.cost for each in paid] == [pytest.approx(0.013)] * 2
    for free in (same, later):
        assert [(each.paid_tokens, each.cached_tokens, each.requests, each.cost) for each in free] == [
            (0, 10, 0, 0.0)
        ] * 2
        assert [(each.prompt_tokens, each.completion_tokens) for each in free] == [(7, 3)] * 2
    assert len(server.requests) == 2


def test_a_server_that_falls_silent_is_put_up_with_for_a_while(
    server: ChatServer, decision: Callable[[], Dialogue]
) -> None:
    speaker = generator(server, patience=1)
    endings = []
    for silent in (0, 1, 0, 1):
        server.script, dialogue = [Answer(status=500)] * silent, decision()
        decided(speaker, dialogue)
        endings.append(dialogue.ended_by)
    assert endings == ["answer", "error"] * 2
    server.script = [Answer(status=500)]
    with pytest.raises(ConnectionError, match=r"HTTP 500.* The model at http.* start its server"):
        decided(speaker, decision())


def test_a_server_that_never_answered_is_not_there(server: ChatServer, decision: Callable[[], Dialogue]) -> None:
    server.script = [Answer(status=500)] * 2
    with pytest.raises(ConnectionError, match="HTTP 500"):
        decided(generator(server), decision(), decision(), stochastic=True)


def test_an_address_is_an_agent() -> None:
    agent = make_agent(
        "llm:http://127.0.0.1:8000/v1?temperature=0.7&cache=kept&max_turns=3&output_price=2#org/model-7b", retries=1
    )
    assert isinstance(agent, LanguageAgent)
    assert agent.stochastic
    assert agent.policy.rules.max_turns == 3
    assert isinstance(agent.policy.generator, EndpointGenerator)
    endpoint, price = agent.policy.generator.endpoint, agent.policy.generator.price
    assert price == Price(read=0.0, written=2.0)
    assert (endpoint.url, endpoint.model) == ("http://127.0.0.1:8000/v1", "org/model-7b")
    assert (endpoint.temperature, endpoint.cache, endpoint.retries) == (0.7, "kept", 1)
    likeliest = make_agent("llm:http://127.0.0.1:8000/v1")
    assert isinstance(likeliest, LanguageAgent)
    assert not likeliest.stochastic


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("llm:127.0.0.1:8000", "expected an address such as http"),
        ("llm:http://me:secret@host/v1", "user names, passwords"),
        ("llm:http://host/v1?temprature=1", "did you mean 'temperature'"),
        ("llm:http://host/v1?retries=1.5", "expected a whole number"),
        ("llm:http://host/v1?retries=1&retries=2", "twice"),
        ("llm:http://host/v1?key_variable=HOME", "unknown option"),
        ("llm:http://host/v1?temperature=-1", "at least 0"),
        ("llm:http://host/v1?input_price=nan", "expected finite numbers of at least 0"),
        ("lm:http://host/v1", "expected llm:ADDRESS"),
    ],
)
def test_addresses_that_are_none_say_why(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_agent(name)


def call(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed, env={"COLUMNS": "120"})


STUDY = """
name = "one"
rewards = ["private"]
seeds = [1]
episodes = 1
[[blocks]]
games = ["TrustDilemma-v1"]
parameters = { max_steps = 2 }
agents = ["TitForTat"]
"""


def computed(name: str, folder: Path) -> Corpus:
    """The study, without what the command line adds to it."""
    one = Study.model_validate(tomllib.loads(STUDY)).with_agent(name)
    run_study(one, expand(one), folder, InProcess(), LineProgress(StringIO()))
    return coopgym.load_corpus(folder)


def test_a_study_records_what_was_said_and_is_replayed_from_the_cache(server: ChatServer, tmp_path: Path) -> None:
    name, file = f"llm:{server.url}?cache={tmp_path / 'answers'}#m", tmp_path / "one.toml"
    file.write_text(STUDY)
    result = call("run", str(file), "--agent", name, "--out", str(tmp_path / "live"), "--workers", "0")
    assert result.exit_code == 0, result.output
    asked = len(server.requests)
    assert 0 < asked <= 8
    live, again = coopgym.load_corpus(tmp_path / "live").turns.arrow, computed(name, tmp_path / "again").turns.arrow
    assert len(server.requests) == asked
    costs = ["paid_tokens", "cached_tokens", "requests"]
    assert live.drop_columns(costs).equals(again.drop_columns(costs))
    assert set(live["paid_tokens"].to_pylist()) == {10, None}
    assert set(again["paid_tokens"].to_pylist()) == {0, None}
    rows = live.to_pylist()
    assert {(row["t"], row["seat"]) for row in rows} == {(t, seat) for t in range(2) for seat in range(2)}
    spoken = [row for row in rows if row["role"] == "assistant"]
    assert [row["content"] for row in spoken] == [PAYOFF, SUBMIT] * 4
    assert {(row["valid"], row["prompt_tokens"], row["completion_tokens"]) for row in spoken} == {(True, 7, 3)}


def test_a_cached_run_asks_nothing(server: ChatServer, tmp_path: Path) -> None:
    game = coopgym.make_game("TrustDilemma-v1", max_steps=2)
    name = f"llm:{server.url}?temperature=1&cache={tmp_path}#m"
    first = play(game, [make_agent(name), make_agent("TitForTat")], episodes=2, seed=3)
    asked = len(server.requests)
    assert asked == 8
    second = play(game, [make_agent(name), make_agent("TitForTat")], episodes=2, seed=3)
    assert len(server.requests) == asked
    assert np.array_equal(first.payoffs, second.payoffs)


def test_addresses_enter_scenarios_and_cross_play(server: ChatServer) -> None:
    name = f"llm:{server.url}#m"
    block = {"games": ["TrustDilemma-v1"], "agents": [name, "TitForTat"], "cross_play": True}
    assert Study.model_validate({"name": "x", "blocks": [block]}).blocks[0].encounters[0].background == (name,)
    scenario = Scenario("s", "TrustDilemma-v1", (0,), (name,), parameters={"max_steps": 2})
    (row,) = scenario.run([make_agent("TitForTat")])
    assert row["background_cooperation"] == pytest.approx(0.4)


def test_a_run_without_server_fails_and_says_so(tmp_path: Path) -> None:
    (failed,) = (run for run in computed(NOBODY, tmp_path).runs.to_pylist() if run["algorithm"] == NOBODY)
    assert failed["status"] == "failed"
    assert "no connection to http://127.0.0.1:9/v1" in failed["error"]


def test_a_person_meets_a_model(server: ChatServer) -> None:
    result = call("play", "TrustDilemma-v1", "--partner", f"llm:{server.url}#m", typed="\n\nq\n")
    assert result.exit_code == 0, result.output
    assert "You put in 30% of your endowment on average, the others 40%." in result.output


def test_a_model_that_is_away_ends_the_game_with_advice() -> None:
    for name in (NOBODY, NOBODY.removesuffix("#m")):
        result = call("play", "TrustDilemma-v1", "--partner", name, typed="\n" * 3)
        assert result.exit_code == 2
        assert "tart its server" in result.output or "tart the server" in result.output
        assert "Traceback" not in result.output
