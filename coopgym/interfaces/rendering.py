"""Pictures of a running episode: text for the terminal, pixels for videos."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.extras import missing_extra
from coopgym.games.game import AnyGame
from coopgym.games.state import State

RENDER_MODES = ("ansi", "human", "rgb_array")
FRAMES_PER_SECOND = 4
FEW_AGENTS = 7
"""Up to this number agents are drawn one by one, above it as a crowd."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""One per agent, told apart by colour-blind readers (Okabe & Ito)."""
Frame = npt.NDArray[np.uint8]


class Renderer:
    """Keeps the history of one episode and draws it."""

    def __init__(self, game: AnyGame, mode: str | None) -> None:
        """Prepare for a mode.

        Raises:
            ValueError: an unknown mode.
        """
        if mode is not None and mode not in RENDER_MODES:
            raise ValueError(f"render_mode={mode!r}: expected one of {', '.join(RENDER_MODES)} or None")
        self.game = game
        self.mode = mode
        self._history: list[npt.NDArray[np.float64]] = []

    def restart(self, state: State) -> None:
        """Forget the episode before and note the first state."""
        self._history = []
        self.note(state)

    def note(self, state: State) -> None:
        """Add a state to the history; does nothing without a mode."""
        if self.mode is not None:
            self._history.append(np.asarray(state.last_action) * self.game.action_scale)

    def render(self, state: State) -> str | Frame | None:
        """Draw the state: text for ``ansi``, a printed text for ``human``, an image for ``rgb_array``."""
        if self.mode is None:
            return None
        if self.mode == "rgb_array":
            return self._image(state)
        text = self._text(state)
        if self.mode == "ansi":
            return text
        print(text)
        return None

    def _text(self, state: State) -> str:
        spec, cooperation = self.game.spec, self._history[-1]
        trust, damage = np.asarray(state.trust), np.asarray(state.damage)
        others = ~np.eye(spec.n_agents, dtype=bool)
        few = spec.n_agents <= FEW_AGENTS
        width = max(len(role) for role in spec.roles)
        heading = "trust in others" if few else "mean trust in others, from others"
        lines = [f"{spec.id}  step {int(state.t)}/{spec.horizon}", f"{'':{width}}  cooperation      {heading}"]
        for i, role in enumerate(spec.roles):
            bar = "█" * round(10 * cooperation[i])
            if few:
                row = " ".join(f"{trust[i, j]:.2f}" if others[i, j] else "  · " for j in range(spec.n_agents))
            else:
                row = f"{trust[i, others[i]].mean():.2f} {trust[others[i], i].mean():.2f}"
            lines.append(f"{role:{width}}  {bar:░<10} {cooperation[i]:4.0%}  {row}")
        if spec.n_agents > 1:
            lines.append(f"mean trust {trust[others].mean():.3f}, mean reputation damage {damage[others].mean():.3f}")
        return "\n".join(lines)

    def _image(self, state: State) -> Frame:
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise missing_extra("render_mode='rgb_array'", "matplotlib", "render") from error
        figure = Figure(figsize=(7.2, 3.6), dpi=100, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        relations, course = figure.subplots(1, 2, width_ratios=(1.0, 1.3))
        if self.game.n_agents <= FEW_AGENTS:
            self._draw_network(relations, np.asarray(state.trust))
            self._draw_lines(course)
            course.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False)
        else:
            self._draw_matrix(relations, np.asarray(state.trust))
            self._draw_bands(course)
        course.axhline(float(self._norm.mean()), color="black", linewidth=0.8, linestyle=":")
        course.set(xlim=(0, self.game.spec.horizon), ylim=(-0.02, 1.02), title="cooperation over time (dotted: norm)")
        for axes in (relations, course):
            axes.title.set_fontsize(9)
            axes.tick_params(labelsize=8)
        figure.suptitle(f"{self.game.id}   step {int(state.t)} of {self.game.spec.horizon}", fontsize=11)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    @property
    def _norm(self) -> npt.NDArray[np.float64]:
        return self.game.spec.baselines / self.game.spec.endowments

    def _draw_network(self, axes: Any, trust: npt.NDArray[np.float64]) -> None:
        n_agents = self.game.n_agents
        angles = np.pi / 2 - 2 * np.pi * np.arange(n_agents) / n_agents
        places = np.column_stack([np.cos(angles), np.sin(angles)])
        for i, j in zip(*np.nonzero(~np.eye(n_agents, dtype=bool)), strict=True):
            # Each direction of a pair bends to its own side, so that mistrust on one side shows.
            axes.annotate(
                "",
                xy=places[j],
                xytext=places[i],
                arrowprops={
                    "arrowstyle": "->",
                    "connectionstyle": "arc3,rad=0.15",
                    "alpha": float(0.08 + 0.92 * trust[i, j]),
                    "linewidth": 0.5 + 2.0 * float(trust[i, j]) / max(1.0, n_agents / 3),
                    "color": COLOURS[i],
                    "shrinkA": 14,
                    "shrinkB": 14,
                },
            )
        axes.scatter(*places.T, s=480, c=COLOURS[:n_agents], zorder=3)
        for i, place in enumerate(places):
            axes.text(*place, str(i), ha="center", va="center", color="white", fontsize=9, zorder=4)
        axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", title="trust of the arrow's tail in its head")
        axes.axis("off")

    def _draw_matrix(self, axes: Any, trust: npt.NDArray[np.float64]) -> None:
        shown = np.where(np.eye(len(trust), dtype=bool), np.nan, trust)
        image = axes.imshow(shown, vmin=0.0, vmax=1.0, cmap="cividis")
        axes.figure.colorbar(image, ax=axes, shrink=0.75).ax.tick_params(labelsize=8)
        axes.set(xlabel="in agent", ylabel="trust of agent", title="trust")

    def _draw_lines(self, axes: Any) -> None:
        for i, course in enumerate(np.stack(self._history).T):
            axes.plot(course, linewidth=1.3, color=COLOURS[i], label=f"{i} {self.game.spec.roles[i]}")

    def _draw_bands(self, axes: Any) -> None:
        course = np.stack(self._history)
        steps = np.arange(len(course))
        for low, high, alpha in ((0, 100, 0.15), (25, 75, 0.35)):
            axes.fill_between(steps, *np.percentile(course, (low, high), axis=1), color=COLOURS[0], alpha=alpha, lw=0)
        axes.plot(course.mean(axis=1), linewidth=1.6, color=COLOURS[0], label="mean; bands: half of the agents, all")
        axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.10), frameon=False)
