"""Pages of the formal games of collective action (TR-3)."""

from __future__ import annotations

from coopgym.games.formal.pages.shared import (
    LOYALTIES,
    LOYALTY,
    NEWCOMERS,
    OWN_USE,
    TEAM_OUTPUT,
    TRUST_UPDATE,
    formal_page,
)
from coopgym.games.page import Source, Symbol

TEAM_PRODUCTION = formal_page(
    title="Team production",
    summary="A team splits its joint product equally, so each keeps 1/N of its marginal product.",
    story=(
        "Everyone bears the whole cost of own effort and keeps 1/N of its marginal product, so effort falls far short "
        "of what the team would choose."
    ),
    seats="agent_0 .. agent_{last} (interchangeable).",
    actions="effort in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + A P_β(mean c) with {own_value} and {pooled_production}, which is Q/N of team production Q = "
        "ω (Σa)^β; A is ``gamma``. θ {theta}, A {gamma}, β {beta}, k {k}, mean endowment u {game.payoff_unit}, D "
        "{dependence}. {integrated_reward}."
    ),
    state="{trust_on_conduct}; nothing else moves.",
    info="also `team_output` (units), {team_efforts}.",
    off_switch="``mechanism=False`` pays everyone the own marginal product, A P_β(c_i): Nash jumps to the optimum.",
    closed_forms=(
        "Nash solves k = θ/(1 + e c) + (A β/N) (c + 0.001)^(β-1), the optimum the same with A β. Without own-use value "
        "and smoothing these are (Aβ/(kN))^(1/(1-β)) = 3 % and (Aβ/k)^(1/(1-β)) = 70 %."
    ),
    sources=(TEAM_OUTPUT, OWN_USE, TRUST_UPDATE),
    versions=(
        "v0 (released) pays value and synergy of TR-1 and reports team production in info only; v1 (formal) pays team "
        "production."
    ),
)

LOYALTY_TEAM = formal_page(
    title="Loyalty team",
    summary="Team production in which a loyal team internalises team-mates' payoffs.",
    story=(
        "Each keeps 1/N of the marginal product, as in TeamProduction. A loyal team internalises part of the rest, but "
        "loyalty follows what the whole team does, and one member's effort is a small part of that."
    ),
    seats="agent_0 .. agent_{last} (interchangeable).",
    actions="effort in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + A_t P_β(mean c) with {own_value}, {pooled_production} and A_t = A (1 - χ_C + χ_C · "
        "cohesion); A is ``gamma``. θ {theta}, A {gamma}, β {beta}, k {k}, χ_C {cohesion_lift:.2f}, mean endowment "
        "u {game.payoff_unit}, D {team_dependence}/(N - 1). {integrated_reward}, and loyalty {care_for_the_team} "
        "with φ_B {phi_B}, φ_C {phi_C}."
    ),
    state=(
        "{trust_on_conduct}; then loyalty from {initial_loyalty}: ℓ ← ℓ + {loyalty_building} [h]₊ (1 - ℓ) - "
        "{loyalty_erosion:.2f} [-h]₊ ℓ, where h is the team's mean signal."
    ),
    info=(
        "also `loyalty`, `cohesion` ({weighted_loyalty}), `team_output` (units), {team_efforts}; output and efforts "
        "are those of full productivity A."
    ),
    off_switch="``mechanism=False`` removes loyalty from the reward and sets A_t = A.",
    closed_forms="Nash solves k = θ/(1 + e c) + (A_t β/N) (c + 0.001)^(β-1), the optimum the same with A_t β.",
    symbols=LOYALTY,
    sources=(TEAM_OUTPUT, LOYALTIES, OWN_USE, TRUST_UPDATE),
    versions=(
        "in v0 (released) factors on conduct multiply rewards and the loyalty score pays nothing; in v1 (formal) "
        "loyalty enters the integrated reward and cohesion lifts production."
    ),
)

COALITION_FORMATION = formal_page(
    title="Coalition formation",
    summary="A coalition expels persistent free riders, who must cooperate alone to come back.",
    story=(
        "Each member bears its own effort and gets 1/N of what that adds to the joint product. Persistent free riders "
        "lose their loyalty and with it their place, and have to cooperate alone to come back."
    ),
    seats="agent_0 .. agent_{last} (interchangeable).",
    actions="effort in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "members of a living coalition (Σm ≥ {min_coalition_size}, ``min_coalition_size``) get π_i = own_i + N A "
        "P_β(Σ_inside c/N)/Σm, all others π_i = own_i + {SOLO_PRODUCTIVITY:.2f} P_β(c_i), with {own_value} and "
        "{pooled_production}; A is ``gamma``. θ {theta}, A {gamma}, β {beta}, k {k}, mean endowment u "
        "{game.payoff_unit}, D {team_dependence}/(N - 1). {integrated_reward}, and for those inside loyalty "
        "{care_for_the_team} over team-mates inside, with φ_B {phi_B}, φ_C {phi_C}."
    ),
    state=(
        "{trust_on_conduct}; then loyalty from {initial_loyalty} on own conduct: ℓ_i ← ℓ_i + {loyalty_building} [s_i]₊ "
        "(1 - ℓ_i) - {loyalty_erosion:.2f} [-s_i]₊ ℓ_i; then, all at once, members with ℓ_i < {exit_level} leave for "
        "at least {COOLDOWN} steps (the timer) and those outside with timer 0 and ℓ_i ≥ {reentry_level} return. Below "
        "three members the coalition is dormant."
    ),
    info=(
        "also `loyalty`, `cohesion` ({weighted_loyalty}), `members`, `coalition_alive`, `team_output` (units), "
        "{team_efforts}; output and efforts are those of the grand coalition; step only `exclusions`, `reentries` (per "
        "agent)."
    ),
    off_switch="``mechanism=False`` excludes nobody; loyalty stays. The stage game at reset is the same.",
    closed_forms=(
        "with everybody inside Nash solves k = θ/(1 + e c) + (A β/N) (c + 0.001)^(β-1), the optimum the same with A β."
    ),
    symbols=(
        *LOYALTY,
        Symbol("members", "m_i", "1 for those inside the coalition", "{0, 1}"),
        Symbol("timers", "timers", "steps that each must still stay outside", "0 to 5"),
        Symbol("timer", "timer/5", "own timer in units of its greatest value"),
        *NEWCOMERS,
    ),
    sources=(TEAM_OUTPUT, LOYALTIES, OWN_USE, TRUST_UPDATE),
    remark="Exclusion and return are of this edition.",
    versions=(
        "v0 (released) excludes in list order, hides membership and multiplies rewards of members and excluded agents; "
        "v1 (formal) splits the product among those inside, at once and in view of all."
    ),
)

_PHASE = "{{PHASES[{0}][n_agents]}}, {{PHASES[{0}][loyalty_max]:.2f}}, {{PHASES[{0}][gamma]:.2f}}"
_PHASES = "; ".join(
    f"{phase}{' (default)' if phase == 'maturity' else ''} {_PHASE.format(phase)}"
    for phase in ("emergence", "growth", "maturity", "evolution")
)


APACHE_PROJECT = formal_page(
    title="Apache project",
    summary="A large open-source team: contributors scratch their own itch, loyalty carries part of the rest.",
    story=(
        "With {n_agents} contributors each keeps 1/{n_agents} of the marginal product, so almost nobody contributes "
        "beyond own use; loyalty to the project carries part of the gap."
    ),
    seats=(
        "agent_0 .. agent_{last} (interchangeable contributors); {PHASES[emergence][n_agents]}, "
        "{PHASES[growth][n_agents]} or {PHASES[evolution][n_agents]} in other phases."
    ),
    actions="effort in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + A_t P_β(mean c) with {own_value}, {pooled_production} and A_t = A (1 - χ_C + χ_C · "
        "cohesion); A is ``gamma``. θ {theta}, β {beta}, k {k}, χ_C {cohesion_lift:.2f}, mean endowment u "
        "{game.payoff_unit}, D {team_dependence}/(N - 1). ``phase`` sets N, ℓ_max and A: "
        + _PHASES
        + ". {integrated_reward}, "
        "and loyalty {care_for_the_team} with φ_B {phi_B}, φ_C {phi_C:.2f}, and is divided by Z = 1 + φ_B ℓ_0 (N - "
        "1), {game.reward_normaliser:.2f} in maturity."
    ),
    state=(
        "{trust_on_conduct}; then loyalty from ℓ_max/2: ℓ ← ℓ + {loyalty_building} [h]₊ (ℓ_max - ℓ) - "
        "{loyalty_erosion:.2f} [-h]₊ ℓ, where h is the team's mean signal."
    ),
    info=(
        "also `loyalty`, `cohesion` ({weighted_loyalty}), `team_output` (units), {team_efforts}, output and efforts at "
        "full productivity A; `phase`, `expected_effort` (published: "
        "{EXPECTED_EFFORT[emergence]}, {EXPECTED_EFFORT[growth]}, {EXPECTED_EFFORT[maturity]} and "
        "{EXPECTED_EFFORT[evolution]} of {endowments[0]})."
    ),
    off_switch="``mechanism=False`` removes loyalty from the reward and sets A_t = A.",
    closed_forms=(
        "Nash solves k = θ/(1 + e c) + (A_t β/N) (c + 0.001)^(β-1), the optimum the same with A_t β. Other phases, "
        "Nash, coopetitive, optimum and price of anarchy: emergence 8, 27, 70 %, 1.266; growth 6, 18, 61 %, 1.270; "
        "evolution 5, 10, 39 %, 1.179."
    ),
    symbols=LOYALTY,
    sources=(Source("TR-3", "case study and Eq. 1-2", "team production"), LOYALTIES, OWN_USE, TRUST_UPDATE),
    remark="A is calibrated so that the optimum comes close to the published expected efforts.",
    versions=(
        "in v0 (released) the phase changes rewards through the team size only; in v1 (formal) it sets loyalty and "
        "productivity, and integrated rewards do not grow with N."
    ),
)

PUBLIC_GOODS = formal_page(
    title="Public goods",
    summary="A linear public good with quadratic effort cost and loyal contributors.",
    story=(
        "A unit contributed returns M units to the group and M/N to its giver; M/N = 0.4 < 1 < M makes free riding pay."
    ),
    seats="agent_0 .. agent_{last} (interchangeable contributors).",
    actions="contribution in [0, {endowments[0]}]; norm {baselines[0]}; c_i = a_i/e_i.",
    payoff=(
        "π_i = own_i + M mean(c) with own_i = [e_i - k a_i - (q/2) a_i²/e_i + θ ln(1 + a_i)]/u; M is ``gamma``. θ "
        "{theta}, M {gamma}, k {k}, q {q}, mean endowment u {game.payoff_unit}, D {team_dependence}/(N - 1). "
        "Quadratic cost and own-use value keep Nash and optimum interior. {integrated_reward}, and loyalty "
        "{care_for_the_team} with φ_B {phi_B}, φ_C {phi_C}."
    ),
    state=(
        "{trust_on_conduct}; then loyalty from {initial_loyalty}: ℓ ← ℓ + {loyalty_building} [h]₊ (1 - ℓ) - "
        "{loyalty_erosion:.2f} [-h]₊ ℓ, where h is the group's mean signal."
    ),
    info=(
        "also `loyalty`, `cohesion` ({weighted_loyalty}), `public_good` = M Σa (units), `contribution_rate` = Σa/Σe."
    ),
    off_switch="``mechanism=False`` pays everyone M times the own contribution; loyalty stays.",
    closed_forms=(
        "Nash solves (k + q c - M/N)(1 + e c) = θ, the optimum (k + q c - M)(1 + e c) = θ. With ``q=0, theta=0`` the "
        "textbook game: contribute nothing against contribute all."
    ),
    symbols=LOYALTY,
    sources=(Source("the linear public good"), LOYALTIES, OWN_USE, TRUST_UPDATE),
    versions=(
        "v0 (released) reports the public good and pays value and synergy of TR-1; v1 (formal) pays the public good."
    ),
)
