"""The table that stands first: how good every agent is, one number for each question.

Terminal, CSV files and page read it from here. Agents whose numbers are all equal share a row. Constants and oracles
are there to be compared with. Learners that were trained on private reward stand by themselves: theirs is not to earn
most for everybody, so they go by what seats could gain by deviating.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.score.estimates import TIE, Estimate, rank_correlation
from coopgym.benchmarks.score.exploited import exploitability_table
from coopgym.benchmarks.score.grid import run_grid, self_play_in_worlds
from coopgym.benchmarks.score.ranks import RankTable, rank_table
from coopgym.benchmarks.score.scored_agents import AgentScores, ScoredAgent, by_agent
from coopgym.benchmarks.score.scores import score_table
from coopgym.benchmarks.score.seed_scores import shown
from coopgym.benchmarks.score.settings import LEARNER, PLAYERS, PRIVATE, Setting
from coopgym.benchmarks.score.stranger_scores import StrangersScores, WorstPartner, strangers_table
from coopgym.benchmarks.score.verdicts import verdict
from coopgym.benchmarks.score.worlds import world_scores
from coopgym.typing import BoolArray

Scores = TypeVar("Scores", bound=AgentScores)
WITH_ITSELF, WITH_STRANGERS, IN_WORLDS, REGRET = "with itself", "with strangers", "in unknown worlds", "regret"
EXPLOITED_BY = "exploited by"
"""The column of worst partners, which answers no question by itself."""
WORST_PARTNER = "the partner with whom it earns least, 0 = what Random earns there, 1 = a best response"


@dataclass(frozen=True, eq=False)
class Question:
    """A column: one number for everybody who has played all games that it asks about."""

    name: str
    meaning: str
    table: AgentScores
    """Of agents and games; everybody has a score on each of these games."""
    games: int
    """Games of the corpus that the question could be asked about."""

    @cached_property
    def ranks(self) -> RankTable:
        """Those who compete, best first."""
        return rank_table(self.table.only([each.name for each in self.table.algorithms if each.kind in PLAYERS]))

    @property
    def shown(self) -> tuple[ScoredAgent, ...]:
        """Everybody but most of a scan of constants."""
        return self.table.only(shown(self.table)).algorithms

    @property
    def scope(self) -> str:
        """How many games it asks about."""
        asked = _games(self.table)
        if asked < self.games:
            return f"{asked} of {self.games} games"
        return "1 game" if asked == 1 else f"all {asked} games"

    @property
    def verdict(self) -> str:
        """Who comes first, in words."""
        best = "the hardest to exploit" if self.table.lower_is_better else "the best"
        by = f"By {self.name}" if self.table.lower_is_better else self.name.capitalize()
        return verdict(f"{by} on {self.scope}", "number", best, self.table, self.ranks)

    def answer(self, agent: ScoredAgent) -> Estimate | None:
        """Return the number of an agent; None for one that did not play all games."""
        return self.table.estimate(agent.name) if agent in self.table.algorithms else None

    def group(self, agent: ScoredAgent) -> str:
        """Return the letters of an agent, of which it shares one with whom it cannot be told apart from."""
        return next((row.significance_groups for row in self.ranks.rows if row.algorithm == agent), "")

    def numbers(self, agent: ScoredAgent) -> tuple[float, ...]:
        """Return every score of an agent, by which others with the same ones are known."""
        if agent not in self.table.algorithms:
            return ()
        heights = np.round(self.table.scores[self.table.index(agent.name)] / TIE)
        return tuple(np.where(np.isfinite(heights), heights, np.inf).ravel().tolist())


@dataclass(frozen=True)
class FirstRow:
    """Agents that nothing tells apart, and their numbers."""

    agents: tuple[ScoredAgent, ...]
    answers: Mapping[str, Estimate | None]
    """By question."""
    groups: Mapping[str, str]
    """Letters by question."""
    exploited_by: WorstPartner | None = None
    """None for one that has not met strangers in all games."""

    @property
    def title(self) -> str:
        """The first of them, and how many others there are."""
        first, *others = self.agents
        more = "1 other" if len(others) == 1 else f"{len(others)} others"
        return f"{first.name} and {more}" if others else first.name

    @property
    def is_reference(self) -> bool:
        """Whether it is there to be compared with."""
        return not any(each.kind in PLAYERS for each in self.agents)

    @property
    def is_private(self) -> bool:
        """Whether it was trained on private reward."""
        return all(each.reward == PRIVATE for each in self.agents)


@dataclass(frozen=True)
class FirstTable:
    """Every agent's answers."""

    questions: tuple[Question, ...]
    rows: tuple[FirstRow, ...]
    """Those who compete, learners of private reward after all others, then who is there to be compared with."""
    strangers: StrangersScores | None = None
    """What stands behind the question of this name; None where nobody met any."""

    @property
    def parts(self) -> Mapping[str, tuple[FirstRow, ...]]:
        """Its rows by whom they stand with."""
        return {
            "agents": tuple(row for row in self.rows if not row.is_reference and not row.is_private),
            "learners of private reward": tuple(row for row in self.rows if row.is_private),
            "for reference": tuple(row for row in self.rows if row.is_reference),
        }

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Who comes first, a sentence for each question that anybody who competes has answered."""
        return tuple(question.verdict for question in self.questions if question.verdict)

    @property
    def tells_exploited(self) -> bool:
        """Whether anybody has met strangers."""
        return self.strangers is not None

    def rank_correlation(self, first: str, second: str) -> Estimate | None:
        """Return Spearman's correlation of two questions over the rows that compete and have answered both.

        1 where whoever is better at one is better at the other; None where there is nothing to correlate.
        """
        signs = {each.name: -1.0 if each.table.lower_is_better else 1.0 for each in self.questions}
        if not {first, second} <= set(signs):
            return None
        pairs = [
            (signs[first] * one.value, signs[second] * other.value)
            for row in self.rows
            if not row.is_reference and (one := row.answers[first]) and (other := row.answers[second])
        ]
        return rank_correlation(*zip(*pairs, strict=True)) if pairs else None


def first_table(runs: pa.Table) -> FirstTable:
    """Answer every question that a corpus has runs for.

    Args:
        runs: the ``runs`` table.

    Raises:
        ValueError: two runs under one seed.

    >>> found = first_table(coopgym.load_corpus("learners-v1").runs)
    >>> [(question.name, question.scope) for question in found.questions]
    [('with itself', '2 of 20 games'), ('regret', '1 game')]
    >>> [rows[0].title for rows in found.parts.values()]
    ['IPPO, cooperative', 'IPPO, private', 'Oracle_BestConstant and 1 other']
    """
    strangers, games = _where_learners_answer(strangers_table, runs)
    in_worlds = "welfare among copies of itself, costs and synergy hidden"
    deviating = "what seats could gain by deviating, each alone"
    questions = (
        Question(WITH_ITSELF, "welfare among copies of itself", *_where_learners_answer(_welfare, runs)),
        Question(WITH_STRANGERS, "its own payoff among partners that it never met", strangers, games),
        Question(IN_WORLDS, in_worlds, *_where_learners_answer(_welfare_in_worlds, runs)),
        Question(REGRET, deviating, *_where_learners_answer(_exploitability, runs)),
    )
    answered = tuple(question for question in questions if question.table.algorithms)
    rows = [_row(answered, strangers, alike) for alike in _alike(answered, strangers)]
    rows.sort(key=lambda row: _place(row, answered))
    return FirstTable(answered, tuple(rows), strangers if strangers.algorithms else None)


def _welfare(runs: pa.Table) -> AgentScores:
    return by_agent(score_table(runs, "welfare"))


def _welfare_in_worlds(runs: pa.Table) -> AgentScores:
    return by_agent(world_scores(run_grid(self_play_in_worlds(runs))))


def _exploitability(runs: pa.Table) -> AgentScores:
    return by_agent(exploitability_table(runs))


def _where_learners_answer(scores: Callable[[pa.Table], Scores], runs: pa.Table) -> tuple[Scores, int]:
    """Score the games that learners answer for, of how many; what was played in these alone sets the ends of the scale.

    Returns:
        The scores of everybody who has one on each of these games, and how many games there are.
    """
    everywhere = scores(runs)
    games = {each.setting.game for each in _covered(everywhere).tasks}
    environments, parameters = (runs.column(column).to_pylist() for column in ("environment", "env_parameters"))
    here = [Setting(game, given, PRIVATE).game in games for game, given in zip(environments, parameters, strict=True)]
    return scores(runs.filter(pa.array(here, pa.bool_()))).covering(), _games(everywhere)


def _games(table: AgentScores) -> int:
    return len({task.setting.environment for task in table.tasks})


def _covered(table: AgentScores) -> AgentScores:
    """Keep the games of which learners fill the largest table without gaps; of everybody, where there are none."""
    scored: BoolArray = np.asarray(np.isfinite(table.scores).any(-1))
    learners = np.array([each.kind == LEARNER for each in table.algorithms], dtype=bool)
    learned = scored[learners] if learners.any() else scored
    sets = np.unique(learned, axis=0)
    sizes = sets.sum(1) * (learned | ~sets[:, None]).all(-1).sum(-1)
    return table.of_tasks(np.flatnonzero(sets[int(np.argmax(sizes))]).tolist() if len(sets) else [])


def _alike(questions: Sequence[Question], strangers: StrangersScores) -> Iterable[tuple[ScoredAgent, ...]]:
    """Return agents that are shown, those together whose numbers are all equal."""
    found: dict[tuple[object, ...], list[ScoredAgent]] = {}
    for each in dict.fromkeys(each for question in questions for each in question.shown):
        worst = _exploited_by(each, strangers)
        least = None if worst is None else round(worst.normalised.value / TIE)
        found.setdefault((least, *(question.numbers(each) for question in questions)), []).append(each)
    return (tuple(sorted(alike, key=lambda each: (each.kind not in PLAYERS, each.name))) for alike in found.values())


def _exploited_by(agent: ScoredAgent, strangers: StrangersScores) -> WorstPartner | None:
    return strangers.worst_partner(agent.name) if agent in strangers.algorithms else None


def _row(questions: Sequence[Question], strangers: StrangersScores, alike: tuple[ScoredAgent, ...]) -> FirstRow:
    return FirstRow(
        alike,
        {question.name: question.answer(alike[0]) for question in questions},
        {question.name: question.group(alike[0]) for question in questions},
        _exploited_by(alike[0], strangers),
    )


def _place(row: FirstRow, questions: Sequence[Question]) -> tuple[object, ...]:
    """Sorting key: whom it stands among, then its answers, private learners' regret first, then its name."""
    order = sorted(questions, key=lambda question: (question.name != REGRET) if row.is_private else 0)
    heights = []
    for question in order:
        answer = row.answers[question.name]
        sign = 1.0 if question.table.lower_is_better else -1.0
        heights.append(np.inf if answer is None else round(sign * answer.value / TIE))
    return (row.is_reference, row.is_private, *heights, row.title)
