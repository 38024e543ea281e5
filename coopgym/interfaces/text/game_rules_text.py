"""Rules of games and situations in words, as people and language models read them."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

from coopgym.agents.base import Seat
from coopgym.backend import NUMPY
from coopgym.games.game import AnyGame
from coopgym.games.page import page_of
from coopgym.games.parameters import Parameters
from coopgym.games.spec import GameSpec
from coopgym.rewards import RewardMode
from coopgym.typing import FloatArray

FEW_PARTNERS = 6
"""Up to here partners are listed one by one."""

OWN = (("payoff_share", "payoff_share {:.2f}"), ("cost_factor", "cost_factor {:.2f}"))
"""What a world shows a seat of itself, under the names that `coopgym.games.game.Game.circumstances` explains."""

REWARDS = {
    "private": "your own payoff",
    "integrated": "your own payoff, the others' payoffs weighted by how far you trust and depend on them, and whatever "
    "the rules say the integrated reward adds",
    "cooperative": "the mean of what everybody earns, the same for all",
}


def describe(seat: Seat, observation: FloatArray) -> list[str]:
    """Put what a seat sees into words: what a world shows it of itself, and one line per partner or one for many."""
    partners = [name for j, name in enumerate(seat.game.agents) if j != seat.index]
    facts: dict[str, FloatArray] = {}
    if "partner_actions" in seat.columns:
        facts["last put in {:.0%} of its endowment"] = seat.partners_cooperation(observation[None])[0]
    for block, words in (
        ("trust", "you trust it {:.2f}"),
        ("trust_received", "it trusts you {:.2f}"),
        ("damage", "its reputation with you is damaged {:.2f}"),
    ):
        if len(seat.columns.get(block, ())) == len(partners):
            facts[words] = observation[seat.columns[block]]
    own = [words.format(float(observation[seat.columns[block][0]])) for block, words in OWN if block in seat.columns]
    if len(partners) <= FEW_PARTNERS:
        return own + [
            f"{name}: " + ", ".join(words.format(values[j]) for words, values in facts.items())
            for j, name in enumerate(partners)
        ]
    means = ", ".join(words.format(values.mean()) for words, values in facts.items())
    return [*own, f"the {len(partners)} others on average: {means}"]


def introduce(spec: GameSpec, seat: int) -> list[str]:
    """Say what is played and from which seat."""
    name, role = spec.agents[seat], spec.roles[seat]
    who = name if role == name else f"{name} ({role})"
    return [
        f"{spec.id}: {spec.summary}",
        f"You are {who} with an endowment of {spec.endowments[seat]:g} per round.",
    ]


def company(spec: GameSpec) -> str:
    """Say how many others there are."""
    return "one partner" if spec.n_agents == 2 else f"{spec.n_agents - 1} partners"


def reward_in_words(mode: RewardMode) -> str:
    """Say what a reward mode rewards."""
    return REWARDS.get(mode.name, f"{mode.name} ({mode.summary})" if mode.summary else mode.name)


@lru_cache(maxsize=128)
def rules(game: type[AnyGame], parameters: Parameters) -> str:
    """Return the rules of a game from its page, and its parameters where they differ from those the page speaks of."""
    usual = game.configure()
    stated = page_of(usual).as_prompt(usual)
    defaults = dataclasses.asdict(usual.parameters)
    changed = {name: value for name, value in dataclasses.asdict(parameters).items() if value != defaults[name]}
    if not changed:
        return stated
    settings = ", ".join(f"{name} = {value}" for name, value in changed.items())
    added = game.made(parameters, NUMPY).circumstances()
    return "\n".join((stated, f"Different from the above in this game: {settings}.", *added))
