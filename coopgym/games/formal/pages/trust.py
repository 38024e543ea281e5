"""Pages of the formal games of trust and reputation (TR-2)."""

from __future__ import annotations

from coopgym.games.formal.pages.shared import TRUST_UPDATE, VALUES, formal_page
from coopgym.games.page import Source, Symbol

TRUST_DILEMMA = formal_page(
    title="Trust dilemma",
    summary="Two equal partners whose synergy depends on mutual trust; if trust is used up, the relation ends.",
    story=(
        "Low cooperation saves cost now and loses the partner's trust, hence synergy, later. At low trust the "
        "coopetitive equilibrium lies below the norm, so trust decays further; at full trust it lies above and trust "
        "is sustained: two basins."
    ),
    seats="agent_0 and agent_1 (interchangeable partners).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + α_i N γ_t G_β(c_0, c_1) with {own_value}, {pair_synergy} and {trust_gate}. θ {theta}, γ "
        "{gamma}, β {beta}, k {k}, χ {chi}, α {shares[0]}, mean endowment u {game.payoff_unit}, D {dependence}. "
        "Once dissolved: the outside option [e - k a° + θ ln(1 + a°)]/u = {game.outside[0]:.3f} with a° = θ/k - 1, "
        "whatever is played. {integrated_reward}."
    ),
    state=(
        "{trust_on_conduct}; then `gone` becomes 1 for good when the mean of the new T is below {COLLAPSE}. From then "
        "on T and R are frozen."
    ),
    end=(
        "truncated after {horizon} steps, never early. With ``end_on_dissolution=True`` dissolution terminates and "
        "pays the rest of the outside option at once; returns are the same. Nobody cooperating dissolves the relation "
        "after 4 steps."
    ),
    info="also `gone`, `gate` = γ_t/γ.",
    off_switch="``mechanism=False`` gives full synergy always and no dissolution.",
    closed_forms="{gated_equilibrium}.",
    symbols=(Symbol("gone", "gone", "1 once the relation has dissolved", "{0, 1}"),),
    sources=(TRUST_UPDATE, VALUES),
    versions=(
        "v0 (released) ends the episode when trust is used up and pays a synergy that trust does not touch; v1 "
        "(formal) gates synergy by trust and pays the outside option after dissolution."
    ),
)

RECOVERY_RACE = formal_page(
    title="Recovery race",
    summary="Two partners after a crisis rebuild trust to win back lost contracts.",
    story=(
        "Both sides gain from repair, and each saves by letting the other repair. Trust starts at {initial_trust} "
        "under damage {initial_reputation}; commitments have a failed equilibrium and a recovered one."
    ),
    seats="agent_0 and agent_1 (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + α_i N γ_t G_β(c_0, c_1) + {RECOVERY_DIVIDEND} σ((τ - {RECOVERY_LEVEL})/{RECOVERY_SOFTNESS}) "
        "with {own_value}, {pair_synergy}, γ_t = γ (1 - χ + χ τ) and τ the mean of min(T_ij, 1 - R_ij). The last "
        "term is the recovery dividend. θ {theta}, γ {gamma}, β {beta}, k {k}, χ {chi}, α {shares[0]}, mean "
        "endowment u {game.payoff_unit}, D {dependence}. {integrated_reward}."
    ),
    state=(
        "{trust_on_conduct}; then the highest τ so far and the first step with τ ≥ {RECOVERY_LEVEL}, which pay nothing "
        "and are not observed."
    ),
    info=(
        "also `recovered` (τ ≥ {RECOVERY_LEVEL} now), `recovery_step` (-1 before the first such step), `peak_trust` "
        "(highest τ), `trust_ceiling` (1 - mean damage)."
    ),
    off_switch="``mechanism=False`` gives full synergy always and no dividend.",
    closed_forms=(
        "{gated_equilibrium}. Full cooperation passes τ = {RECOVERY_LEVEL} at step 48, 60 % at step 61, 45 % at step "
        "97."
    ),
    symbols=(
        Symbol("peak_trust", "max τ", "highest mean effective trust so far"),
        Symbol("recovery_step", "t_R", "first step at the recovery level, -1 before", "-1 to T_max"),
        Symbol("dividend_level", "σ(τ)", "part of the recovery dividend that is paid"),
    ),
    sources=(Source("TR-2", "Eq. 6-9", "trust and damage"), VALUES),
    versions=(
        "in v0 (released) success pays nothing, ends the episode and is out of reach by default; in v1 (formal) "
        "recovery is reachable and pays a dividend in every step."
    ),
)

SLCD = formal_page(
    title="S-LCD: Samsung and Sony",
    summary="Samsung and Sony in an LCD joint venture with unequal shares and dependence.",
    story=(
        "Each firm bears its cost of cooperation and gets about half of the joint product, of which a part needs "
        "mutual trust. Sony depends more on the venture ({interdependence[1][0]} against {interdependence[0][1]}) and "
        "gets the smaller share of it."
    ),
    seats="agent_0 = Samsung, agent_1 = Sony.",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + α_i N γ_t G_β(c_0, c_1) with {own_value}, {pair_synergy} and {trust_gate}. θ {theta}, γ "
        "{gamma}, β {beta}, k {k}, χ {chi}, α {shares[0]} and {shares[1]}, mean endowment u {game.payoff_unit}, "
        "D_01 {interdependence[0][1]}, D_10 {interdependence[1][0]}. {integrated_reward}."
    ),
    state="{trust_on_conduct}; nothing else moves.",
    info="also `agent_names`, `samsung_investment`, `sony_investment` (units).",
    off_switch="``mechanism=False`` takes trust out of the payoff (γ_t = γ).",
    sources=(Source("TR-1", "case study and Eq. 6-8, 11, 13", "value, payoff, weights"), TRUST_UPDATE),
    remark="Shares, interdependence, trust parameters and norm as published; θ, γ, β, k recalibrated.",
    versions=(
        "v0 (released) has the same shares, interdependence and trust rates but pays a synergy that trust does not "
        "touch; v1 (formal) gates synergy by trust and normalises the signals."
    ),
)

COOPERATIVE_NEGOTIATION = formal_page(
    title="Cooperative negotiation",
    summary="Actions are proposals: close ones make an agreement, and falling short of it costs damages and trust.",
    story=(
        "Without an agreement this is the usual dyad: each bears its cost and gets half of the joint product. Under an "
        "agreement at the optimum the best deviation is to shade within the tolerance, which takes away two thirds of "
        "greed."
    ),
    seats="agent_0 and agent_1 (symmetric).",
    actions="investment in [0, {endowments[0]}], which is also the proposal; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + α_i N γ G_β(c_0, c_1) - {DAMAGES_RATE} x_i + {DAMAGES_RATE} x_j with {own_value} and "
        "{pair_synergy}. Shortfall x_i = F [G - tol - c_i]₊ unless the proposals are close, |c_0 - c_1| ≤ tol; tol "
        "is ``tolerance``, {tolerance:.2f}. Damages go to the partner, so welfare is unchanged. θ {theta}, γ "
        "{gamma}, β {beta}, k {k}, α {shares[0]}, mean endowment u {game.payoff_unit}, D {dependence}. "
        "{integrated_reward}."
    ),
    state=(
        "T and R on signals tanh(κ (c_j - max(b_j, F (G - tol)))/{SIGNAL_WIDTH}) with {trust_rates} "
        "({trust_at_reset}); then close proposals set F = 1 and G to their mean (renegotiation by mutual consent, up "
        "or down, without damages), and a breach (any x_i > 0) sets F = G = 0."
    ),
    info=(
        "also `agreement` (F), `agreed_level` (G), `total_agreements`, `total_breaches`; step only `breach` (per "
        "agent), `damages` (per agent, received less paid)."
    ),
    off_switch="``mechanism=False`` makes agreements unenforceable: no damages, conduct judged against the norm alone.",
    closed_forms=(
        "{pair_equilibrium}. Under an agreement at the optimum greed is 0.090 (best deviation 60 %); a breach to 10 % "
        "leaves the victim's trust at 0.28, against 0.36 without agreement."
    ),
    symbols=(
        Symbol("agreed", "F", "1 while an agreement is in force", "{0, 1}"),
        Symbol("level", "G", "agreed share of endowment, 0 without agreement"),
        Symbol("agreements", "agreements", "agreements made so far", "0 to T_max"),
        Symbol("breaches", "breaches", "breaches so far", "0 to T_max"),
    ),
    sources=(TRUST_UPDATE, VALUES),
    remark="Agreements and damages are of this edition.",
    versions=(
        "v0 (released) takes a penalty from both sides for departures in either direction, outside the payoff and "
        "without cost in trust; v1 (formal) makes the side that falls short pay its partner, judges conduct by the "
        "agreement and dissolves it on breach."
    ),
)

REPUTATION_MARKET = formal_page(
    title="Reputation market",
    summary="Sellers share one market; a public score moves customers between them.",
    story=(
        "Quality is a public good for the whole market (demand follows the mean) and a private cost. Scores reward "
        "standing by moving customers between sellers, a zero-sum effect given demand."
    ),
    seats="agent_0 .. agent_{last} (interchangeable sellers).",
    actions="investment in quality in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + N γ P_β(mean c) w(ρ_i)/Σ_j w(ρ_j) with {own_value}, {pooled_production} and smooth tiers "
        "w(ρ) = {tier_weights}. θ {theta}, γ {gamma}, β {beta}, k {k}, mean endowment u {game.payoff_unit}, D "
        "{dependence}. {integrated_reward}."
    ),
    state=(
        "{trust_on_conduct}; ρ ← ρ + {SCORE_RATE} (c - ρ) from 0.5. With ``visibility`` v below 1 everybody sees ρ + "
        "(1 - v) Normal, clipped to [0, 1], one draw per score and step; what is paid follows the true score."
    ),
    observation="The full view adds the true scores before the time.",
    info=(
        "also `score` (true), `tiers` (thresholds passed: 0 excluded, 1 probation, 2 standard, 3 premium), "
        "`market_shares`."
    ),
    off_switch=(
        "``mechanism=False`` gives equal market shares; at reset scores are equal, so the stage game is the same."
    ),
    closed_forms=(
        "at equal scores Nash solves k = θ/(1 + e c) + (γ β/N) (c + 0.001)^(β-1), the optimum the same with γ β."
    ),
    symbols=(
        Symbol("score", "ρ_i", "public scores; observed as shown"),
        Symbol("shown_score", "ρ̂_i", "scores as everybody sees them"),
        Symbol("true_score", "ρ_i", "true scores, in the full view only"),
    ),
    sources=(TRUST_UPDATE, Source("TR-1", "Eq. 6, 11, 13", "value, payoff, weights")),
    remark="The market and its tiers are of this edition.",
    versions=(
        "in v0 (released) the tier multiplies rewards, from 0.4 to 1.3; in v1 (formal) it moves customers between "
        "sellers."
    ),
)
