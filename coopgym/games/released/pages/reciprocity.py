"""Pages of the released games of bounded reciprocity (TR-4)."""

from __future__ import annotations

from functools import partial

from coopgym.games.page import Source
from coopgym.games.released.pages.shared import MEMORY, released_page

MULTIPLIER = (
    "The reciprocity multiplier is m_i = max({LEAST_MULTIPLIER}, 1 + u_i / mean e), u_i = λ_R Σ_j T_ij (1 + ω_r "
    "D_ij) ρ₀ D_ij^η tanh(κ_r s_j), where s_j = a_j - ā_j compares an action with the mean ā_j over the last min(k, "
    "t - 1) steps, the current one included (zero at the first step), in action units; λ_R "
    "{game.reciprocity.strength}, ω_r {game.reciprocity.omega}, ρ₀ {game.reciprocity.rho_0}, η "
    "{game.reciprocity.eta}, κ_r {game.reciprocity.kappa}, k {game.reciprocity.window}. Trust is raw trust after "
    "the step."
)
INFO = (
    "also the pairwise `cooperation_signals` s_ij, `reciprocity_effects` and `memory_averages` ā_j, and "
    "`tr4_memory_window` k."
)

reciprocity_page = partial(released_page, story=MULTIPLIER, info=INFO, symbols=MEMORY)

RECIPROCAL_DILEMMA = reciprocity_page(
    title="Reciprocal dilemma",
    summary="Two equal firms whose rewards rise a little when the partner exceeds its recent average.",
    seats="agent_0 and agent_1 (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}, times the reciprocity multiplier, at most "
        "0.65 % from one at full trust."
    ),
    report=Source("TR-4"),
    remark=(
        "The window includes the current action and the first step compares with zero, unlike TR-4 Eq. 20; the effect "
        "is divided by the mean endowment instead of being added to utility."
    ),
)

GIFT_EXCHANGE = reciprocity_page(
    title="Gift exchange",
    summary="Employer and worker of unequal means, where the worker answers the employer's deviations more strongly.",
    seats="agent_0 = employer, agent_1 = worker.",
    actions="wage or effort in [0, {endowments[0]}] and [0, {endowments[1]}]; norms {baselines[0]} and {baselines[1]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}, times the reciprocity multiplier, at full "
        "trust at most 0.53 % (employer) and 1.46 % (worker) from one."
    ),
    report=Source("TR-4"),
)

INDIRECT_RECIPROCITY = reciprocity_page(
    title="Indirect reciprocity",
    summary="Four agents whose rewards answer each partner's deviation from its own past.",
    seats="agent_0 .. agent_{last} (symmetric).",
    actions="contribution in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}, times the reciprocity multiplier, at most "
        "1.73 % from one at full trust."
    ),
    report=Source("TR-4"),
    remark=(
        "There is no image score: actions are not directed at partners, so the mechanism is direct reciprocity with "
        "three partners."
    ),
)

GRADUATED_SANCTION = reciprocity_page(
    title="Graduated sanction",
    summary="Six agents with a high norm, a long memory and a reward that answers deviations from it.",
    seats="agent_0 .. agent_{last} (symmetric).",
    actions="contribution in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}, times the reciprocity multiplier, at most "
        "1.51 % from one at full trust."
    ),
    report=Source("TR-4"),
    remark=(
        "Signals are in action units, so the answer is saturated for deviations above about 3 units and is not "
        "graduated."
    ),
)

APPLE_APP_STORE = reciprocity_page(
    title="Apple App Store",
    summary="An app store and two groups of developers that depend on it far more than it depends on them.",
    seats="agent_0 = Apple, agent_1 = major developers, agent_2 = small developers.",
    actions=(
        "investment in [0, {endowments[0]}], [0, {endowments[1]}] and [0, {endowments[2]}] per quarter; norms "
        "{norms[0]:%} of it."
    ),
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}, times the reciprocity multiplier, at full "
        "trust at most 0.58, 1.71 and 1.81 % from one."
    ),
    report=Source("TR-4", "case study"),
    remark="The historical phases change nothing.",
)
