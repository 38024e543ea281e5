"""What the worked example of a tournament shows."""

from __future__ import annotations

from coopgym.benchmarks.documentation.wording import between, listed, paragraph
from coopgym.benchmarks.tournament import Tournament, tournament

AGENTS = (
    "TitForTat",
    "GenerousTitForTat",
    "GrimTrigger",
    "WinStayLoseShift",
    "Oracle_Nash",
    "Oracle_SocialOptimum",
)
DEFECTOR, RETALIATOR, OPTIMISER = "Oracle_Nash", "GrimTrigger", "Oracle_SocialOptimum"


def worked_example() -> str:
    """Read the tables of the example."""
    played = tournament("TrustDilemma-v1", list(AGENTS), reward="private")
    payoffs, names = played.payoffs, list(played.agents)
    nash, grim, social = (names.index(name) for name in (DEFECTOR, RETALIATOR, OPTIMISER))
    ahead = sum(payoffs[nash, other] >= payoffs[other, nash] for other in range(len(names)))
    among_themselves = [payoffs[other, other] for other in range(len(names)) if other != nash]
    invaders = [
        f"{names[other]} (earning {payoffs[other, nash]:.1f} there instead of {payoffs[nash, nash]:.1f})"
        for other in played.empirical_game().invades[:, nash].nonzero()[0]
    ]
    stable = [rating.agent for rating in played.ratings().rows if rating.stable]
    return paragraph(f"""
        The table of payoffs reads: {RETALIATOR} alone with {OPTIMISER} earns {payoffs[grim, social]:.0f} per episode,
        {OPTIMISER} earns {payoffs[social, grim]:.0f} there. {DEFECTOR} plays the private equilibrium of a single step
        for ever. It earns no less than its partner with {ahead} of the {len(names)} agents and has
        {100 * played.nash_averaging().distribution[nash]:.0f} % of the Nash mixture. Yet among itself it earns
        {between((100 * payoffs[nash, nash] / each for each in among_themselves), 0)} % of what the others earn among
        themselves, and these enter a population of it: {listed(invaders)}; defection for one step's sake is no
        equilibrium of the repeated game. Evolutionarily stable is {listed(stable)}. In a population that starts even
        (`played.replicator().path`) these spread one after the other, up to {listed(_waves(played))}.
    """)


def _waves(played: Tournament) -> list[str]:
    """Who at least doubles from equal shares, in the order in which their shares are greatest."""
    path = played.replicator().path[:, 0]
    peaks, moments = path.max(0), path.argmax(0)
    spreading = [agent for agent in moments.argsort() if peaks[agent] > 2 * path[0, agent]]
    return [f"{100 * peaks[agent]:.0f} % {played.agents[agent]}" for agent in spreading]
