"""Solve one game: its certificate as a record, and its figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coopgym.benchmarks.drawing.game_figure import GameFigure
from coopgym.benchmarks.drawing.game_panels import commitment_panel, phase_panel, reaction_panel, schelling_panel
from coopgym.benchmarks.drawing.panel import Panel
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.oracles.games.basin_search import find_basins
from coopgym.oracles.games.basins import Basins
from coopgym.oracles.games.certificate import Certificate, certify
from coopgym.oracles.games.certificate_record import basins_record, certificate_record, equilibria_record
from coopgym.oracles.games.equilibrium import Equilibria, find_equilibria
from coopgym.oracles.games.normal_form import CommitmentGame, StageGame
from coopgym.oracles.games.phase_portrait import phase_portrait, reactions
from coopgym.oracles.games.rollout import initial_state
from coopgym.rewards import objective

Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Solution:
    """A solved game."""

    certificate: Certificate
    reward: str | None
    """A reward beside private, integrated and cooperative under which it was solved too."""
    under_reward: dict[str, Equilibria]
    """By part of the certificate: the equilibria under that reward; empty without one."""
    basins_under_reward: Basins | None = None
    """What commitment play settles on under it."""

    @property
    def game(self) -> AnyGame:
        """The game."""
        return self.certificate.game

    def record(self) -> Record:
        """Return the certificate as plain data, with what was found under the further reward."""
        heads = [group[0] for group in self.certificate.groups]
        record = certificate_record(self.certificate)
        if self.reward is not None:
            found = {part: equilibria_record(equilibria, heads) for part, equilibria in self.under_reward.items()}
            record["under_reward"] = {"reward": self.reward, **found}
        if self.basins_under_reward is not None:
            record["under_reward"]["basins"] = basins_record(self.basins_under_reward, heads)
        return record

    def figure(self) -> GameFigure:
        """Draw the game."""
        certificate, game = self.certificate, self.game
        equilibria = {"private": certificate.at_reset.nash, "integrated": certificate.at_reset.coopetitive}
        if self.reward is not None:
            equilibria[self.reward] = self.under_reward["stage"]
        curves = reactions(game, tuple(equilibria))
        panels: list[Panel] = [
            reaction_panel(game, curves, equilibria, certificate.at_reset.optimum),
            phase_panel(game, phase_portrait(game)),
            commitment_panel(game, certificate.commitment),
        ]
        if certificate.schelling is not None:
            panels.insert(2, schelling_panel(game, certificate.schelling))
        return GameFigure(game.spec.id, game.spec.summary, panels)


def solve(game: str, reward: str | None = None, **parameters: Any) -> Solution:
    """Solve a game with any parameters.

    Args:
        game: its id.
        reward: also solve under this reward; private and integrated are always there.
        parameters: keywords of the game.

    Raises:
        ValueError: an unknown id or reward, a parameter out of range, or a game without an optimum.
        TypeError: an unknown parameter or one of the wrong kind.
    """
    made = make_game(game, **parameters)
    layer = None if reward is None else objective(reward)
    if layer is not None:
        layer.check(made)
    certificate = certify(made)
    if layer is None or layer.name in ("private", "integrated"):
        return Solution(certificate, None, {})
    forms = {
        "stage": StageGame(made, layer),
        "stage_T1": StageGame(made, layer, initial_state(made, trust=1.0, damage=0.0)),
        "constant": CommitmentGame(made, layer),
    }
    found = {part: find_equilibria(form) for part, form in forms.items()}
    basins = find_basins({layer.name: forms["constant"]}, {layer.name: found["constant"]})
    return Solution(certificate, layer.name, found, basins[layer.name])
