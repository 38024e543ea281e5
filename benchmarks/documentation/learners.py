"""What learners of the formal edition reach beside equilibria and optima, from a corpus of the study `learners`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Literal

from coopgym.benchmarks.documentation.kept import kept_certificates
from coopgym.benchmarks.documentation.sources import LEARNERS, Run, chosen, hours, on_common_draws, runs
from coopgym.benchmarks.documentation.wording import (
    between,
    in_brackets,
    in_digits,
    listed,
    over_seeds,
    paragraph,
    short,
    table,
)
from coopgym.games.registry import games

ONE_STEP, COMMITMENT, OPTIMUM = "Oracle_Nash", "Oracle_CommitmentNash", "Oracle_SocialOptimum"
EVERYWHERE = "IPPO"
"""The learner that is trained in every game."""
TEAM = "TeamProduction-v1"
COMPARED = ("TrustDilemma-v1", TEAM)
"""Games in which the learners are compared with each other."""
CLOSE = 1.0
"""Two equilibria are close up to this part of the optimum's gain over the one-step equilibrium, in %."""

Side = Literal["above", "between", "below"]


@dataclass(frozen=True)
class Reached:
    """Runs of one game that may be compared: equilibria of the private reward, the optimum, and a learner's seeds."""

    game: str
    one_step: list[Run]
    commitment: list[Run]
    optimum: list[Run]
    private: list[Run]
    cooperative: list[Run]

    @classmethod
    def of(cls, corpus: Sequence[Run], game: str, learner: str) -> Reached:
        """Take a learner's seeds, and what the oracles play under private reward.

        The commitment equilibrium is one of the reward that its oracle is told; the other two oracles know no reward.
        """
        here = chosen(corpus, environment=game)
        told = [chosen(here, algorithm=name, reward_mode="private") for name in (ONE_STEP, COMMITMENT, OPTIMUM)]
        learned = [chosen(here, algorithm=learner, reward_mode=mode) for mode in ("private", "cooperative")]
        return cls(game, *on_common_draws(game, *told, *learned))

    @property
    def sides(self) -> set[Side]:
        """Where the seeds of the private learner lie of the two equilibria."""
        return {self._side(run) for run in self.private}

    @property
    def excess(self) -> float:
        """How far the private learner's mean lies above the higher equilibrium, in % of the optimum's gain."""
        return self.gain(self.private) - max(0.0, self.gain(self.commitment))

    def gain(self, found: Sequence[Run]) -> float:
        """What runs earn over the one-step equilibrium in the mean, in % of what the optimum earns over it."""
        floor, ceiling = mean_welfare(self.one_step), mean_welfare(self.optimum)
        return 100 * (mean_welfare(found) - floor) / (ceiling - floor)

    def _side(self, run: Run) -> Side:
        low, high = sorted((self._anchor(self.one_step, run.seed), self._anchor(self.commitment, run.seed)))
        if run.welfare > high:
            return "above"
        return "between" if run.welfare >= low else "below"

    @staticmethod
    def _anchor(oracle: Sequence[Run], seed: int) -> float:
        """The oracle's welfare on the draws of a seed; what leaves nothing to chance ran once for all."""
        (run,) = chosen(oracle, seed=seed) or oracle
        return run.welfare


def mean_welfare(found: Sequence[Run]) -> float:
    """Return the mean welfare of runs."""
    return fmean(run.welfare for run in found)


@cache
def reached_everywhere() -> tuple[Reached, ...]:
    """Return what the learner of all games reached, in the order of the games."""
    played = {run.environment for run in runs(LEARNERS)}
    return tuple(Reached.of(runs(LEARNERS), game, EVERYWHERE) for game in games() if game in played)


def study() -> str:
    """Say what the study consists of."""
    corpus = chosen(runs(LEARNERS), algorithm_kind="learner")
    trained: dict[str, set[str]] = defaultdict(set)
    for run in corpus:
        trained[run.environment].add(run.algorithm)
    by_learners: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for game in games():
        if game in trained:
            by_learners[tuple(sorted(trained[game]))].append(short(game))
    parts = [
        f"{len(names)} learners in {listed(where)}" if len(names) > 1 else f"{names[0]} alone in {len(where)} others"
        for names, where in sorted(by_learners.items(), key=lambda each: -len(each[0]))
    ]
    seeds = {run.seed for run in corpus}
    return paragraph(f"""
        The study `learners` (`coopgym run learners`; its corpus is released as `{LEARNERS}`, and took {hours(corpus)}
        by its own clocks) trains on the formal edition with default settings and {len(seeds)} seeds:
        {"; ".join(parts)}.
    """)


def everywhere_caption() -> str:
    """Say what the columns of the table of all games mean."""
    found = reached_everywhere()
    most = max(len(each.private) for each in found)
    fewer = [each for each in found if len(each.private) < most]
    drawn = (
        f"In {short(each.game)} every seed draws a game of its own: the row compares what all have played, seed "
        f"{listed(str(run.seed) for run in each.private)}."
        for each in fewer
    )
    return paragraph(f"""
        Welfare of {EVERYWHERE}'s final policies, playing their means: mean over {most} seeds, in brackets
        {in_brackets(most)}, and the mean share of endowment played. Beside it the welfare of two equilibria of the
        private reward, that of a single step from the opening (`{ONE_STEP}`) and that of commitments to one level for
        the whole episode (`{COMMITMENT}`; where there are several, the one with the highest welfare that is not known
        to be unstable), and of the best constant profile (`{OPTIMUM}`). {" ".join(drawn)}
    """)


def everywhere_table() -> str:
    """Return the table of all games."""
    headings = (
        "game",
        "one-step Nash",
        "commitment Nash",
        f"private {EVERYWHERE}",
        "best constant",
        f"cooperative {EVERYWHERE}",
        "steps",
    )
    rows = (
        (
            short(each.game),
            in_digits(mean_welfare(each.one_step)),
            in_digits(mean_welfare(each.commitment)),
            _welfare_and_share(each.private),
            in_digits(mean_welfare(each.optimum)),
            _welfare_and_share(each.cooperative),
            _steps([*each.private, *each.cooperative]),
        )
        for each in reached_everywhere()
    )
    return table(headings, rows)


def equilibria_and_private_learners() -> str:
    """Count on which side of the two equilibria private learners end."""
    found = reached_everywhere()
    on = {side: [each for each in found if each.sides == {side}] for side in ("above", "between", "below")}
    mixed = [each for each in found if len(each.sides) > 1]
    close = [each for each in found if abs(each.gain(each.commitment)) < CLOSE]
    return paragraph(f"""
        Every seed of private {EVERYWHERE} earns more than both equilibria in {len(on["above"])} of {len(found)} games,
        lies between them in {len(on["between"])} ({_names(on["between"])}), and earns less than both in
        {len(on["below"]) or "none"}; in {len(mixed)} ({_names(mixed)}) seeds lie on different sides.
        {_how_far_above(on["above"])}
        In {len(close)} games ({_names(close)}) the two equilibria are less than {CLOSE:.0f} % of that gain apart.
        Policies may answer what they see, which is more than either equilibrium allows; welfare does not say whether
        they are in equilibrium with each other, `coopgym exploit` does.
    """)


def cooperative_learners() -> str:
    """Say how close cooperative learners come to the best constant."""
    shares = {short(each.game): each.gain(each.cooperative) for each in reached_everywhere()}
    worst = min(shares, key=lambda game: shares[game])
    beyond = [f"{game} ({share:.1f} %)" for game, share in shares.items() if share >= 100.05]
    return paragraph(f"""
        Cooperative {EVERYWHERE} makes {between(shares.values(), 1)} % of the best constant's gain over the one-step
        equilibrium in the mean over seeds, least in {worst}. It makes more than the constant, which cannot change
        within the episode, in {len(beyond)} games: {listed(beyond)}.
    """)


def compared_caption() -> str:
    """Say what the table of learners compares."""
    compared = [run for game in COMPARED for run in chosen(_learned(), environment=game)]
    seeds = {run.seed for run in compared}
    of_teams = sorted({run.algorithm for run in compared if run.team})
    return paragraph(f"""
        Welfare of all learners in {listed(map(short, COMPARED))}: means over {len(seeds)} seeds, in brackets
        {in_brackets(len(seeds))}. {listed(of_teams)} learn from the team's reward whatever the mode, so that they have
        no private column.
    """)


def compared_table() -> str:
    """Return the table of all learners in a few games."""
    columns = [(game, mode) for game in COMPARED for mode in ("private", "cooperative")]
    anchors = {"private": ONE_STEP, "cooperative": OPTIMUM}
    played = (
        chosen(runs(LEARNERS), algorithm=anchors[mode], environment=game, reward_mode=mode) for game, mode in columns
    )
    rows = [("one-step Nash, best constant", "", *(in_digits(mean_welfare(found)) for found in played))]
    for name in sorted({run.algorithm for game in COMPARED for run in chosen(_learned(), environment=game)}):
        own = [run for run in chosen(_learned(), algorithm=name) if run.environment in COMPARED]
        cells = (
            [run for run in chosen(own, environment=game, reward_mode=mode) if mode == "cooperative" or not run.team]
            for game, mode in columns
        )
        rows.append((name, _steps(own), *map(_welfare, cells)))
    return table(("learner", "steps", *(f"{short(game)}, {mode}" for game, mode in columns)), rows)


def in_a_team() -> str:
    """Say where private and cooperative learners of a team end, beside the certified equilibrium and optimum."""
    facts = kept_certificates()[TEAM]
    ends = []
    for mode, profile, name in (("private", "nash", "private equilibrium"), ("cooperative", "optimum", "optimum")):
        found = chosen(_learned(), algorithm=EVERYWHERE, environment=TEAM, reward_mode=mode)
        payoff = fmean(run.welfare / run.n_agents / run.horizon for run in found)
        (share,) = facts[profile]
        ends.append(
            f"{mode} {EVERYWHERE} ends at {_share(found)} of the endowment and a payoff of {payoff:.2f} per step (the "
            f"{name} of a step: {100 * share:.0f} %, {facts[f'W_{profile}']:.2f})"
        )
    return f"In {TEAM} {listed(ends)}."


def _how_far_above(found: Sequence[Reached]) -> str:
    if not found:
        return ""
    by_excess = sorted(found, key=lambda each: each.excess)
    least, most = by_excess[0], by_excess[-1]
    return (
        f"Above are {_names(found)}: by {least.excess:.1f} % of the best constant's gain over the one-step equilibrium "
        f"({short(least.game)}) to {most.excess:.1f} % ({short(most.game)}) in the mean over seeds."
    )


def _learned() -> list[Run]:
    return chosen(runs(LEARNERS), algorithm_kind="learner")


def _names(found: Iterable[Reached]) -> str:
    return listed(short(each.game) for each in found)


def _share(found: Sequence[Run]) -> str:
    return f"{100 * fmean(run.cooperation_rate for run in found):.0f} %"


def _steps(found: Sequence[Run]) -> str:
    return listed(f"{steps:,}" for steps in sorted({run.env_steps or 0 for run in found}))


def _welfare(found: Sequence[Run]) -> str:
    return over_seeds([run.welfare for run in found], in_digits)


def _welfare_and_share(found: Sequence[Run]) -> str:
    return f"{_welfare(found)}, {_share(found)}"
