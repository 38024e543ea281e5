"""Scripted play: messages in any dialect, from a player that knows what is right; and rollouts taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from coopgym.algorithms.llm.models import Generation, LanguageModel
from coopgym.algorithms.llm.play.conversation import Rollout
from coopgym.algorithms.llm.play.sessions import PlaySession
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import ToolCall, Trajectory
from coopgym.interfaces.text import Dialogue, SeatMemory, on_grid

Calls = tuple[ToolCall, ...]
Script = Callable[[PlaySession], Iterator[str]]
"""Writes the next message whenever it is asked to; each must have been sent before the next."""

MARGIN = 0.1
"""How far the ends of a bracket lie from its middle."""
REMEMBERED = 3
"""Rounds that a script looks back and ahead."""


def gold_traces(gold: float, partner: float) -> tuple[Calls, ...]:
    """Return ways to use the tools that lead to a level in good order; the first is the one that scripts play.

    It is ``observe → partner_history → payoff of a bracket → best_response → submit``. The others ask for the quarters
    of the endowment, or simulate the bracket.

    Args:
        gold: the level to submit.
        partner: what the others are taken to play.
    """
    middle = on_grid(min(max(gold, MARGIN), 1.0 - MARGIN))
    bracket = (on_grid(middle - MARGIN), on_grid(middle + MARGIN), middle)
    look = (ToolCall("observe", {}), ToolCall("partner_history", {"k": REMEMBERED}))
    end = (ToolCall("best_response", {"partner": partner}), ToolCall("submit", {"level": on_grid(gold)}))
    asked, quarters = (
        tuple(ToolCall("payoff", {"own": level, "partner": partner}) for level in levels)
        for levels in (bracket, (0.25, 0.75, 0.5))
    )
    simulated = tuple(ToolCall("simulate", {"plan": (level,), "horizon": REMEMBERED}) for level in bracket)
    return tuple((*look, *middle_part, *end) for middle_part in (asked, quarters, simulated))


def partner_level(memory: SeatMemory) -> float:
    """Return the others' mean last share as a level."""
    return on_grid(float(np.clip(memory.last_partners.mean(), 0.0, 1.0)))


def missing_calls(dialogue: Dialogue, gold: float) -> Calls:
    """Return the calls of the played trace that a dialogue has not made yet, as far as it has the tools."""
    made = [(use.name, dict(use.arguments)) for use in dialogue.calls if use.ok]
    trace = gold_traces(gold, partner_level(dialogue.memory))[0]
    return tuple(call for call in trace if call.name in dialogue.tools and (call.name, call.args) not in made)


def spread(calls: Calls, messages: int) -> list[Calls]:
    """Spread calls in order over at most some messages, of which the last one holds the last call alone.

    Without room for any other message, only the last call is left.
    """
    *asked, last = calls
    parts = np.array_split(np.arange(len(asked)), min(messages - 1, len(asked))) if messages > 1 and asked else []
    return [*(tuple(asked[i] for i in part) for part in parts), (last,)]


def written(dialogue: Dialogue, calls: Calls) -> str:
    """Word a message with some calls."""
    return "\n".join(dialogue.dialect.write(call.name, call.args) for call in calls)


def gold_play(golds: Sequence[float]) -> Script:
    """Return the script of a player that knows the right levels, one per decision, and uses the tools in good order.

    It goes on from wherever a conversation stands and does not repeat calls. There are no thoughts.
    """

    def script(session: PlaySession) -> Iterator[str]:
        while session.waiting:
            dialogue = session.dialogues[-1]
            left = missing_calls(dialogue, golds[len(session.dialogues) - 1])
            for calls in spread(left, dialogue.rules.max_turns - dialogue.written):
                yield written(dialogue, calls)
                if dialogue.decided:
                    break

    return script


def say(rollout: Rollout, text: str) -> bool:
    """Write a message into a rollout; False, and nothing is written, if the model's context has no room for it."""
    tokenizer = rollout.model.tokenizer
    rollout.prepare()
    ids = np.array([*tokenizer.encode(text), tokenizer.end], dtype=np.int64)
    if len(ids) > rollout.room:
        return False
    rollout.hear(Generation(ids, np.zeros(len(ids)), stopped=True))
    return True


def play_script(rollout: Rollout, script: Script) -> None:
    """Let a script write a rollout's messages, to the end or until the model's context is full."""
    for text in script(rollout.session):
        if not say(rollout, text):
            return


def resume(task: Task, member: Trajectory, turns: int, model: LanguageModel, stream: np.random.Generator) -> Rollout:
    """Return a rollout that stands where another one stood before one of its turns.

    Args:
        task: what was played.
        member: the rollout to go back to.
        turns: how many of its turns are repeated.
        model: who goes on.
        stream: the chance of what follows.

    Raises:
        ValueError: what came back is not what the rollout has read, as where others than agents played.
    """
    rollout = Rollout.of_task(task, model, stream)
    for turn in member.turns[:turns]:
        rollout.prepare()
        span = slice(turn.start, turn.end)
        stopped = bool(member.ids[turn.end - 1] in model.tokenizer.ends)
        rollout.hear(Generation(member.ids[span], member.logp_old[span], stopped))
    rollout.prepare()
    read = member.context(turns)
    if not np.array_equal(rollout.context[: len(read)], read):
        raise ValueError(f"{task.uid}: repeating {turns} turns did not bring back what the rollout had read")
    return rollout
