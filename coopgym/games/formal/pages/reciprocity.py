"""Pages of the formal games of bounded reciprocity (TR-4)."""

from __future__ import annotations

from coopgym.games.formal.pages.shared import FULL_MEMORY, MEMBERS, MEMORY, TRUST_UPDATE, VALUES, formal_page
from coopgym.games.page import Source, Symbol

RECIPROCAL_DILEMMA = formal_page(
    title="Reciprocal dilemma",
    summary="A trust-gated dyad in which kindness is answered.",
    story=(
        "Cooperation costs its giver and pays both. Kindness is answered: integrated best responses rise with the "
        "partner's deviation from what is remembered, which lowers cooperation below the norm and raises it above."
    ),
    seats="agent_0 and agent_1 (symmetric).",
    actions="investment in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + α_i N γ_t G_β(c_0, c_1) with {own_value}, {pair_synergy} and {trust_gate}. θ {theta}, γ "
        "{gamma}, β {beta}, k {k}, χ {chi}, α {shares[0]}, mean endowment u {game.payoff_unit}, D {dependence}. "
        "{integrated_reward}, and reciprocity ψ_i = (a_i/u) Σ_j≠i E_ij {kindness}, where s_j = c_j - "
        "{remembered_conduct} before this one, and {susceptibility}."
    ),
    state="{trust_on_conduct}; {full_memory} c.",
    observation=FULL_MEMORY,
    info="also `memory` (ā); step only `effects` (E_ij {kindness}, N × N).",
    off_switch="``mechanism=False`` sets ρ₀ = 0 and leaves the trust gate.",
    closed_forms="{gated_equilibrium}.",
    symbols=MEMORY,
    sources=(Source("TR-4", "Eq. 19-25, 44", "reciprocity; λ_R published 1"), TRUST_UPDATE, VALUES),
    versions=(
        "in v0 (released) reciprocity multiplies rewards, by at most 0.65 % from one; in v1 (formal) it adds to the "
        "integrated reward, remembers earlier steps only, and trust gates synergy."
    ),
)

GIFT_EXCHANGE = formal_page(
    title="Gift exchange",
    summary="An employer posts a wage, a worker answers with effort that no contract can demand.",
    story=(
        "Wages are paid before effort and no contract covers effort: a selfish worker shirks, hence a selfish employer "
        "pays little. Reciprocity at full trust lifts both."
    ),
    seats="agent_0 = employer, agent_1 = worker.",
    actions=(
        "wage in [0, {endowments[0]}], posted for the next step, and effort in [0, {endowments[1]}]; norms "
        "{baselines[0]} and {baselines[1]}; c_i = a_i/e_i."
    ),
    payoff=(
        "with what is done x = (W, c_1) and S = N γ G_β(W, c_1): π_0 = [e_0 - k W e_0 + θ ln(1 + W e_0)]/u + α_0 S "
        "and π_1 = own_1 + α_1 S + {WAGE_RECEIVED:.2f} W e_0/u, with {own_value} and {pair_synergy}. Half of the "
        "wage bill reaches the worker, the rest is the cost of employing. θ {theta}, γ {gamma}, β {beta}, k {k}, α "
        "{shares[0]}, mean endowment u {game.payoff_unit}, D_01 {interdependence[0][1]}, D_10 "
        "{interdependence[1][0]}. {integrated_reward}, and reciprocity ψ_i = (a_i/u) Σ_j≠i E_ij {kindness} with "
        "a_0 the wage posted now, s_j = x_j - {remembered_conduct}, and {susceptibility}."
    ),
    state=(
        "T and R on signals tanh(κ (x_j - b_j)/{SIGNAL_WIDTH}) with {trust_rates} ({trust_at_reset}); {full_memory} x; "
        "W ← c_0, from the norm at reset. The last wage posted is never paid."
    ),
    observation=FULL_MEMORY,
    info=(
        "also `wage_in_force` (W of the coming step), `effort` (last c_1), `memory` (ā); step only `effects` (E_ij "
        "{kindness}, N × N)."
    ),
    off_switch="``mechanism=False`` sets ρ₀ = 0.",
    closed_forms="for the stage game with the wage in force equal to the wage posted.",
    symbols=(*MEMORY, Symbol("wage", "W", "wage in force, posted one step earlier, share of the employer's endowment")),
    sources=(Source("TR-4", "Eq. 19-25, 44", "reciprocity; λ_R published 1.2"), TRUST_UPDATE, VALUES),
    remark="The wage contract is of this edition.",
    versions=(
        "in v0 (released) both act at once and reciprocity multiplies rewards; in v1 (formal) wages come first, are "
        "paid and seen, and reciprocity adds to the integrated reward."
    ),
)

INDIRECT_RECIPROCITY = formal_page(
    title="Indirect reciprocity",
    summary="Help goes round: today's recipient can repay only N - 1 steps later, but everybody sees who helps.",
    story=(
        "Helping costs now and pays nothing directly. A public image makes the help of others depend on own conduct, "
        "so that cooperation can be sustained by convention."
    ),
    seats="agent_0 .. agent_{last} (interchangeable by rotation).",
    actions="help in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "at step t agent i helps agent (i + 1 + t mod (N - 1)) mod N. π_i = own_i + γ g_i P_β(c_donor(i)) with "
        "{own_value}, {pooled_production} and the community's gate g_i = 0.5 + {IMAGE_DEPENDENCE} σ((I_i - "
        "b_i)/{image_softness}). θ {theta}, γ {gamma}, β {beta}, k {k}, mean endowment u {game.payoff_unit}, D "
        "{dependence}. {integrated_reward}, and reciprocity ψ_i = (a_i/u) (N - 1) E_ir tanh(κ_r (I_r - "
        "b_r)/{RESPONSE_WIDTH}) towards today's recipient r: agents like helping those who help others; "
        "{susceptibility}."
    ),
    state=(
        "{trust_on_conduct}; I ← I + {IMAGE_RATE} (c - I) from 0.5; the memory of k_m = {memory} steps, full of b at "
        "reset, takes in c. It is observed and pays nothing here: image takes its place."
    ),
    observation=FULL_MEMORY,
    info=(
        "also `image`, `recipient`, `donor` (indices, of the coming step), `memory` (ā); step only `effects` ((N - 1) "
        "E_ir tanh(..) in the recipients' places, N × N)."
    ),
    off_switch="``mechanism=False`` gives full help always (g = 1) and sets ρ₀ = 0.",
    closed_forms=(
        "in the stage game nothing comes back, so Nash is a = θ/k - 1; the optimum solves k = θ/(1 + e c) + g γ β (c + "
        "0.001)^(β-1)."
    ),
    symbols=(
        *MEMORY,
        Symbol("image", "I_i", "public image"),
        Symbol("rotation", "rotation", "one-hot of t mod (N - 1), which says who helps whom", "{0, 1}"),
    ),
    sources=(
        Source("TR-4", "Eq. 19-25, 44", "reciprocity; λ_R published 1.5"),
        TRUST_UPDATE,
        Source("TR-1", "Eq. 6, 11, 13", "own-use value, payoff, weights"),
    ),
    remark="Image scoring with a soft threshold is of this edition.",
    versions=(
        "v0 (released) has no image and no direction, only direct reciprocity that multiplies rewards; v1 (formal) "
        "directs help and scores images."
    ),
)

GRADUATED_SANCTION = formal_page(
    title="Graduated sanction",
    summary="A commons whose members fine violations of the norm, leniently first and harder with the record.",
    story=(
        "Maintenance of the commons is a public good. Fines for a first offence are too small to deter (stage Nash is "
        "about half the norm), escalated ones are not: in repeated play the norm enforces itself."
    ),
    seats="agent_0 .. agent_{last} (interchangeable).",
    actions="maintenance in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + γ P_β(mean c) - fine_i - {enforcement_cost} Σ_j≠i fine_j/(N - 1) with {own_value}, "
        "{pooled_production}, violation v_i = [b_i - c_i]₊/b_i and fine_i = {fine_schedule} v_i; the last term is "
        "the cost of enforcement. θ {theta}, γ {gamma}, β {beta}, k {k}, mean endowment u {game.payoff_unit}, D "
        "{dependence}. {integrated_reward}, and reciprocity ψ_i = (a_i/u) Σ_j≠i E_ij {kindness}, where s_j = c_j - "
        "{remembered_conduct}, and {susceptibility}."
    ),
    state="{trust_on_conduct}; {full_memory} c; n ← {record_update} (1 - n) from 0.",
    observation=FULL_MEMORY,
    info=(
        "also `record` (n), `memory` (ā); step only `violations` (v), `fines`, `enforcement_cost` (both payoff units), "
        "`effects` (E_ij {kindness}, N × N)."
    ),
    off_switch="``mechanism=False`` fines nobody and leaves reciprocity.",
    closed_forms=(
        "below the norm Nash solves k = {first_fine}/b + θ/(1 + e c) + (γ β/N) (c + 0.001)^(β-1); above it the optimum "
        "solves k = θ/(1 + e c) + γ β (c + 0.001)^(β-1)."
    ),
    symbols=(*MEMORY, Symbol("record", "n_i", "record of violations")),
    sources=(
        Source("Ostrom (1990)", "", "graduated sanctions"),
        Source("TR-4", "Eq. 19-25, 44", "reciprocity; λ_R published 1.8"),
        TRUST_UPDATE,
        Source("TR-1", "Eq. 6, 11, 13", "own-use value, payoff, weights"),
    ),
    versions=(
        "v0 (released) fines nobody and its answer to deviations is saturated; v1 (formal) has fines that grow with "
        "the record."
    ),
)

APPLE_APP_STORE = formal_page(
    title="Apple App Store",
    summary="Apple, major developers and small developers around one app store.",
    story=(
        "A platform dilemma with three unequal sides: developers share a product that the platform's openness and "
        "their pooled effort make. Exits discipline; reciprocity lowers the integrated equilibrium below the norm and "
        "raises it above."
    ),
    seats="agent_0 = Apple, agent_1 = major developers, agent_2 = small developers.",
    actions=(
        "investment in [0, {endowments[0]}], [0, {endowments[1]}] and [0, {endowments[2]}] per quarter; norms "
        "{baselines[0]}, {baselines[1]} and {baselines[2]}; c_i = a_i/e_i."
    ),
    payoff=(
        "π_i = own_i + s_i N γ m_0 G_β(c_0, x) with {own_value}, {pair_synergy} and developers' pooled effort x = "
        "Σ_j m_j a_j / Σ_j e_j. Apple's s_0 is α_0 = 1/3; developers present share the rest in proportion to α_j, "
        "absent ones get own_j only. θ {theta}, γ {gamma}, β {beta}, k {k}, mean endowment u {game.payoff_unit}, D "
        "rows (0, 0.3, 0.2), (0.8, 0, 0.15), (0.85, 0.1, 0). {integrated_reward}, and between linked parties "
        "reciprocity ψ_i = (a_i/u) Σ_j≠i m_i m_j m_0 E_ij {kindness}, where s_j = c_j - {remembered_conduct}, and "
        "{susceptibility}."
    ),
    state=(
        "{trust_on_conduct}, absent developers included; {full_memory} c; then from link_j = min(T_j0, T_0j) after the "
        "step m_j ← 0 {link_levels}, else unchanged; m_0 ← max_j m_j."
    ),
    end="truncated after {horizon} steps (quarters), never early; exits are reversible.",
    observation=FULL_MEMORY,
    info=(
        "also `members`, `links` (per developer), `memory` (ā); step only `exits`, `returns` (per agent), `effects` "
        "(m_i m_j m_0 E_ij {kindness}, N × N)."
    ),
    off_switch="``mechanism=False`` has no exits and sets ρ₀ = 0.",
    symbols=(*MEMORY, MEMBERS),
    sources=(Source("TR-4", "case study and Eq. 19-25, 44", "reciprocity; λ_R published 1"), TRUST_UPDATE, VALUES),
    remark="Shares, interdependence, trust at reset, norm and trust parameters as published.",
    versions=(
        "in v0 (released) nobody leaves and reciprocity multiplies rewards; in v1 (formal) links break and heal and "
        "reciprocity adds to the integrated reward."
    ),
)
