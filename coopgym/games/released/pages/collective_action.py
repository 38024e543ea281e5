"""Pages of the released games of collective action (TR-3)."""

from __future__ import annotations

from coopgym.games.page import Source, Symbol
from coopgym.games.released.pages.shared import RECENT, TEAM_LOYALTY, released_page

TEAM = (
    "Every team game pays value and synergy of TR-1, with θ {game.value.theta}, γ {game.value.gamma} and D "
    "{interdependence[0][1]}. What a team with production Q(a) = ω (Σa)^β would make of the same effort is reported "
    "and pays nothing."
)
CONDUCT = (
    "Rewards are multiplied by F_i B_i G for free riding, habit and coordination: F_i is 0.5 below 30 % of endowment; "
    "B_i is 1 + 0.15 L_i where the mean share L_i of the last {HABIT_WINDOW} steps is at least 0.6; G is 1.2 when "
    "nobody plays less than half."
)
TEAM_INFO = (
    "`team_output`, `nash_equilibrium`, `social_optimum` (not limited to the endowment), `efficiency_ratio`, "
    "`loyalty_scores`, `mean_loyalty`, `team_cohesion`, `free_rider_count`, `free_rider_indices`"
)
CONDUCT_INFO = f"{TEAM_INFO}, `recent_cooperation` (L)"

TEAM_PRODUCTION = released_page(
    title="Team production",
    summary="A team whose members lose a tenth of their reward for very low effort.",
    story=TEAM,
    seats="agent_0 .. agent_{last} (symmetric).",
    actions="effort in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff="shared payoff of `TeamGame`, times 0.9 for agents below 20 % of their endowment.",
    info=f"also {TEAM_INFO}.",
    symbols=(TEAM_LOYALTY,),
    report=Source("TR-3"),
    remark="Loyalty scores never move; ω, β and c change ``info`` only.",
)

LOYALTY_TEAM = released_page(
    title="Loyalty team",
    summary="A team in which free riding costs, and habitual and coordinated cooperation pay.",
    story=f"{TEAM} {CONDUCT}",
    seats="agent_0 .. agent_{last} (symmetric).",
    actions="effort in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff="shared payoff of `TeamGame` times the factors of `ConductGame`.",
    info=f"also {CONDUCT_INFO}; `loyalty_lift` = Q(a)/Q(a*), one at reset.",
    symbols=(TEAM_LOYALTY, RECENT),
    report=Source("TR-3"),
    remark="The slow loyalty score θ is reported and pays nothing.",
)

COALITION_FORMATION = released_page(
    title="Coalition formation",
    summary="A coalition that pays its members more and excludes those whose loyalty has run out.",
    story=f"{TEAM} {CONDUCT}",
    seats="agent_0 .. agent_{last} (symmetric, but ties exclude lower indices first).",
    actions="effort in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff of `TeamGame` times the factors of `ConductGame`, times 1.1 for members of a coalition of "
        "sufficient size and 0.5 for excluded agents, who still take part in synergy and trust."
    ),
    membership=(
        "after each step, members whose loyalty score is below ``exit_threshold`` are excluded in list order while the "
        "coalition is larger than ``min_coalition_size``; excluded agents count their timer down and return to the end "
        "of the list once it has run out and their score is at least 0.4."
    ),
    end=(
        "after {horizon} steps; terminated when the coalition is smaller than ``min_coalition_size``, which exclusion "
        "avoids."
    ),
    observation="Membership is not observed.",
    info=(
        f"also {CONDUCT_INFO}; "
        "`coalition_size`, `coalition_members`, `excluded_agents` (both booleans per agent), "
        "`coalition_stability`."
    ),
    symbols=(
        TEAM_LOYALTY,
        RECENT,
        Symbol("members", "m_i", "1 for members of the coalition", "{0, 1}"),
        Symbol("arrival", "arrival", "order in which agents joined the list of members", "counts"),
        Symbol("timers", "timers", "steps that each excluded agent must still wait", "0 to T_max"),
    ),
    report=Source("TR-3"),
)

APACHE_PROJECT = released_page(
    title="Apache project",
    summary="A large open-source project in one of four periods of its history.",
    story=f"{TEAM} {CONDUCT}",
    seats=(
        "agent_0 .. agent_{last} (symmetric contributors); {PHASES[emergence].n_agents}, "
        "{PHASES[growth].n_agents} or {PHASES[evolution].n_agents} in other periods."
    ),
    actions="effort in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff of `TeamGame` times the factors of `ConductGame`. Rows of D sum to 0.55 (N - 1), so integrated "
        "rewards are an order of magnitude above those of other games."
    ),
    info=(
        f"also {CONDUCT_INFO}; "
        "`phase`, `phase_years`, `phase_loyalty`, `expected_effort`, `effort_deviation`, `validation_accuracy`."
    ),
    symbols=(TEAM_LOYALTY, RECENT),
    report=Source("TR-3", "case study"),
    remark="The period caps the reported loyalty score and changes rewards through the team size only.",
)

PUBLIC_GOODS = released_page(
    title="Public goods",
    summary="A group named after the linear public good and rewarded like the other teams.",
    story=f"{TEAM} {CONDUCT}",
    seats="agent_0 .. agent_{last} (symmetric).",
    actions="contribution in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff="shared payoff of `TeamGame` times the factors of `ConductGame`. Contributing nothing is not dominant.",
    info=(
        f"also {CONDUCT_INFO}; "
        "`total_contribution`, `public_good` = M Σa, `contribution_rate`, and `social_efficiency`, the sum of v_i "
        "= (E - a_i) + M Σa / N + loyalty term relative to its value when everyone contributes all."
    ),
    symbols=(TEAM_LOYALTY, RECENT),
    report=Source("TR-3"),
    remark="The public good is reported and pays nothing.",
)
