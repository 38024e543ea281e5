"""Cost of the text interface: a decision against steps of the game itself, and an episode against its replay."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import TemporaryDirectory
from typing import Any

import coopgym
from coopgym.agents import Seat, make_agent
from coopgym.benchmarks.perf.measure import Ratio, compare, rate
from coopgym.interfaces.text import TOOLS, Dialogue, Rules, SeatMemory, chat_format_named
from coopgym.play import play
from coopgym.play.engine import Engine
from coopgym.rewards import MODES

Chat = list[dict[str, str]]

GAME = "TrustDilemma-v1"
SUBMIT = '<tool_call>{"name": "submit", "arguments": {"level": 0.4}}</tool_call>'
PAYOFF = '<tool_call>{"name": "payoff", "arguments": {"own": 0.4, "partner": 0.5}}</tool_call>'
REPETITIONS = 1000
ROUNDS = 10
SECONDS_PER_REPLY = 0.05
"""As long as a small model on a GPU takes for a short message."""


def c18(quick: bool = False) -> Ratio:
    """A decision that only submits, in the dialect that says most."""
    return _overhead("C18", "text decision: submit ÷ environment step", [SUBMIT], quick)


def c18_with_a_tool(quick: bool = False) -> Ratio:
    """A decision that asks for a payoff first."""
    return _overhead("C18b", "text decision: payoff, submit ÷ environment step", [PAYOFF, SUBMIT], quick)


def c18_replayed(quick: bool = False) -> Ratio:
    """An episode whose messages, two per decision, are in the cache, against its live play, both by the clock."""
    game, fresh = coopgym.make_game(GAME, max_steps=ROUNDS), itertools.count()
    with TemporaryDirectory() as place, chat_server(_thoughtful, SECONDS_PER_REPLY) as url:

        def seconds(cache: object) -> float:
            agents = [make_agent(f"llm:{url}#measured", cache=f"{place}/{cache}"), make_agent("TitForTat")]
            begin = time.perf_counter()
            play(game, agents, reward="private")
            return time.perf_counter() - begin

        return compare(
            lambda: seconds("kept"), lambda: seconds(next(fresh)), quick,
            id="C18c", title="text episode: from the cache ÷ live, 50 ms a reply", unit="s", floor=0.02, aim=0.01,
            at_most=True,
        )  # fmt: skip


@contextmanager
def chat_server(answer: Callable[[Chat], str], seconds: float) -> Iterator[str]:
    """Serve chat completions that take as long as real ones while the block runs, and give the address.

    Args:
        answer: the message that continues a chat.
        seconds: how long an answer takes.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer a chat; the name is the one that `http.server` calls."""
            chat = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"]
            time.sleep(seconds)
            choice = {"message": {"role": "assistant", "content": answer(chat)}, "finish_reason": "stop"}
            body = json.dumps({"choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _thoughtful(chat: Chat) -> str:
    return PAYOFF if len(chat) == 1 else SUBMIT


def _overhead(id: str, title: str, messages: Sequence[str], quick: bool) -> Ratio:
    decide, step = _decisions(messages), _steps()
    return compare(
        lambda: 1.0 / rate(decide, REPETITIONS), lambda: 1.0 / rate(step, REPETITIONS), quick,
        id=id, title=title, unit="s", floor=20.0, aim=5.0, at_most=True,
    )  # fmt: skip


def _steps() -> Callable[[], object]:
    """Step and observe one environment; finished episodes start anew."""
    game = coopgym.make_game(GAME)
    engine = Engine(game, "private")
    engine.reset(0)
    actions = 0.5 * game.spec.endowments

    def step() -> None:
        transition, _ = engine.step(actions)
        game.observe(transition.state, "own")
        if transition.truncated:
            engine.reset()

    return step


def _decisions(messages: Sequence[str]) -> Callable[[], object]:
    """Open a decision and receive its messages, for the length of an episode in one seat."""
    game, dialect, rules = coopgym.make_game(GAME), chat_format_named("json"), Rules()
    seat = Seat.of(game, 0, "own", "private")
    observation = game.observe(game.initial_state(), "own")[0]
    memories = (SeatMemory(game, seat, MODES["private"]) for _ in itertools.count())
    rounds = (memory for memory in memories for _ in range(game.spec.horizon))

    def decide() -> None:
        memory = next(rounds)
        memory.see(observation)
        dialogue = Dialogue(memory, dialect, rules, TOOLS)
        for message in messages:
            dialogue.receive(message)

    return decide
