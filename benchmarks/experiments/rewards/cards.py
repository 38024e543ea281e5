"""What reward transforms declare, beside how far they are measured to lead from the mode that they transform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coopgym.benchmarks.experiments.rewards.comparison import Coverage, compare
from coopgym.benchmarks.score.estimates import Estimate
from coopgym.extras import MissingExtraError
from coopgym.games.registry import make_game
from coopgym.rewards import Rewards, RewardTransform, reward_layer, transform_class, transform_kinds

REFERENCE = "TrustDilemma-v1"
"""The game that distances are measured in."""
ALONE, TOGETHER = "private", "integrated"
"""Modes that transforms are measured on: those that may stand under private reward, and others."""
COVERAGE = Coverage(episodes=64)
FLAGS = ("potential_based", "causal", "bounded_sum", "per_agent", "learned")


@dataclass(frozen=True)
class TransformCard:
    """A transform at a glance.

    Attributes:
        text: how it is written.
        flags: what it declares, by name.
        mode: what it was measured on.
        distance: STARC distance from that mode, of the seat where it is largest; None where there is none to measure.
        note: why there is none.
    """

    text: str
    flags: dict[str, bool]
    mode: str = ""
    distance: Estimate | None = None
    note: str = ""


def transform_cards(coverage: Coverage = COVERAGE) -> Iterator[TransformCard]:
    """Yield the cards of all transforms that texts can ask for, measured in the reference game."""
    for kind in transform_kinds():
        try:
            transform = transform_class(kind)
        except MissingExtraError as error:
            yield TransformCard(kind, {}, note=f"not loaded: {error}")
            continue
        examples = transform.examples()
        if not examples:
            yield TransformCard(transform.usage(), {}, note="depends on its settings")
        for example in examples:
            yield _card(example, coverage)


def _card(transform: RewardTransform, coverage: Coverage) -> TransformCard:
    flags = {name: getattr(transform, name) for name in FLAGS}
    if transform.learned:
        return TransformCard(transform.name, flags, note="as learned")
    if not transform.causal:
        return TransformCard(transform.name, flags, note="of whole episodes")
    rewards = _rewards(transform)
    found = compare(make_game(REFERENCE), [rewards.evaluated, rewards], coverage)
    seat = int(found.distance[:, 0, 1].argmax())
    return TransformCard(transform.name, flags, rewards.mode.name, found.between(seat, 0, 1))


def _rewards(transform: RewardTransform) -> Rewards:
    """A mode that it goes with, and the transform."""
    fits = transform.per_agent and transform.needs <= {"observation"}
    return Rewards(reward_layer(ALONE if fits else TOGETHER).mode, (transform,))
