"""The hash of what a model reads, so that a changed word is another experiment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache

from coopgym.agents.base import Seat
from coopgym.games.game import AnyGame
from coopgym.games.parameters import Parameters
from coopgym.games.spec import View
from coopgym.interfaces.text.chat_formats import chat_format_named
from coopgym.interfaces.text.dialogue import Dialogue, Rules
from coopgym.interfaces.text.schemas import openai_schemas
from coopgym.interfaces.text.seat_memory import SeatMemory
from coopgym.interfaces.text.tools import chosen_tools
from coopgym.play.engine import Engine
from coopgym.rewards import reward_layer


def prompt_hash(
    game: AnyGame, view: View, reward: str, dialect: str, rules: Rules, tools: Sequence[str] | None = None
) -> str:
    """Return the hash of what a model reads in a game whatever it writes.

    That is, for every seat, the prompt after a reset, in which rules and reward are told, and the answers to a message
    that looks around and to one that cannot be read; and the schemas of the tools.

    Args:
        game: on the NumPy backend.
        view: what seats see.
        reward: the mode they are told.
        dialect: how things are worded.
        rules: how a decision is conducted.
        tools: names of tools; None are all.
    """
    return _hash(type(game), game.parameters, view, reward, dialect, rules, None if tools is None else tuple(tools))


@lru_cache(maxsize=4096)
def _hash(
    kind: type[AnyGame],
    parameters: Parameters,
    view: View,
    reward: str,
    dialect: str,
    rules: Rules,
    tools: tuple[str, ...] | None,
) -> str:
    schemas = openai_schemas(chosen_tools(tools).values())
    read = [*_read(kind(parameters), view, reward, dialect, rules, tools), json.dumps(schemas, sort_keys=True)]
    return hashlib.sha256(json.dumps(read).encode()).hexdigest()


def _read(
    game: AnyGame, view: View, reward: str, dialect: str, rules: Rules, tools: tuple[str, ...] | None
) -> Iterator[str | None]:
    layer, wording, known = reward_layer(reward).evaluated, chat_format_named(dialect), chosen_tools(tools)
    engine = Engine(game, layer, (1,))
    engine.reset(0)
    seen = game.observe(engine.state, view)
    for index in range(game.n_agents):
        memory = SeatMemory(game, Seat.of(game, index, view, layer.name), layer)
        memory.see(seen[0, index])
        dialogue = Dialogue(memory, wording, rules, known)
        yield dialogue.prompt
        for message in (wording.write("observe", {}), ""):
            if not dialogue.decided:
                yield dialogue.receive(message).text
