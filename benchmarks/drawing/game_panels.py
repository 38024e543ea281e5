"""The four panels of a game's figure, each a drawing of its own."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from coopgym.benchmarks.drawing.panel import (
    Panel,
    mark_equilibrium,
    mark_legend,
    mark_optimum,
    panel_of,
    payoff_unit,
    seat_names,
    set_legend,
    square,
)
from coopgym.benchmarks.drawing.theme import INK, LINES, MODE_COLOURS, MODE_DASHES, MUTED, mode_colour
from coopgym.games.game import AnyGame
from coopgym.mechanisms.trust import mean_over_pairs
from coopgym.oracles.games.basins import Basins
from coopgym.oracles.games.commitment import Commitment, ResponseCurve
from coopgym.oracles.games.dilemma import Schelling
from coopgym.oracles.games.equilibrium import Equilibria
from coopgym.oracles.games.optimum import Optimum
from coopgym.oracles.games.phase_portrait import PhasePortrait, Reactions
from coopgym.oracles.games.rollout import initial_state
from coopgym.typing import FloatArray

SEAT_DASHES: tuple[tuple[float, tuple[float, ...]], ...] = (
    (0, ()),
    (0, (5, 1.5)),
    (0, (1.5, 1.5)),
    (0, (6, 1.5, 1.5, 1.5)),
)
"""Kinds of seats, where a game has several."""
SAME_CURVE = 2e-3
"""Curves closer than this, in shares, are drawn once."""
ONE_BASIN = 0.05
"""Spread of final trust up to which trust ends at one place."""


def reaction_panel(
    game: AnyGame, reactions: Reactions, equilibria: Mapping[str, Equilibria], optimum: Optimum
) -> Panel:
    """Draw best responses of each kind of seat, at reset and at full trust.

    Two different seats span the plane, as in a duopoly; otherwise own share stands over the share of the others,
    which in equilibria of unequal seats is a mean, so that their marks may lie beside the curves.

    Args:
        game: whose seats answer.
        reactions: the curves, by reward.
        equilibria: marked on them, by reward, at reset.
        optimum: marked beside them.
    """
    crossed = game.n_agents == 2 and len(reactions.groups) == 2
    names = seat_names(game.spec, reactions.groups)
    with panel_of(game, "Reaction curves") as (panel, axes):
        axes.plot([0, 100], [0, 100], color=LINES, linewidth=1.0, zorder=0.5)
        moving = [reward for reward in reactions.at_reset if _draw_reactions(axes, reactions, reward, crossed)]
        places = _crossed_places if crossed else _response_places
        mark_optimum(axes, *places(optimum.profile, reactions))
        for reward, found in equilibria.items():
            for equilibrium in found.found:
                at = places(equilibrium.profile, reactions)
                mark_equilibrium(axes, *at, mode_colour(reward), equilibrium.stable is not False)
        square(axes)
        axes.set_xlabel(f"{names[0]} plays, % of endowment" if crossed else "others play, % of endowment")
        axes.set_ylabel(f"{names[1]} plays, %" if crossed else "best response, % of endowment")
        handles = [Line2D([], [], color=mode_colour(reward), label=reward) for reward in reactions.at_reset]
        if len(names) > 1:
            handles += [
                Line2D([], [], color=MUTED, linestyle=dash, linewidth=1.4, label=f"{name} answers")
                for name, dash in zip(names, cycle(SEAT_DASHES), strict=False)
            ]
        if moving:
            handles.append(Line2D([], [], color=MUTED, label="at full trust", **_FAINT))
        set_legend(panel, [*handles, *mark_legend(panel, axes)])
        return panel


_STRONG: dict[str, Any] = {"linewidth": 1.9}
_FAINT: dict[str, Any] = {"linewidth": 1.2, "alpha": 0.5}


def _draw_reactions(axes: Axes, reactions: Reactions, reward: str, crossed: bool) -> bool:
    """Draw curves at reset strong and, where they differ, those at full trust faint; return whether they differ."""
    now, later = reactions.at_reset[reward], reactions.trusting[reward]
    moved = bool(np.abs(later - now).max() > SAME_CURVE)
    for curves, style in [(now, _STRONG), (later, _FAINT)][: 1 + moved]:
        for number, (curve, dash) in enumerate(zip(curves, cycle(SEAT_DASHES), strict=False)):
            x, y = (curve, reactions.others) if crossed and number == 0 else (reactions.others, curve)
            axes.plot(100 * x, 100 * y, color=mode_colour(reward), linestyle=dash, **style)
    return moved


def _crossed_places(profile: FloatArray, reactions: Reactions) -> tuple[FloatArray, FloatArray]:
    return 100 * profile[:1], 100 * profile[1:]


def _response_places(profile: FloatArray, reactions: Reactions) -> tuple[FloatArray, FloatArray]:
    """One place per kind of seat: the mean share of its others, and its own."""
    own = profile[[group[0] for group in reactions.groups]]
    return 100 * (profile.sum() - own) / max(1, len(profile) - 1), 100 * own


def phase_panel(game: AnyGame, phase: PhasePortrait) -> Panel:
    """Draw where best responses move cooperation and where conduct moves trust, and where that ends."""
    blue = MODE_COLOURS["integrated"]
    with panel_of(game, "Cooperation and trust") as (panel, axes):
        handles: list[Line2D | Patch] = [_draw_basins(axes, phase)]
        _draw_motion(axes, phase)
        for branch in phase.mean_equilibria:
            axes.plot(100 * branch, 100 * phase.ladder, color=blue, linewidth=2.0)
        axes.plot(100 * phase.standstill, 100 * phase.ladder, color=INK, linestyle=(0, (4, 2)), linewidth=1.3)
        start = 100 * float(mean_over_pairs(initial_state(game).trust))
        axes.plot(0, start, ">", color=INK, markersize=7, clip_on=False, zorder=5)
        square(axes)
        axes.set_xlabel("everybody plays, % of endowment")
        axes.set_ylabel("mutual trust, %")
        handles += [
            Line2D([], [], color=blue, label="stage equilibrium, integrated"),
            Line2D([], [], color=INK, linestyle=(0, (4, 2)), linewidth=1.3, label="trust stands still"),
            Line2D([], [], color=INK, marker=">", linestyle="", label="trust at reset"),
        ]
        set_legend(panel, handles)
        return panel


def _draw_motion(axes: Axes, phase: PhasePortrait) -> None:
    """Draw arrows inside the plane, each direction on its own scale; the length grows with the root of the speed."""
    inside = slice(1, -1)
    along, up = (_unit(change)[inside, inside] for change in (phase.towards, phase.trust_change))
    root = np.sqrt(np.maximum(np.hypot(along, up), 1e-12))
    axes.quiver(
        100 * phase.cooperation[inside],
        100 * phase.trust[inside],
        along / root,
        up / root,
        color=MUTED,
        alpha=0.6,
        pivot="mid",
        scale=15,
        width=0.0045,
        headwidth=4,
    )


def _unit(change: FloatArray) -> FloatArray:
    return change / max(float(np.abs(change).max()), 1e-12)


def _draw_basins(axes: Axes, phase: PhasePortrait) -> Patch:
    """Shade the starts from which trust ends high; return what the legend says of it."""
    final = phase.final_trust
    if final is None:
        return Patch(facecolor="none", label="no stage equilibrium found")
    low, high = float(final.min()), float(final.max())
    if high - low < ONE_BASIN:
        return Patch(facecolor="none", label=f"trust ends at {100 * high:.0f} % from everywhere")
    green = MODE_COLOURS["cooperative"]
    middle = 0.5 * (low + high)
    axes.contourf(100 * phase.starts, 100 * phase.starts, final, levels=[middle, 2.0], colors=[green], alpha=0.16)
    return Patch(facecolor=green, alpha=0.2, label=f"trust ends above {100 * middle:.0f} %")


def schelling_panel(game: AnyGame, schelling: Schelling) -> Panel:
    """Draw what a seat earns by joining or not joining k cooperators."""
    others = np.arange(len(schelling.cooperate))
    mark = "o" if len(others) <= 12 else ""
    with panel_of(game, "Schelling diagram") as (panel, axes):
        lines = (
            (schelling.defect, "private", "chooser plays the private equilibrium, like the rest"),
            (schelling.cooperate, "cooperative", "chooser plays the optimum"),
        )
        for values, mode, label in lines:
            axes.plot(others, values, color=MODE_COLOURS[mode], marker=mark, markersize=4.5, label=label)
        axes.set_xlabel("number of others who play the optimum")
        axes.set_ylabel(f"payoff of the chooser, {payoff_unit(game.spec)}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(0.06)
        set_legend(panel, axes.get_lines(), columns=1)
        return panel


def commitment_panel(game: AnyGame, commitment: Commitment) -> Panel:
    """Draw what seats get that all play the same share for a whole episode, in the three reward modes."""
    with panel_of(game, "One share for a whole episode") as (panel, axes):
        for mode, curve in commitment.curves.items():
            axes.plot(
                100 * curve.levels, curve.rewards, color=mode_colour(mode), linestyle=MODE_DASHES[mode], label=mode
            )
        optimum = commitment.optimum
        mark_optimum(axes, 100 * optimum.profile.mean(), optimum.welfare)
        for mode, basins in commitment.basins.items():
            _mark_basins(axes, basins, commitment.curves[mode], mode_colour(mode))
        axes.set_xlim(-2, 102)
        axes.set_xlabel("everybody plays, % of endowment")
        axes.set_ylabel(f"mean reward per step, {payoff_unit(game.spec)}")
        handles = [*axes.get_lines()[: len(commitment.curves)], *mark_legend(panel, axes)]
        if any(basins.boundaries for basins in commitment.basins.values()):
            handles.append(Line2D([], [], color=MUTED, label="basins meet", **_BOUNDARY))
        if any(basins.continua for basins in commitment.basins.values()):
            handles.append(Line2D([], [], color=MUTED, label="many equilibria", **_CONTINUUM))
        set_legend(panel, handles)
        return panel


_BOUNDARY: dict[str, Any] = {"linewidth": 1.2, "linestyle": (0, (1, 2))}
_CONTINUUM: dict[str, Any] = {"linewidth": 6.0, "alpha": 0.4, "solid_capstyle": "round"}


def _mark_basins(axes: Axes, basins: Basins, curve: ResponseCurve, colour: str) -> None:
    for rest in basins.equilibria:
        mark_equilibrium(axes, 100 * rest.profiles.mean(), float(rest.rewards[0]), colour, rest.stability != "unstable")
    for rest in basins.continua:
        along = np.linspace(rest.profiles[0].mean(), rest.profiles[-1].mean(), len(curve.levels))
        axes.plot(100 * along, np.interp(along, curve.levels, curve.rewards), color=colour, **_CONTINUUM)
    for boundary in basins.boundaries:
        axes.axvline(100 * boundary.share, color=colour, zorder=0.5, **_BOUNDARY)
