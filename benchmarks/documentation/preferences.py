"""Preferences among agents of a corpus, and what is kept of learning from preferences."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from coopgym.benchmarks.documentation.wording import listed, over_seeds, paragraph, table
from coopgym.benchmarks.drawing.formatting import spread
from coopgym.benchmarks.experiments.preferences import plan_preferences, solver_queries, trajectory_preferences
from coopgym.benchmarks.experiments.preferences.agent_preferences import AgentPreferences, agent_preferences
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, kept
from coopgym.benchmarks.score.estimates import Estimate, score_text
from coopgym.corpus import load_corpus

CORPUS = "strangers-baselines-v1.1"
SHOWN = 8
LANGUAGE = RESULTS / "language-win-rates.json"


def queries() -> str:
    """Return what a little exploitability costs in preferences."""
    found = kept(solver_queries.KEPT)
    rows = []
    for target in solver_queries.TARGETS:
        part = found["parts"][f"queries/{target}"]
        medians = (f"{np.median(part[name]):.0f}" for name in ("nash_mp", "spo"))
        ratio = _with_interval(solver_queries.ratio(found, target))
        rows.append((f"{target:g}", f"{part['beta']:.4f}", *medians, ratio))
    settings = found["settings"]
    worst = {beta: max(found["parts"][f"contraction/{beta}"]["ratio"]) for beta in settings["contraction_betas"]}
    told = ", ".join(f"{ratio:.3f} at β = {beta:g}" for beta, ratio in worst.items())
    words = paragraph(f"""
        {settings["games"]} random games of {settings["options"]} options; medians over games, and the geometric mean of
        the ratio with its 95 % interval over games. In the same games the divergence from the regularised equilibrium
        shrinks in every iteration at least as fast as stated: the worst ratio to the bound is {told}. To repeat it,
        remove `benchmarks/results/preference-queries.json` and run `{found["command"]}`.
    """)
    headings = ("exploitability", "β", "queries, mirror prox", "queries, self-play", "ratio")
    return f"{table(headings, rows)}\n\n{words}"


def in_a_corpus() -> str:
    """Return who wins by which rule among the agents of a released corpus."""
    found = _preferences()
    order = sorted(range(len(found.agents)), key=lambda agent: -found.preferences.borda[agent])[:SHOWN]
    rows = [
        (
            found.agents[agent],
            _with_interval(found.borda(agent)),
            f"{found.preferences.copeland[agent]}",
            score_text(float(found.winner.distribution[agent])),
            score_text(float(found.regularised[agent])),
        )
        for agent in order
    ]
    winners = [found.agents[agent] for agent in found.winner.options]
    best = found.preferences.borda_winner
    surplus = found.exploitability(np.eye(len(found.agents))[best])
    words = paragraph(f"""
        The first {len(order)} of {len(found.agents)} agents of `{CORPUS}` in {len(found.games)} games, by
        {listed(found.criteria)}; 95 % bootstrap intervals over {found.seeds} seeds. {_cycle(found)} The minimax winner
        is {listed(winners)}{_majorities(found)}. The Borda winner is {found.agents[best]}, to whom the agent that beats
        it most is preferred by {surplus:.2f} more than one half.
    """)
    headings = ("agent", "wins (Borda)", "beats (Copeland)", "minimax", f"Nash, β = {found.beta:g}")
    return f"{table(headings, rows)}\n\n{words}"


def learned_from() -> str:
    """Return how far policies are exploited that learned from win rates or from a reward model."""
    found = kept(plan_preferences.KEPT)
    settings = found["settings"]
    rows = [
        (condition, learner, *(over_seeds(part[learner][policy], _three) for policy in ("last", "mean")))
        for condition, part in found["parts"].items()
        for learner in plan_preferences.LEARNERS
    ]
    asked = {part[learner]["queries"] for part in found["parts"].values() for learner in plan_preferences.LEARNERS}
    words = paragraph(f"""
        Exploitability max P(y, π) - 1/2 of the last policy and of the mean of all, told without errors:
        {settings["seeds"]} seeds, 95 % intervals (Student's t). A softmax policy over {settings["levels"] ** 2} plans
        in {settings["game"]} learns for {settings["rounds"]} rounds; both methods ask for
        {listed(f"{each:,}" for each in sorted(asked))} comparisons.
    """)
    headings = ("preferences", "paid", "last policy", "mean policy")
    return f"{table(headings, rows)}\n\n{words}\n\n{_with_ppo()}"


def _with_ppo() -> str:
    found = kept(trajectory_preferences.KEPT)
    settings, first = found["settings"], next(iter(trajectory_preferences.LEARNERS))
    rows = [
        (
            condition,
            over_seeds(part["preferred"], _three),
            *(over_seeds(part[learner]["exploited"], _three) for learner in trajectory_preferences.LEARNERS),
        )
        for condition, part in found["parts"].items()
    ]
    missing = [condition for condition in trajectory_preferences.CONDITIONS if condition not in found["parts"]]
    words = paragraph(f"""
        The same with IPPO in whole episodes of {settings["max_steps"]} steps, {settings["env_steps"]:,} steps of
        training, {settings["seeds"]} seeds: how often a trajectory that was learned from {first} is preferred to one
        that was learned from the reward model, and how far a plan of two levels exploits either; intervals
        are Student's and may pass 1.
        {f"Not run: {listed(missing)}." if missing else ""}
    """)
    headings = ("preferences", "preferred", *(f"{learner}: exploited" for learner in trajectory_preferences.LEARNERS))
    return f"{words}\n\n{table(headings, rows)}"


def language() -> str:
    """Return how often language models are preferred to themselves before training."""
    found = kept(LANGUAGE)
    settings = found["settings"]
    rates: dict[str, list[float]] = {}
    for part, told in found["parts"].items():
        rates.setdefault(part.partition("/")[0], []).append(told["win_rate"])
    rows = [(f"`{method}`", over_seeds(values, score_text), f"{len(values)}") for method, values in rates.items()]
    words = paragraph(f"""
        How often a rollout is preferred to one of the same task by the model before training; 0.50 is no change. A
        built-in model of {settings["model"]["layers"]} layer of width {settings["model"]["width"]},
        {settings["decisions"]} decisions in {settings["game"]}, compared on {settings["held_out"]} tasks that it was
        not trained on with {settings["rollouts"]} rollouts each; means over seeds, in brackets the 95 % interval or,
        below five seeds, what each seed reached (`{found["command"]}`).
    """)
    return f"{table(('method', 'win rate', 'seeds'), rows)}\n\n{words}"


@cache
def _preferences() -> AgentPreferences:
    return agent_preferences(load_corpus(CORPUS).runs)


def _majorities(found: AgentPreferences) -> str:
    winners = found.winner.options
    if len(winners) > 1 or found.preferences.copeland[winners[0]] < len(found.agents) - 1:
        return ""
    return ", whom majorities prefer to everybody else" + (": the cycle lies below it" if found.cycles else "")


def _cycle(found: AgentPreferences) -> str:
    if not found.cycles:
        return "A ranking agrees with every majority."
    cycle = found.cycles[0]
    certainty = found.certainty(cycle)
    seen = "" if certainty is None else f", in {100 * certainty:.0f} % of resamples"
    return f"Majorities go round: {' > '.join(_around(found))} (weakest majority {cycle.weakest:.3f}{seen})."


def _around(found: AgentPreferences) -> Iterator[str]:
    options = found.cycles[0].options
    return (found.agents[agent] for agent in (*options, options[0]))


def _with_interval(value: Estimate | None) -> str:
    if value is None:
        return ""
    around = spread(value, score_text)
    return score_text(value.value) + (f" ({around})" if around else "")


def _three(value: float) -> str:
    return f"{value:.3f}"
