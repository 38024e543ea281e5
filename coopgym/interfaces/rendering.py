"""Courses of running episodes and how they are shown: text for the terminal, pixels for videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from coopgym.extras import missing_extra
from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.typing import Frame

if TYPE_CHECKING:
    from coopgym.interfaces.picture import Picture

RENDER_MODES = ("ansi", "human", "rgb_array")
FRAMES_PER_SECOND = 4
FEW_AGENTS = 7
"""Up to this number agents are shown one by one, above it as a crowd."""


class Renderer:
    """Keeps the course of one episode and shows it."""

    def __init__(self, game: AnyGame, mode: str | None) -> None:
        """Prepare for a mode.

        Raises:
            ValueError: an unknown mode.
        """
        if mode is not None and mode not in RENDER_MODES:
            raise ValueError(f"render_mode={mode!r}: expected one of {', '.join(RENDER_MODES)} or None")
        self.game = game
        self.mode = mode
        self._cooperation: list[npt.NDArray[np.float64]] = []
        self._payoffs: list[npt.NDArray[np.float64]] = []
        self._picture: Picture | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_picture": None}  # a drawing board travels to no other process; a new one is the same

    def restart(self, state: State) -> None:
        """Forget the episode before and note the first state."""
        self._cooperation, self._payoffs = [], []
        self.note(state, np.zeros(self.game.n_agents))

    def note(self, state: State, payoffs: npt.NDArray[np.float64]) -> None:
        """Add a state and what led to it paid ``(N,)``, and print it in ``human`` mode; does nothing without a mode."""
        if self.mode is None:
            return
        self._cooperation.append(np.asarray(state.last_action) * self.game.action_scale)
        self._payoffs.append(payoffs)
        if self.mode == "human":
            self.render(state)

    def render(self, state: State) -> str | Frame | None:
        """Show the state: text for ``ansi``, a printed text for ``human``, an image for ``rgb_array``."""
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
        spec, cooperation, payoffs = self.game.spec, self._cooperation[-1], self._payoffs[-1]
        trust, damage = np.asarray(state.trust), np.asarray(state.damage)
        others = ~np.eye(spec.n_agents, dtype=bool)
        few = spec.n_agents <= FEW_AGENTS
        width = max(len(role) for role in spec.roles)
        heading = "trust in others" if few else "mean trust in others, from others"
        lines = [
            f"{spec.id}  step {int(state.t)}/{spec.horizon}",
            f"{'':{width}}  {'payoff':>8}  cooperation      {heading}",
        ]
        for i, role in enumerate(spec.roles):
            bar = "█" * round(10 * cooperation[i])
            if few:
                row = " ".join(f"{trust[i, j]:.2f}" if others[i, j] else "  · " for j in range(spec.n_agents))
            else:
                row = f"{trust[i, others[i]].mean():.2f} {trust[others[i], i].mean():.2f}"
            lines.append(f"{role:{width}}  {payoffs[i]:8.2f}  {bar:░<10} {cooperation[i]:4.0%}  {row}")
        if spec.n_agents > 1:
            lines.append(f"mean trust {trust[others].mean():.3f}, mean reputation damage {damage[others].mean():.3f}")
        return "\n".join(lines)

    def _image(self, state: State) -> Frame:
        if self._picture is None:
            try:
                from coopgym.interfaces.picture import Picture
            except ImportError as error:
                raise missing_extra("render_mode='rgb_array'", "matplotlib", "render") from error
            self._picture = Picture(self.game, self.game.n_agents <= FEW_AGENTS)
        return self._picture.draw(state, np.stack(self._cooperation), np.stack(self._payoffs))


class BatchRenderer:
    """One `Renderer` for every row of a batch, and none without a mode."""

    def __init__(self, game: AnyGame, mode: str | None, rows: int) -> None:
        """Prepare for a mode.

        Raises:
            ValueError: an unknown mode.
        """
        renderer = Renderer(game, mode)
        self._renderers = [] if mode is None else [renderer, *(Renderer(game, mode) for _ in range(rows - 1))]

    def restart(self, state: State, rows: npt.NDArray[np.bool_]) -> None:
        """Note the first states of episodes that begin in some rows ``(rows,)``."""
        for row, renderer in enumerate(self._renderers):
            if rows[row]:
                renderer.restart(_row(state, row))

    def note(self, state: State, payoffs: npt.NDArray[np.float64], begun: npt.NDArray[np.bool_]) -> None:
        """Add states and payoffs ``(rows, N)``, where no episode has just begun."""
        for row, renderer in enumerate(self._renderers):
            if begun[row]:
                renderer.restart(_row(state, row))
            else:
                renderer.note(_row(state, row), payoffs[row])

    def render(self, state: State) -> tuple[str | Frame | None, ...] | None:
        """Show the state of every row; None without a mode."""
        if not self._renderers:
            return None
        return tuple(renderer.render(_row(state, row)) for row, renderer in enumerate(self._renderers))


def _row(state: State, row: int) -> State:
    return map_arrays(lambda array: array[row], state)
