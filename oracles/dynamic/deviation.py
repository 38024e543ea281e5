"""How much one seat can gain by deviating, all episode long, from what everybody plays.

The others are frozen: agents of any kind that go on acting on what they see. The gain is a lower bound on that of the
best response, because it comes from a deviation that was found and played.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.games.game import AnyGame, checked_view
from coopgym.games.spec import View
from coopgym.oracles.dynamic.deviation_search import CONSTANTS, EFFORTS, DeviationKind, DeviationSearch, EffortName
from coopgym.oracles.dynamic.unilateral_play import Agents, Responses, UnilateralPlay
from coopgym.rewards import RewardLayer, objective
from coopgym.typing import FloatArray

FRESH_EPISODES = 64
"""Episodes on which deviations are compared, and again on which the chosen one is judged, where anything is random."""
ROUNDING = 1e-9
"""Relative differences between returns that mean nothing."""


@dataclass(frozen=True, eq=False)
class Deviation:
    """The best unilateral deviation of a seat that a search found."""

    seat: int
    gain: float
    """Return above `baseline`, at least 0; a mean over fresh episodes where anything is random."""
    baseline: float
    """Return of the seat's own agent."""
    kind: DeviationKind
    """``none`` (nothing beats the own agent), ``constant``, ``plan`` (open-loop) or ``feedback``."""
    response: Responses
    """What the seat plays instead, a single response."""
    shares: FloatArray
    """``(T,)`` shares of endowment it then plays, means over episodes; shorter where all episodes end early."""
    evaluations: int
    """Episodes played in the search."""
    random: bool
    """Whether returns differ between episodes."""
    standard_error: float | None
    """Of the gain; None where nothing is random."""


def best_deviation(
    game: AnyGame,
    agents: Agents,
    seat: int,
    reward: str | RewardLayer = "private",
    *,
    view: View | None = None,
    episodes: int | None = None,
    seed: int = 0,
    effort: EffortName = "full",
    together: tuple[int, ...] = (),
    paired: bool = False,
) -> Deviation:
    """Search the best dynamic response of one seat to frozen agents in all others.

    Tried in turn: 101 constants; piecewise linear plans by the cross-entropy method; ascent on the whole plan;
    stretches of steps at fixed levels; and, where anything is random, feedback on what the seat sees, around the best
    plan and around its own agent. Without chance a plan can do whatever feedback can. The result is the same for the
    same seed.

    Args:
        game: on the NumPy backend.
        agents: makes one fresh agent per seat, each time it is called.
        seat: who deviates.
        reward: what the seat wants, and the mode that agents are told.
        view: what the seats see; None is the game's default view.
        episodes: episodes per candidate where anything is random, None for what the effort says; one is played
            otherwise.
        seed: of resets, agents and the search.
        effort: ``"quick"`` or ``"full"``.
        together: further seats, exchangeable with this one, that deviate in the same way; gains are means over all.
        paired: let agents that draw draw alike for every candidate, which makes small differences between candidates
            mean something; more is searched then, and what is found fits the draws of the search better than others.

    Raises:
        ValueError: an unknown seat, reward, view or effort, agents that are not one per seat, or actions that are not
            playable.

    >>> from coopgym.agents import make_agent
    >>> game = coopgym.make_game("TrustDilemma-v1", max_steps=5)
    >>> found = best_deviation(game, lambda: [make_agent("TitForTat"), make_agent("TitForTat")], 0, effort="quick")
    >>> found.kind, round(found.gain, 2), bool(found.shares[-1] < found.shares[0])  # a last free ride
    ('plan', 0.21, True)
    """
    if effort not in EFFORTS:
        raise ValueError(f"effort={effort!r}: expected one of {', '.join(EFFORTS)}")
    if episodes is not None and episodes < 1:
        raise ValueError(f"episodes={episodes!r}: expected a whole number of at least 1")
    layer, seen = objective(reward), checked_view(game, view)
    layer.check(game)

    def unilateral(count: int, root: int) -> UnilateralPlay:
        return UnilateralPlay(game, agents, seat, layer, seen, count, root, together=together, paired=paired)

    probe, another = unilateral(1, seed), unilateral(1, seed)
    another.reseed_agents(seed + 1)
    agents_draw = _copies_differ(probe, another)
    random = agents_draw or game.stochastic
    count = (episodes or EFFORTS[effort].episodes) if random else 1
    search = DeviationSearch(unilateral(count, seed), EFFORTS[effort], np.random.default_rng(seed))
    search.constants()
    search.plans(exact=paired or not agents_draw)
    if random:
        search.feedback()
    comparing, judging = (int(root) for root in np.random.SeedSequence(seed).generate_state(2) >> 1)
    fresh = FRESH_EPISODES if random else 2
    comparison, judgement = unilateral(fresh, comparing), unilateral(fresh, judging)
    kind = _choose(comparison, search.found)
    evaluations = probe.played + another.played + search.play.played + comparison.played
    return _judged(judgement, kind, search.found[kind], evaluations, agents_draw)


def replayed(
    game: AnyGame, agents: Agents, seat: int, reward: str | RewardLayer, view: View | None, model: Deviation
) -> Deviation:
    """Play another seat's deviation in ``seat``; for games and agents without chance.

    Raises:
        ValueError: as `best_deviation`.
    """
    play = UnilateralPlay(game, agents, seat, objective(reward), checked_view(game, view), episodes=1)
    return _judged(play, model.kind, model.response, 0)


def _copies_differ(play: UnilateralPlay, reseeded: UnilateralPlay) -> bool:
    """Whether the same play earns something else twice in one batch or with other seeds: then agents draw at random."""
    twice = np.stack([_probed(play), _probed(reseeded)])
    return not np.allclose(twice, twice[0, :, :1], rtol=ROUNDING, atol=0.0)


def _probed(play: UnilateralPlay) -> FloatArray:
    """Returns ``(P, 2)`` of the own agent and of some constants, each played twice."""
    held = play.returns(play.plans(np.repeat(CONSTANTS[::10], 2)[:, None]))
    return np.concatenate([play.returns(play.own_play(2)), held]).reshape(-1, 2)


def _choose(play: UnilateralPlay, found: dict[DeviationKind, Responses]) -> DeviationKind:
    """Return the kind that gains most over the own agent, the simplest where they tie.

    A gain within one standard error of none does not count, so that noise is not taken for a deviation.
    """
    best: DeviationKind = "none"
    own = play.returns(found["none"])[0]
    least = ROUNDING * max(1.0, float(np.abs(own).mean()))
    for kind, response in found.items():
        differences = play.returns(response)[0] - own
        if differences.mean() > least and differences.mean() > _standard_error(differences):
            best, least = kind, differences.mean() + ROUNDING * abs(float(own.mean()))
    return best


def _judged(
    play: UnilateralPlay, kind: DeviationKind, response: Responses, evaluations: int, agents_draw: bool = False
) -> Deviation:
    """Play the chosen response and the own agent in episodes that no choice has seen.

    Agents that draw once for all episodes leave no spread between these, and so no standard error.
    """
    own, chosen = play.record(play.own_play()), play.record(response)
    differences = (chosen.returns - own.returns)[0]
    both = np.concatenate([own.returns, chosen.returns])
    spread = not np.allclose(both, both[:, :1], rtol=ROUNDING, atol=0.0)
    gain = float(differences.mean())
    return Deviation(
        seat=play.seat,
        gain=max(0.0, gain) if kind != "none" else 0.0,
        baseline=float(own.returns.mean()),
        kind=kind,
        response=response,
        shares=chosen.shares[:, 0].mean(axis=1),
        evaluations=evaluations + play.played,
        random=agents_draw or spread,
        standard_error=_standard_error(differences) if spread else None,
    )


def _standard_error(differences: FloatArray) -> float:
    """Standard error of the mean of ``(E,)`` differences; E is at least 2."""
    return float(differences.std(ddof=1) / np.sqrt(len(differences)))
