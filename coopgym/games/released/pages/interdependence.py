"""Pages of the released games of interdependence (TR-1)."""

from __future__ import annotations

from coopgym.games.page import Source, Symbol
from coopgym.games.released.pages.shared import SCORES, released_page

PARTNER_HOLD_UP = released_page(
    title="Partner hold-up",
    summary="A strong buyer and a weak supplier, who walks away once its trust in the buyer is nearly gone.",
    seats="agent_0 = strong buyer, agent_1 = weak supplier.",
    actions="investment in [0, {endowments[0]}] and [0, {endowments[1]}]; norms {baselines[0]} and {baselines[1]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma} and bargaining shares {shares[0]} and "
        "{shares[1]}."
    ),
    end="terminated when T_10 < 0.10; truncated after {horizon} steps.",
    info=(
        "also `trust_asymmetry` = T_10 - T_01, `power_asymmetry`, `weak_trust_in_strong`, `strong_trust_in_weak`, "
        "`strong_agent_payoff` and `weak_agent_payoff` (private payoffs of the step, zero at reset)."
    ),
    remark="The numbers are those of Coopetition-Gym v1.0, which always reported zero payoffs in ``info``.",
)

PLATFORM_ECOSYSTEM = released_page(
    title="Platform ecosystem",
    summary="A platform and developers who depend on it, and not on one another.",
    seats="agent_0 = platform, agent_1 .. agent_{last} = developers.",
    actions="investment in [0, {endowments[0]}] (platform) and [0, {endowments[1]}]; norms {norms[0]:%} of it.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}; the synergy is a geometric mean over all "
        "agents."
    ),
    end="terminated when the developers' mean trust in the platform is below 0.15; truncated after {horizon} steps.",
    info=(
        "also `platform_investment`, `mean_developer_investment`, `developer_investment_std`, "
        "`developer_trust_in_platform`, `developer_exits` (all of them once trust has collapsed)."
    ),
    remark="The numbers are those of Coopetition-Gym v1.0, which never cleared `developer_exits`.",
)

DYNAMIC_PARTNER_SELECTION = released_page(
    title="Dynamic partner selection",
    summary="A pool of equal agents with a public score of past cooperation; all interact with all.",
    seats="agent_0 .. agent_{last} (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}. The score ρ ← 0.9 ρ + 0.1 c changes nothing "
        "that is paid."
    ),
    observation="The last six numbers of the joint observation are the scores before the last update.",
    info="step only `reputation_scores`, `reputation_ranking`.",
    symbols=SCORES,
    remark=(
        "The numbers are those of Coopetition-Gym v1.0, which carried scores from one episode to the next; here they "
        "start at 0."
    ),
)

SYNERGY_SEARCH = released_page(
    title="Synergy search",
    summary="Two partners whose synergy weight is drawn anew and hidden in every episode.",
    seats="agent_0 and agent_1 (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta} and γ uniform on ``gamma_range``, drawn from the reset's seed or "
        "given as a reset option."
    ),
    observation="``reveal_gamma_in_obs=True`` appends γ to the joint observation.",
    info=(
        "step only `true_gamma` (0 unless revealed), `gamma_type` (1 above 0.6, else 0; privileged, not for policies). "
        "The documented running sums of rewards depend on the reward mode: environments add them for every game."
    ),
    symbols=(Symbol("gamma", "γ", "synergy weight of the episode"),),
    remark="The numbers are those of Coopetition-Gym v1.0, where the seed of a reset did not control γ.",
)

RENAULT_NISSAN = released_page(
    title="Renault and Nissan",
    summary="An automotive alliance in one of four periods of its history.",
    seats="agent_0 = Nissan, agent_1 = Renault.",
    actions="investment in [0, {endowments[0]}] and [0, {endowments[1]}]; norms {baselines[0]} and {baselines[1]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma} and bargaining shares {shares[0]} and "
        "{shares[1]}."
    ),
    info="also `phase`, `period`, `agent_names`.",
    report=Source("TR-2", "case study"),
    remark="The numbers are those of Coopetition-Gym v1.0, which are not the calibration of that report.",
)
