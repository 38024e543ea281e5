"""What a rollout is worth to everybody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import gtalign
from coopgym.algorithms.llm.method.signals.decisions import decisions
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.scripted_play import resume
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, Trajectory
from coopgym.interfaces.text import IllegalCallError, read_level

_ESTIMATE = re.compile(r"\bexpect\s+(\S{1,16})\s+(\S{1,16})\s*=\s*([+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))(?![\d.])")


@dataclass(frozen=True, kw_only=True)
class WelfareReward(Settings, Signal):
    """GTAlign (arXiv 2510.08872), game form: ``welfare``, ``utility`` ``(N,)`` and ``calibration``, in [0, 1] or None.

    Utilities lie between everybody's payoffs at disagreement and at the social optimum, and welfare is their geometric
    mean. Thoughts may hold estimates, ``expect OWN OTHERS = PAYOFF``, of the seat's payoff of one step in units of the
    game; where a rollout wrote at least two, their calibration has a part in the reward, in place of the quality of a
    matrix, which arbitrary numbers satisfy. Rollouts with problems are worth 0.

    Attributes:
        calibration: that part.
        eps: added to utilities, so that one party at its disagreement does not hide what the others have.
        eps_start: the same in the first step; it falls to ``eps`` in even steps.
        eps_steps: training steps until then.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"oracle"})
    fills: ClassVar[frozenset[str]] = frozenset({"welfare", "utility", "calibration"})
    calibration: float = hyperparameter(0.2, 0.0, 1.0)
    eps: float = hyperparameter(1e-4, 0.0, 1.0)
    eps_start: float = hyperparameter(0.05, 0.0, 1.0)
    eps_steps: int = hyperparameter(100, 1)

    def annotate(self, batch: Batch, services: Services) -> None:
        left = max(0.0, 1.0 - batch.step / self.eps_steps)
        eps = self.eps + left * (self.eps_start - self.eps)
        for task, member in zip(batch.tasks, batch.trajectories, strict=True):
            settings = task.settings
            found = gtalign.game_welfare(member.payoffs, settings.disagreement[0], settings.ideal[0], eps)
            calibration = _calibration(task, member, services)
            worth = found["welfare"]
            if calibration is not None:
                worth = (1.0 - self.calibration) * worth + self.calibration * calibration
            member.signals |= {
                "welfare": worth if member.format_ok else 0.0,
                "utility": found["utility"],
                "calibration": calibration,
            }


def estimates(text: str) -> list[tuple[float, float, float]]:
    """Read own level, the others' level and the estimated payoff wherever a text gives them; bad levels are skipped."""
    found = []
    for own, others, payoff in _ESTIMATE.findall(text):
        try:
            found.append((read_level(own), read_level(others), float(payoff)))
        except IllegalCallError:
            continue
    return found


def _calibration(task: Task, member: Trajectory, services: Services) -> float | None:
    """Compare a rollout's estimates with what the game pays, as its seat can know it; None for less than two."""
    decode = services.model.tokenizer.decode
    guessed: list[float] = []
    paid: list[float] = []
    for decision in decisions(task, member):
        said = [
            estimate
            for turn in decision.turns
            for estimate in estimates(decode(member.ids[member.turns[turn].start : member.turns[turn].end].tolist()))
        ]
        if not said:
            continue
        place = resume(task, member, decision.turns.start, services.model, services.stream("welfare"))
        memory = place.session.dialogues[-1].memory
        profiles = np.stack([memory.profile(own, memory.others(others)) for own, others, _ in said])
        guessed += [payoff for _, _, payoff in said]
        paid += (memory.world_model.stage(profiles)[1][:, task.seat] / memory.payoff_unit).tolist()
    return gtalign.payoff_calibration(guessed, paid) if len(guessed) > 1 else None
