"""What there is to say about any corpus, in sentences: written once, for the datasheet and the Croissant file alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from coopgym.corpus.inventory import Inventory
from coopgym.corpus.release import Release


@dataclass(frozen=True)
class Narrative:
    """Sentences about a corpus; every number in them is counted."""

    inventory: Inventory
    release: Release

    @cached_property
    def instances(self) -> str:
        """What a row is and how many there are."""
        sizes = ", ".join(f"{name} {size:,}" for name, size in self.inventory.rows.items())
        return (
            "An instance is a run: one algorithm, or one set of agents, in one game under one reward mode with one "
            f"seed, with everything that determines it and what came out. Rows by table: {sizes}."
        )

    @cached_property
    def collection(self) -> str:
        """How the data came about."""
        first, last = (moment.date().isoformat() for moment in self.inventory.started)
        when = f"on {first}" if first == last else f"from {first} to {last}"
        made = ", ".join(f"{name.replace('_', ' ')} {', '.join(v)}" for name, v in self.inventory.versions.items())
        hours = self.inventory.computing_seconds / 3600.0
        return (
            f"Simulated {when} by the coopgym harness, {hours:.2f} hours of computing in all; recorded for each run: "
            f"{made}. Nothing was sampled from a larger set."
        )

    @cached_property
    def missing_values(self) -> str:
        """Which values are missing, and why."""
        counts = self.inventory.statuses
        others = [f"{count} {status}" for status, count in counts.items() if status != "completed"]
        gone = f"{', '.join(others)} of {sum(counts.values())} runs" if others else "no run"
        return (
            f"Numbers that are not finite are stored as null and the run's status says why: {gone} ended other than as "
            "planned. Runs that diverged or failed are kept, never dropped. A column is also null where it does not "
            "apply, and in files older than the column."
        )

    @cached_property
    def redundancy(self) -> str:
        """What repeats."""
        agents = ("constant", "heuristic", "oracle", "label")
        count = sum(group.runs for group in self.inventory.groups if group.kind in agents)
        return (
            "Agents that leave nothing to chance repeat exactly where the game does too: more seeds of them add no "
            f"information, and intervals over such seeds have no width. Runs of constants, heuristics, oracles and "
            f"audits: {count:,} of {sum(self.inventory.statuses.values()):,}. Where a played strategy is blind to its "
            "reward mode, the modes share one play, read in several ways."
        )

    @property
    def preprocessing(self) -> str:
        """What was done to the data."""
        return (
            "None but arrangement: shards were put together into one file per table, rows sorted by environment, "
            "algorithm, reward mode and seed. No value was changed, imputed or left out."
        )

    @property
    def annotations(self) -> str:
        """Labels and who gave them."""
        return "0: there are no labels; all values are computed"

    @cached_property
    def biases(self) -> tuple[str, ...]:
        """Where the data lean."""
        games = self.inventory.values("environment")
        return (
            f"The {len(games)} games are stylised: closed-form payoffs with parameters that their authors chose.",
            "Learners were trained with the hyper-parameters given in each run; others may rank differently.",
            "Kinds of agents are not equally frequent: an average over all runs depends on the design of the study.",
        )

    @cached_property
    def limitations(self) -> tuple[str, ...]:
        """What must not be read into the data."""
        holes = [f"{group.kind}: {line}" for group in self.inventory.groups for line in group.describe_holes()]
        factorial = f"The factorial has holes: {'; '.join(holes)}." if holes else "The factorial is complete."
        return (
            "Results hold for simulated agents; nothing was measured on people or organisations.",
            "Returns under different reward modes have different yardsticks; compare payoffs across modes.",
            factorial,
        )

    @property
    def uses(self) -> tuple[str, ...]:
        """What the data serve."""
        return (
            "Comparing learning algorithms, strategies and solution concepts in mixed-motive games.",
            "Studying how reward modes change cooperation, welfare and its distribution.",
            "Checking reimplementations against recorded numbers; offline learning where trajectories are included.",
        )

    @property
    def discouraged(self) -> str:
        """What the data are not for."""
        return (
            "Advice on real partnerships, or claims about how people behave: the games are models, the agents programs."
        )

    @property
    def social_impact(self) -> str:
        """What good and harm may come of it."""
        return (
            "The data help to understand when learning agents cooperate. Policies that exploit partners are described "
            "too; their setting is too stylised to be of use elsewhere."
        )

    @property
    def people(self) -> str:
        """Whether anybody is in it."""
        return "None: all agents are programs."

    @property
    def changes(self) -> str:
        """What moved against the corpus before it; empty where there was none."""
        since = f"Against {self.release.predecessor}: " if self.release.predecessor else ""
        return f"{since}{self.release.changes}" if self.release.changes else ""

    @cached_property
    def maintenance(self) -> str:
        """How the release is kept."""
        return (
            f"Version {self.release.version} does not change. Errors are reported as issues of the coopgym repository "
            "and corrected in a new version under a new name, which says what moved; earlier versions stay available. "
            "Contributed corpora are welcome if `coopgym data verify` finds no fault."
        )
