"""Pages of the released games of trust and reputation (TR-2)."""

from __future__ import annotations

from coopgym.games.page import Source, Symbol
from coopgym.games.released.pages.shared import SCORES, released_page

TRUST_DILEMMA = released_page(
    title="Trust dilemma",
    summary="Two equal partners for whom falling short of a 40 % norm destroys trust quickly.",
    seats="agent_0 and agent_1 (interchangeable firms).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff="shared payoff with θ {game.value.theta}, γ {game.value.gamma}.",
    end=(
        "terminated when mean trust is below 0.05; truncated after {horizon} steps. Random play ends after about 12 "
        "steps."
    ),
    info=(
        "step only `cooperation_counts`, `defection_counts` (steps at or above the norm, and below), and "
        "`cooperation_rates`."
    ),
    symbols=(Symbol("cooperations", "cooperations", "steps at or above the norm, per agent", "0 to T_max"),),
    report=Source("TR-2"),
)

RECOVERY_RACE = released_page(
    title="Recovery race",
    summary="Two partners after a crisis, with little trust and much damage, on the way back to a target.",
    seats="agent_0 and agent_1 (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}. Success pays nothing and ends a stream of "
        "positive payoffs."
    ),
    end=(
        "terminated when mean trust reaches ``recovery_target``; truncated after {horizon} steps. With the default "
        "damage and horizon the target is out of reach: full cooperation leads to 0.8735 and would need 174 steps."
    ),
    info="step only `peak_trust`, `recovery_step` (0 before success), `trust_ceiling`, `recovery_progress`.",
    symbols=(
        Symbol("peak_trust", "peak_trust", "highest mean trust so far"),
        Symbol("recovery_step", "recovery_step", "step at which the target was reached, 0 before", "0 to T_max"),
    ),
    report=Source("TR-2"),
)

SLCD = released_page(
    title="S-LCD: Samsung and Sony",
    summary="The LCD-panel venture of Samsung and Sony, with mildly unequal shares and asymmetric dependence.",
    seats="agent_0 = Samsung, agent_1 = Sony.",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma} and bargaining shares {shares[0]} and "
        "{shares[1]}."
    ),
    info="also `agent_names`, `samsung_investment`, `sony_investment`.",
    report=Source("TR-1", "case study"),
)

COOPERATIVE_NEGOTIATION = released_page(
    title="Cooperative negotiation",
    summary="Two partners whose actions are also proposals: close ones bind, and large departures cost a penalty.",
    seats="agent_0 and agent_1 (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}. When anyone departs by more than "
        "``agreement_threshold`` from a standing agreement, both pay ``breach_penalty_multiplier`` times their own "
        "departure, after the reward mode."
    ),
    agreement=(
        "actions within the threshold of each other become the agreement, each agent's own action; a breach does not "
        "dissolve it. It costs no trust."
    ),
    observation=(
        "The last three numbers of the joint observation are the agreement (zeros when none) and a flag, both before "
        "the last step."
    ),
    info=(
        "step only `agreement_reached`, `current_agreement` (zeros without one), `breach_occurred`, "
        "`total_agreements`, `total_breaches`, `proposal_convergence`."
    ),
    symbols=(
        Symbol("agreement", "agreement", "what each agent agreed to play, zeros without agreement", "[0, e_i]"),
        Symbol("agreed", "agreed", "1 when there is an agreement", "{0, 1}"),
        Symbol("agreements", "agreements", "agreements so far", "0 to T_max"),
        Symbol("breaches", "breaches", "breaches so far", "0 to T_max"),
        Symbol(
            "shown_agreement",
            "shown_agreement",
            "agreement and flag in the joint observation, those before the last step",
            "[0, e_i]",
        ),
    ),
    report=Source("TR-2"),
)

REPUTATION_MARKET = released_page(
    title="Reputation market",
    summary="A market in which a public score assigns each agent to a tier that multiplies its reward.",
    seats="agent_0 .. agent_{last} (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}.",
    payoff=(
        "shared payoff with θ {game.value.theta}, γ {game.value.gamma}, times 1.3 (premium, ρ ≥ 0.8), 1 (standard, ρ "
        "≥ 0.5), 0.7 (probation, ρ ≥ 0.25) or 0.4 (excluded), after the reward mode. ρ starts at 0.5 and moves by 0.1 "
        "(c - 0.5) before it pays."
    ),
    observation=(
        "The last five numbers of the joint observation are the scores before the last update, with noise when "
        "``reputation_visibility`` is below one."
    ),
    info=(
        "step only `public_reputations`, `reputation_ranking`, `agent_tiers` (0 excluded, 1 probation, 2 standard, 3 "
        "premium), `mean_reputation`, `reputation_inequality` (standard deviation)."
    ),
    symbols=SCORES,
    report=Source("TR-2"),
)
