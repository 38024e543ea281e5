"""Pictures of a running episode: text for the terminal, pixels for videos."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State

RENDER_MODES = ("ansi", "human", "rgb_array")
FRAMES_PER_SECOND = 4
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
        spec = self.game.spec
        cooperation = self._history[-1]
        trust = np.asarray(state.trust)
        damage = np.asarray(state.damage)
        width = max(len(role) for role in spec.roles)
        lines = [f"{spec.id}  step {int(state.t)}/{spec.horizon}", f"{'':{width}}  cooperation    trust in others"]
        for i, role in enumerate(spec.roles):
            bar = "█" * round(10 * cooperation[i])
            row = " ".join(f"{trust[i, j]:.2f}" if j != i else "  · " for j in range(spec.n_agents))
            lines.append(f"{role:{width}}  {bar:░<10} {cooperation[i]:4.0%}  {row}")
        others = ~np.eye(spec.n_agents, dtype=bool)
        if spec.n_agents > 1:
            lines.append(f"mean trust {trust[others].mean():.3f}, mean reputation damage {damage[others].mean():.3f}")
        return "\n".join(lines)

    def _image(self, state: State) -> Frame:
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError(
                "render_mode='rgb_array' needs matplotlib; install it with: pip install 'coopgym[render]'"
            ) from error
        figure = Figure(figsize=(7.2, 3.6), dpi=100, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        network, course = figure.subplots(1, 2, width_ratios=(1.0, 1.3))
        self._draw_network(network, np.asarray(state.trust))
        self._draw_course(course)
        figure.suptitle(f"{self.game.id}   step {int(state.t)} of {self.game.spec.horizon}", fontsize=11)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    def _draw_network(self, axes: Any, trust: npt.NDArray[np.float64]) -> None:
        spec, cooperation = self.game.spec, self._history[-1]
        angles = np.pi / 2 - 2 * np.pi * np.arange(spec.n_agents) / spec.n_agents
        places = np.column_stack([np.cos(angles), np.sin(angles)])
        for i, j in zip(*np.nonzero(~np.eye(spec.n_agents, dtype=bool)), strict=True):
            # Each direction of a pair bends to its own side, so that mistrust on one side shows.
            axes.annotate(
                "",
                xy=places[j],
                xytext=places[i],
                arrowprops={
                    "arrowstyle": "->",
                    "connectionstyle": "arc3,rad=0.18",
                    "alpha": float(0.05 + 0.95 * trust[i, j]),
                    "linewidth": 0.4 + 2.0 * float(trust[i, j]) / max(1.0, spec.n_agents / 6),
                    "color": "#0072B2",
                    "shrinkA": 14,
                    "shrinkB": 14,
                },
            )
        size = 700 / max(1.0, spec.n_agents / 4)
        axes.scatter(*places.T, s=size, c=cooperation, cmap="cividis", vmin=0, vmax=1, zorder=3)
        for i, place in enumerate(places):
            axes.text(*place, str(i), ha="center", va="center", color="white", fontsize=8, zorder=4)
        axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal", title="trust (arrows), cooperation (colour)")
        axes.axis("off")

    def _draw_course(self, axes: Any) -> None:
        course = np.stack(self._history)
        axes.plot(course, linewidth=1.2)
        axes.set(
            xlim=(0, self.game.spec.horizon),
            ylim=(-0.02, 1.02),
            xlabel="step",
            title="cooperation, share of endowment",
        )
