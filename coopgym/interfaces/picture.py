"""Pictures of a running episode: who trusts whom, how much is given, what is paid.

What stays the same in an episode is drawn once and kept as a background, so that a frame takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.typing import FloatArray, Frame

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""One per agent, told apart by colour-blind readers (Okabe & Ito)."""
NODE = 0.24
"""Radius of an agent in a network of radius one, with the gap around it."""
SPREAD = 0.07
"""Distance of an arrow from the line between two agents, so that both directions show."""
GROWTH = 0.25
"""Part of its length by which the axis of payoffs grows where payoffs leave it."""


class Panel(Protocol):
    """A part of the picture that changes from frame to frame."""

    @property
    def artists(self) -> Sequence[Any]:
        """What is drawn on every frame."""

    def show(self, values: FloatArray) -> None:
        """Bring the artists up to date."""


class Network:
    """Arrows between agents, as strong as the trust ``(N, N)`` of the one at the tail in the one at the head."""

    def __init__(self, axes: Axes, n_agents: int) -> None:
        angles = np.pi / 2 - 2 * np.pi * np.arange(n_agents) / n_agents
        places = np.column_stack([np.cos(angles), np.sin(angles)])
        self._tails, self._heads = np.nonzero(~np.eye(n_agents, dtype=bool))
        way = places[self._heads] - places[self._tails]
        direction = way / np.linalg.norm(way, axis=1, keepdims=True)
        aside = SPREAD * np.column_stack([-direction[:, 1], direction[:, 0]])
        start = places[self._tails] + NODE * direction + aside
        self._colours = np.array([to_rgb(COLOURS[tail]) for tail in self._tails])
        arrows = axes.quiver(
            *start.T,
            *(way - 2 * NODE * direction).T,
            angles="xy",
            scale_units="xy",
            scale=1.0,
            width=0.012,
            animated=True,
        )
        self.artists: list[Any] = [arrows]
        axes.scatter(places[:, 0], places[:, 1], s=480, c=COLOURS[:n_agents], zorder=3)
        for i, place in enumerate(places):
            axes.text(place[0], place[1], str(i), ha="center", va="center", color="white", fontsize=9, zorder=4)
        axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", title="trust of the arrow's tail in its head")
        axes.axis("off")

    def show(self, values: FloatArray) -> None:
        strength = 0.08 + 0.92 * values[self._tails, self._heads]
        self.artists[0].set_facecolor(np.column_stack([self._colours, strength]))


class Matrix:
    """Trust ``(N, N)`` of the agent of a row in the agent of a column."""

    def __init__(self, axes: Axes, n_agents: int) -> None:
        self._own = np.eye(n_agents, dtype=bool)
        image = axes.imshow(
            np.zeros((n_agents, n_agents)), vmin=0.0, vmax=1.0, cmap="cividis", interpolation="nearest", animated=True
        )
        axes.figure.colorbar(image, ax=axes, shrink=0.75).ax.tick_params(labelsize=8)
        axes.set(xlabel="in agent", ylabel="trust of agent", title="trust")
        self.artists: list[Any] = [image]

    def show(self, values: FloatArray) -> None:
        self.artists[0].set_data(np.where(self._own, np.nan, values))


class Lines:
    """The course ``(steps, N)`` of a quantity, a line for every agent."""

    def __init__(self, axes: Axes, roles: Sequence[str]) -> None:
        self.artists: list[Any] = [
            axes.plot([], [], linewidth=1.3, color=COLOURS[i], label=f"{i} {role}", animated=True)[0]
            for i, role in enumerate(roles)
        ]

    def show(self, values: FloatArray) -> None:
        steps = np.arange(len(values))
        for line, course in zip(self.artists, values.T, strict=True):
            line.set_data(steps, course)


class Bands:
    """The course ``(steps, N)`` of a quantity: its mean, and where half of the agents and all of them are."""

    RANGES = ((0, 100, 0.15), (25, 75, 0.35))

    def __init__(self, axes: Axes) -> None:
        self._bands = [
            PolyCollection([], facecolor=COLOURS[0], alpha=alpha, linewidth=0, animated=True)
            for _, _, alpha in self.RANGES
        ]
        for band in self._bands:
            axes.add_collection(band, autolim=False)
        label = "mean; bands: half of the agents, all"
        self._mean = axes.plot([], [], linewidth=1.6, color=COLOURS[0], label=label, animated=True)[0]
        self.artists: list[Any] = [*self._bands, self._mean]

    def show(self, values: FloatArray) -> None:
        steps = np.arange(len(values))
        for band, (low, high, _) in zip(self._bands, self.RANGES, strict=True):
            least, greatest = np.percentile(values, (low, high), axis=1)
            around = np.column_stack([np.append(steps, steps[::-1]), np.append(least, greatest[::-1])])
            band.set_verts([around])
        self._mean.set_data(steps, values.mean(axis=1))


class Picture:
    """Frames of the episodes of one game, which show its agents one by one or as a crowd."""

    def __init__(self, game: AnyGame, one_by_one: bool) -> None:
        self.game = game
        self.one_by_one = one_by_one
        self._board: Board | None = None
        self._usual = self._usual_payoffs()

    def _usual_payoffs(self) -> tuple[float, float]:
        """Least (at most 0) and greatest payoffs at reset when all give nothing, all their norm, or all they have."""
        game = self.game
        state = game.initial_state((), None, np.zeros(game.reset_uniforms), np.zeros(game.reset_normals))
        levels = (np.zeros(game.n_agents), game.spec.baselines, game.spec.endowments)
        payoffs = [game.stage(state, level).payoffs for level in levels]
        low, high = min(0.0, float(np.min(payoffs))), float(np.max(payoffs))
        return low, max(high, low + 1e-6)

    def draw(self, state: State, cooperation: FloatArray, payoffs: FloatArray) -> Frame:
        """Draw a state and what led to it.

        Args:
            state: the state now.
            cooperation: ``(steps, N)`` shares of endowment so far.
            payoffs: ``(steps, N)`` payoffs so far; the first, before anything was played, is not shown.

        Returns:
            ``(height, width, 3)`` pixels.
        """
        limits = self._limits(payoffs)
        if self._board is None or self._board.limits != limits:
            self._board = Board(self.game, self.one_by_one, limits)
        played = np.arange(len(payoffs))[:, None] > 0
        return self._board.draw(state, cooperation, np.where(played, payoffs, np.nan))

    def _limits(self, payoffs: FloatArray) -> tuple[float, float]:
        """Ends of the axis of payoffs: the usual ones, or as many steps further as it takes to show all."""
        low, high = self._usual
        step = GROWTH * (high - low)
        low -= step * max(0.0, np.ceil((low - payoffs.min()) / step))
        high += step * max(0.0, np.ceil((payoffs.max() - high) / step))
        return float(low), float(high)


class Board:
    """The panels of a game, on a background that is drawn once.

    Attributes:
        one_by_one: whether agents are shown one by one, not as a crowd.
        limits: ends of the axis of payoffs.
    """

    def __init__(self, game: AnyGame, one_by_one: bool, limits: tuple[float, float]) -> None:
        self.game = game
        self.one_by_one = one_by_one
        self.limits = limits
        figure = Figure(figsize=(9.6, 3.6), dpi=100, layout="constrained")
        self._canvas = FigureCanvasAgg(figure)
        relations, given, paid = figure.subplots(1, 3, width_ratios=(1.0, 1.1, 1.1))
        trust: Panel = Network(relations, game.n_agents) if one_by_one else Matrix(relations, game.n_agents)
        self._panels: tuple[Panel, ...] = (trust, self._course(given), self._course(paid))
        norm = float((game.spec.baselines / game.spec.endowments).mean())
        given.axhline(norm, color="black", linewidth=0.8, linestyle=":")
        given.set(ylim=(-0.02, 1.02), ylabel="share of the endowment", title="cooperation (dotted: norm)")
        paid.set(ylim=limits, ylabel="payoff of a step", title="payoffs")
        for axes in (relations, given, paid):
            axes.title.set_fontsize(9)
            axes.xaxis.label.set_fontsize(8)
            axes.yaxis.label.set_fontsize(8)
            axes.tick_params(labelsize=8)
        handles, labels = given.get_legend_handles_labels()
        figure.legend(handles, labels, fontsize=7, loc="outside lower center", ncols=len(labels), frameon=False)
        self._title = figure.suptitle(" ", fontsize=11, animated=True)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(figure.bbox)

    def _course(self, axes: Axes) -> Panel:
        axes.set(xlim=(0, self.game.spec.horizon), xlabel="step")
        return Lines(axes, self.game.spec.roles) if self.one_by_one else Bands(axes)

    def draw(self, state: State, *courses: FloatArray) -> Frame:
        """Draw a state and courses ``(steps, N)`` of cooperation and payoffs."""
        self._canvas.restore_region(self._background)
        self._title.set_text(f"{self.game.id}   step {int(state.t)} of {self.game.spec.horizon}")
        self._canvas.figure.draw_artist(self._title)
        for panel, values in zip(self._panels, (np.asarray(state.trust), *courses), strict=True):
            panel.show(values)
            for artist in panel.artists:
                artist.axes.draw_artist(artist)
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()
