"""What distances between rewards say of what may be lost.

``python -m coopgym.benchmarks.experiments.rewards.worst_case_regret`` measures it and keeps the results.

On random decision processes, pairs of rewards from alike to unrelated: how far they are apart by STARC, EPIC and DARD,
and the most that maximising one in place of the other can cost. Worst-case regret is that of Skalse et al. (2023): the
largest loss in one return between two policies of which the other return prefers the worse, as a share of the range of
the first. It is exact, a linear programme over the occupancies of both policies.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linprog

from coopgym.benchmarks.drawing.theme import HUES, canvas, figure_file
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.score.bootstrap import Bootstrap, interval, resampled
from coopgym.benchmarks.score.estimates import Estimate
from coopgym.benchmarks.score.replicates import Replicates
from coopgym.corpus.writer import write_atomically
from coopgym.oracles.tabular import TabularMDP
from coopgym.rewards.distances import dard_distance, epic_distance, starc_distance
from coopgym.typing import FloatArray, IntArray

COMMAND = "python -m coopgym.benchmarks.experiments.rewards.worst_case_regret"
KEPT = RESULTS / "worst-case-regret.json"
PICTURE = Path(__file__).resolve().parents[3] / "docs" / "worst-case-regret.svg"
MEASURES = ("STARC", "EPIC", "DARD")
KINDS = ("mixed", "mixed and shaped", "mixed and respread")
"""How the second reward of a pair comes about: of the first and a stranger; then shaped; or then changed over next
states, so that expectations stay what they are."""
TELLING = "telling pairs"
MARGIN = 0.1
"""Regrets further apart than this are to be told apart."""
BOOTSTRAP = Bootstrap(resamples=1000)


@dataclass(frozen=True)
class Design:
    """Which pairs are drawn.

    Attributes:
        pairs: of each kind.
        states: S.
        actions: A.
        concentration: of the transitions' Dirichlet distribution; small ones make most next states rare.
        gamma: discount.
        seed: of all.
    """

    pairs: int = 100
    states: int = 6
    actions: int = 3
    concentration: float = 0.2
    gamma: float = 0.9
    seed: int = 0


DESIGN = Design()


@dataclass(frozen=True, eq=False)
class Pair:
    """Two rewards ``(S, A, S)`` of a process ``(S, A, S)``."""

    transition: FloatArray
    first: FloatArray
    second: FloatArray
    gamma: float

    @classmethod
    def drawn(cls, kind: str, design: Design, rng: np.random.Generator) -> Pair:
        """Draw a process and two rewards."""
        shape = (design.states, design.actions)
        transition = rng.dirichlet(np.full(design.states, design.concentration), size=shape)
        first, stranger, spread = rng.normal(size=(3, *shape, design.states))
        # As many pairs near to each other as far apart.
        angle = np.pi * rng.random() ** 2
        second = np.cos(angle) * first + np.sin(angle) * stranger
        if kind == "mixed and shaped":
            potential = rng.normal(scale=3.0, size=design.states)
            second = second + design.gamma * potential - potential[:, None, None]
        if kind == "mixed and respread":
            second = second + 3.0 * (spread - (transition * spread).sum(-1, keepdims=True))
        return cls(transition, first, second, design.gamma)

    def distances(self) -> dict[str, float]:
        """Return how far its rewards are apart by each measure; STARC is halved, so that all are in [0, 1]."""
        first, second, moves = self.first, self.second, self.transition
        return {
            "STARC": float(starc_distance(first, second, moves, self.gamma)) / 2.0,
            "EPIC": float(epic_distance(first, second, self.gamma)),
            "DARD": float(dard_distance(first, second, moves, self.gamma)),
        }

    def regret(self) -> float:
        """Return what maximising the second reward can cost in the first, at worst."""
        return worst_case_regret(self._process(self.first), self._process(self.second))

    def _process(self, reward: FloatArray) -> TabularMDP:
        return TabularMDP(self.transition, (self.transition * reward).sum(-1), self.gamma)


def worst_case_regret(own: TabularMDP, proxy: TabularMDP) -> float:
    """Return max J(π) - J(π') over policies with J'(π') ≥ J'(π), as a share of the range of J; uniform first states.

    Args:
        own: the process with the reward of J.
        proxy: the same process with the reward of J'.

    Raises:
        RuntimeError: HiGHS found no optimum.
    """
    states, actions = own.reward.shape
    # Discounted occupancies of a policy: what flows into a state flows out of it.
    leaving = np.repeat(np.eye(states), actions, axis=1)
    arriving = own.transition.reshape(states * actions, states).T
    flow, start = leaving - own.gamma * arriving, np.full(states, (1.0 - own.gamma) / states)
    worth, asked = own.reward.ravel(), proxy.reward.ravel()
    both = np.asarray(np.kron(np.eye(2), flow), dtype=np.float64)
    loss = _greatest(np.concatenate([worth, -worth]), both, np.tile(start, 2), np.concatenate([asked, -asked]))
    best, least = _greatest(worth, flow, start), -_greatest(-worth, flow, start)
    return loss / (best - least)


def _greatest(
    objective: FloatArray, equal: FloatArray, total: FloatArray, at_most_zero: FloatArray | None = None
) -> float:
    upper = {} if at_most_zero is None else {"A_ub": at_most_zero[None], "b_ub": [0.0]}
    answer = linprog(-objective, A_eq=equal, b_eq=total, method="highs", **upper)
    if answer.status != 0:
        raise RuntimeError(f"no optimum, HiGHS status {answer.status} ({answer.message})")
    return -float(answer.fun)


def measured(part: str, design: Design = DESIGN) -> dict[str, Any]:
    """Return distances and regrets, of all pairs of a kind or of the telling ones."""
    pairs = list(telling(design).values()) if part == TELLING else _drawn(part, design)
    apart = [pair.distances() for pair in pairs]
    columns = {measure: [round(each[measure], 6) for each in apart] for measure in MEASURES}
    return {**columns, "regret": [round(pair.regret(), 6) + 0.0 for pair in pairs]}


def _drawn(kind: str, design: Design) -> list[Pair]:
    rng = np.random.default_rng([design.seed, KINDS.index(kind)])
    return [Pair.drawn(kind, design, rng) for _ in range(design.pairs)]


def telling(design: Design = DESIGN) -> dict[str, Pair]:
    """Return pairs by how the second reward comes about, in a process in which half of the next states never follow."""
    rng = np.random.default_rng([design.seed, len(KINDS)])
    shape = (design.states, design.actions, design.states)
    possible = rng.permuted(np.arange(design.states) % 2 + np.zeros(shape), axis=-1)
    transition = rng.random(shape) * possible
    transition /= transition.sum(-1, keepdims=True)
    asked, noise = rng.normal(size=(2, *shape))
    spread = 10.0 * (noise - (transition * noise).sum(-1, keepdims=True)) * possible
    potential = rng.normal(scale=3.0, size=design.states)
    advantage = asked - (transition * asked).sum(-1, keepdims=True).mean(1, keepdims=True)
    made = {
        "shaped by a potential": (asked, asked + design.gamma * potential - potential[:, None, None]),
        "spread otherwise over next states": (asked, asked + spread),
        "changed where no step leads": (asked, asked + 10.0 * noise * (1.0 - possible)),
        "opposite, beside the same large spread": (spread + advantage, spread - advantage),
    }
    return {name: Pair(transition, *rewards, design.gamma) for name, rewards in made.items()}


def rank_correlations(kept: Kept, settings: Bootstrap = BOOTSTRAP) -> dict[str, Estimate]:
    """Return Spearman's correlation of each measure with regret over all pairs, with bootstrap intervals over pairs."""
    from scipy.stats import rankdata  # half a second to import, and rewards are often measured without ranks

    columns = all_pairs(kept)

    def statistic(replicates: Replicates, counts: IntArray) -> FloatArray:
        chosen = np.stack([np.repeat(np.arange(len(row)), row) for row in counts])
        ranks = {name: _standard(rankdata(values[chosen], axis=1)) for name, values in columns.items()}
        return np.stack([(ranks[measure] * ranks["regret"]).mean(1) for measure in MEASURES], axis=1)

    pairs = Replicates.of(np.arange(float(len(columns["regret"]))), axes=("runs",))
    drawn = resampled(pairs, statistic, settings, settings.generator("worst-case regret"))
    low, high = interval(pairs, statistic, drawn, settings)
    values = statistic(pairs, pairs.once)[0]
    numbers = zip(MEASURES, values.tolist(), low.tolist(), high.tolist(), strict=True)
    return {measure: Estimate(value, least, most, len(pairs.scores)) for measure, value, least, most in numbers}


def _standard(ranks: FloatArray) -> FloatArray:
    return np.asarray((ranks - ranks.mean(1, keepdims=True)) / ranks.std(1, keepdims=True))


def misranked(kept: Kept, margin: float = MARGIN) -> dict[str, float]:
    """Return by measure of how many two pairs, whose regrets are a margin apart, it calls the worse one the nearer."""
    columns = all_pairs(kept)
    worse = np.subtract.outer(columns["regret"], columns["regret"]) > margin
    nearer = {measure: np.subtract.outer(columns[measure], columns[measure]) < 0.0 for measure in MEASURES}
    return {measure: float((found & worse).sum() / worse.sum()) for measure, found in nearer.items()}


def all_pairs(kept: Kept) -> dict[str, FloatArray]:
    """Return distances by measure, and regrets, of the pairs of all kinds."""
    return {name: np.concatenate([kept["parts"][kind][name] for kind in KINDS]) for name in (*MEASURES, "regret")}


def regret_figure(kept: Kept) -> Figure:
    """Draw regret over distance, a colour per measure."""
    columns = all_pairs(kept)
    with canvas(4.7, 3.2) as (figure, axes):
        for measure, colour in zip(MEASURES, HUES.values(), strict=False):
            axes.plot(columns[measure], columns["regret"], "o", color=colour, markersize=3, alpha=0.6, label=measure)
        axes.set_xlabel("distance (STARC halved)")
        axes.set_ylabel("worst-case regret")
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        return figure


def main() -> None:
    """Measure what is not kept yet, and draw all."""
    found = keep(KEPT, COMMAND, asdict(DESIGN), (*KINDS, TELLING), measured)
    label = "Worst-case regret over the distance of two rewards, by STARC, EPIC and DARD"
    write_atomically(PICTURE, figure_file(regret_figure(found), label, "svg"))


if __name__ == "__main__":
    main()
