"""Pages of the formal games of interdependence (TR-1)."""

from __future__ import annotations

from coopgym.games.formal.pages.shared import MEMBERS, NEWCOMERS, TRUST_UPDATE, VALUES, formal_page
from coopgym.games.page import Source, Symbol

PARTNER_HOLD_UP = formal_page(
    title="Partner hold-up",
    summary="A weak supplier sinks an asset; a strong buyer decides by its conduct what share the supplier gets.",
    story=(
        "The buyer gains by squeezing the share once the supplier's asset is sunk, so the supplier under-invests: "
        "hold-up. It walks away, for good, when its trust in the buyer falls below {WALK_AWAY:.2f}."
    ),
    seats="agent_0 = strong buyer, agent_1 = weak supplier.",
    actions=(
        "investment in [0, {endowments[0]}] and [0, {endowments[1]}]; norms {baselines[0]} and {baselines[1]}; c_i = "
        "a_i/e_i."
    ),
    payoff=(
        "π_i = own_i + s_i N γ G_β(c_0, K') with {own_value}, {pair_synergy}, K' = K + {ASSET_ADJUSTMENT:.2f} (c_1 "
        "- K), the supplier's share s_1 = {SUPPLIER_SHARE[0]} + {SUPPLIER_SHARE[1]:.2f} c_0 and s_0 = 1 - s_1. θ "
        "{theta}, γ {gamma}, β {beta}, k {k}, mean endowment u {game.payoff_unit}, D_01 {interdependence[0][1]}, "
        "D_10 {interdependence[1][0]}. Once dissolved: the outside option [e_i - k a° + θ ln(1 + a°)]/u with a° = "
        "θ/k - 1, {game.outside[0]:.3f} and {game.outside[1]:.3f}, whatever is played. {integrated_reward}."
    ),
    state=(
        "asset K ← K' from {game.initial_asset}; {trust_on_conduct}; then `gone` becomes 1 for good when the new T_10 "
        "is below {WALK_AWAY:.2f}. From then on K, T and R are frozen."
    ),
    end=(
        "truncated after {horizon} steps, never early. With ``end_on_dissolution=True`` dissolution terminates and "
        "pays the rest of the outside option at once; returns are the same."
    ),
    info=(
        "also `asset`, `supplier_share`, `supplier_trust` = T_10, `buyer_trust` = T_01, `power_asymmetry` = D_10 - "
        "D_01, `gone`."
    ),
    off_switch=(
        "``mechanism=False`` is a complete contract: shares fixed at {share[0]} and {share[1]} (``share``), and "
        "investment pays at once (K' = c_1), and nobody walks away."
    ),
    closed_forms="for the stage game with K' = c_1, the steady state of the asset.",
    symbols=(
        Symbol("gone", "gone", "1 once the supplier has walked away", "{0, 1}"),
        Symbol("asset", "K", "the supplier's sunk asset"),
    ),
    sources=(VALUES, TRUST_UPDATE),
    remark="Asset and conduct-dependent share are of this edition; the share equals the published 0.40 at c_0 = 0.5.",
    versions=(
        "v0 (released) splits by fixed shares, has no asset and ends the episode when the supplier walks away; v1 "
        "(formal) adds the asset, lets the buyer's conduct decide the split and pays the outside option after "
        "dissolution."
    ),
)

PLATFORM_ECOSYSTEM = formal_page(
    title="Platform ecosystem",
    summary="A platform and developers that leave when their link to it weakens and return when it heals.",
    story=(
        "Developers split a pot that all of them fill, so each is tempted to ride free, and the platform keeps only "
        "{platform_share:%} of what its openness creates. The threat to leave disciplines each link by itself."
    ),
    seats="agent_0 = platform, agent_1 .. agent_{last} = developers (interchangeable).",
    actions=(
        "investment in [0, {endowments[0]}] (platform) and [0, {endowments[1]}]; norms {baselines[0]} and "
        "{baselines[1]}; c_i = a_i/e_i."
    ),
    payoff=(
        "π_i = own_i + s_i N γ m_0 G_β(c_0, x) with {own_value}, {pair_synergy} and developers' pooled effort x = "
        "Σ_j m_j a_j / Σ_j e_j. The platform's s_0 is α_0 = {platform_share}; developers present share 1 - α_0 in "
        "proportion to α_j, absent ones get own_j only. θ {theta}, γ {gamma}, β {beta}, k {k}, mean endowment u "
        "{game.payoff_unit}, D_0j {interdependence[0][1]}, D_j0 {interdependence[1][0]}. {integrated_reward}."
    ),
    state=(
        "{trust_on_conduct}, absent developers included; then from link_j = min(T_j0, T_0j) after the step m_j ← 0 "
        "{link_levels}, else unchanged; m_0 ← max_j m_j."
    ),
    end="truncated after {horizon} steps, never early; exits are reversible.",
    info="also `members`, `links` (per developer); step only `exits`, `returns` (per agent).",
    off_switch="``mechanism=False`` has no exits; the stage game at reset is the same.",
    symbols=(MEMBERS, *NEWCOMERS),
    sources=(VALUES, TRUST_UPDATE),
    remark="Exits and returns are of this edition.",
    versions=(
        "v0 (released) needs every agent for synergy and ends the episode when developers' trust collapses; v1 "
        "(formal) pools developers' effort and lets each link break and heal."
    ),
)

DYNAMIC_PARTNER_SELECTION = formal_page(
    title="Dynamic partner selection",
    summary="Equal agents choose whom to spend time with, by public score and own trust.",
    story=(
        "Within a meeting each side bears its cost and gets half of the joint product. A meeting needs both sides, so "
        "a low score or lost trust leaves an agent with little company, and unmatched time earns nothing."
    ),
    seats="agent_0 .. agent_{last} (interchangeable).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + γ Σ_j q_ij G_β(c_i, c_j) with {own_value} and {pair_synergy}. Desirability z_ij = (ρ_j + "
        "min(T_ij, 1 - R_ij))/2, proposals p_ij = exp(η z_ij)/Σ_l≠i exp(η z_il), time together q_ij = min(p_ij, "
        "p_ji); η is ``choosiness``, {choosiness}. θ {theta}, γ {gamma}, β {beta}, k {k}, mean endowment u "
        "{game.payoff_unit}, D {dependence}. {integrated_reward}."
    ),
    state="{trust_on_conduct}; ρ ← ρ + {SCORE_RATE} (c - ρ) from 0.5.",
    info=(
        "also `score`, `time_shares` (q, N × N), `best_partner` (index of the largest q_ij), `unmatched` = 1 - Σ_j "
        "q_ij."
    ),
    off_switch="``mechanism=False`` matches uniformly, q_ij = 1/(N - 1); the stage game at reset is the same.",
    closed_forms="at equal standing {pair_equilibrium}.",
    symbols=(
        Symbol("score", "ρ_i", "public score of past cooperation"),
        Symbol("time_shares", "q_ij", "own time with each partner in the coming step"),
    ),
    sources=(VALUES, TRUST_UPDATE),
    remark="Matching is of this edition.",
    versions=(
        "in v0 (released) all interact with all and the score changes nothing that is paid; in v1 (formal) score and "
        "trust decide who meets whom."
    ),
)

SYNERGY_SEARCH = formal_page(
    title="Synergy search",
    summary="Two partners infer from their payoffs how much their synergy is worth in this episode.",
    story=(
        "The usual dyadic dilemma, each bearing its cost for half of the joint product, of which the weight is drawn "
        "once per reset and hidden. It moves the private Nash, the coopetitive equilibrium and the optimum."
    ),
    seats="agent_0 and agent_1 (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + α_i N γ G_β(c_0, c_1) with {own_value} and {pair_synergy}. θ {theta}, γ uniform on "
        "``gamma_range`` [{gamma_range[0]}, {gamma_range[1]}], β {beta}, k {k}, α {shares[0]}, mean endowment u "
        "{game.payoff_unit}, D {dependence}. ``payoff_noise`` makes inference take several steps. "
        "{integrated_reward}."
    ),
    state=('{trust_on_conduct}; the last payoffs are kept, γ stays. Set γ with ``options={{"gamma": x}}`` at reset.'),
    observation="The full view adds γ, scaled to its range, before the time, so it must not reach a policy under test.",
    info="also `gamma`, and that only with ``privileged=True``.",
    off_switch="``mechanism=False`` sets γ to the middle of its range in every episode; nothing is drawn.",
    closed_forms=(
        "{pair_equilibrium}. At γ 2.1, 2.5 and 2.9 Nash is 11, 14 and 19 %, the optimum 41, 63 and 93 %; acting on a "
        "low belief when γ is high costs 6.9 % of welfare."
    ),
    symbols=(
        Symbol(
            "gamma", "γ", "synergy weight of the episode; the full view shows where in its range it lies", "γ_range"
        ),
        Symbol("last_payoff", "π_i", "own last payoff; observed as π_i/3 clipped to [0, 1]", "payoff units"),
    ),
    sources=(VALUES, TRUST_UPDATE),
    remark="The draw is of this edition.",
    versions=(
        "v0 (released) hides the weight and shows no payoff to infer it from; v1 (formal) shows each agent its own "
        "last payoff."
    ),
)

_PHASE = (
    "{{PHASES[{0}][dependence][0][1]:.2f}}, {{PHASES[{0}][dependence][1][0]:.2f}}, "
    "{{PHASES[{0}][initial_trust]:.2f}}, {{PHASES[{0}][initial_reputation]:.2f}}"
)
_PHASES = "; ".join(
    f"{phase}{' (default)' if phase == 'mature' else ''} {_PHASE.format(phase)}"
    for phase in ("formation", "mature", "crisis", "strained")
)


RENAULT_NISSAN = formal_page(
    title="Renault and Nissan",
    summary="Nissan and Renault in one of four historical phases of their alliance.",
    story=(
        "Each firm bears its cost of cooperation and gets about half of the joint product, of which a part needs "
        "mutual trust. Low trust shrinks the synergy, so the gap is smaller in the other phases (price of anarchy "
        "1.12-1.14 at their start)."
    ),
    seats="agent_0 = Nissan, agent_1 = Renault.",
    actions=(
        "investment in [0, {endowments[0]}] and [0, {endowments[1]}]; norms {baselines[0]} and {baselines[1]}; c_i = "
        "a_i/e_i."
    ),
    payoff=(
        "π_i = own_i + α_i N γ_t G_β(c_0, c_1) with {own_value}, {pair_synergy} and {trust_gate}. θ {theta}, γ "
        "{gamma}, β {beta}, k {k}, χ {chi}, α {shares[0]} and {shares[1]}, mean endowment u {game.payoff_unit}. "
        "``phase`` sets D_01, D_10, T0 and R0: " + _PHASES + ". {integrated_reward}."
    ),
    state=(
        "T and R on signals tanh(κ (c_j - b_j)/{SIGNAL_WIDTH}) with {trust_rates} (T0 and R0 by phase); nothing else "
        "moves."
    ),
    info="also `agent_names`, `phase`, `period` (years).",
    off_switch="``mechanism=False`` takes trust out of the payoff (γ_t = γ).",
    closed_forms=(
        "Other phases, Nash, coopetitive and optimum: formation 13/12, 22/20, 55/49 %; crisis 12/11, 14/15, 48/43 %; "
        "strained 13/12, 16/17, 52/47 %; price of anarchy 1.136, 1.119, 1.130."
    ),
    sources=(Source("TR-2", "case study and Eq. 6-9", "trust"), VALUES),
    remark="Shares, interdependence, norm and trust parameters as published; θ, γ, β, k recalibrated.",
    versions=(
        "v0 (released) has the same phases but pays a synergy that trust does not touch; v1 (formal) gates synergy by "
        "trust and normalises the signals."
    ),
)
