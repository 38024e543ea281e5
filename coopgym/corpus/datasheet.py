"""The datasheet of a released corpus, after Gebru et al. (2021), "Datasheets for datasets".

Every number is counted from the corpus, so the sheet cannot disagree with the data.
"""

from __future__ import annotations

from collections.abc import Iterable

from coopgym.corpus.inventory import Inventory
from coopgym.corpus.narrative import Narrative
from coopgym.corpus.reader import STUDY_FILE, Corpus
from coopgym.corpus.release import LICENSE, LICENSE_NAME, Release
from coopgym.corpus.shards import CROISSANT_FILE
from coopgym.worlds import FIXED


def datasheet(corpus: Corpus, release: Release) -> str:
    """Return the datasheet as Markdown."""
    inventory = Inventory(corpus)
    told = Narrative(inventory, release)
    sections = {
        "Motivation": (
            ("For what purpose was the dataset created?", release.description),
            ("Who created it?", ", ".join(release.creators)),
            ("Who funded it?", release.funding or "No funding is recorded."),
        ),
        "Composition": (
            ("What do the instances represent, and how many are there?", told.instances),
            ("How are runs distributed?", _counts(inventory)),
            *([("In which worlds were games played?", _worlds(inventory))] if set(inventory.worlds) != {FIXED} else []),
            ("Is the factorial complete?", _factorial(inventory)),
            ("Are there labels?", "None."),
            ("Is information missing?", told.missing_values),
            ("Are relations between instances explicit?", _RELATIONS),
            ("Are there recommended splits?", f"By study: {_names(inventory.values('study'))}."),
            ("Are there errors, noise or redundancies?", told.redundancy),
            ("Is the dataset self-contained?", "Yes. Games and agents that made it are in the coopgym package."),
            ("Is anything confidential or offensive?", "No."),
            ("Does it relate to people?", told.people),
        ),
        "Collection": (
            ("How were the data acquired?", told.collection),
            ("Was there ethical review?", "Not applicable: no people, no personal data."),
        ),
        "Preprocessing": (("Was anything preprocessed, cleaned or labelled?", told.preprocessing),),
        "Uses": (
            ("What is it for?", _points(told.uses)),
            ("What limits its use?", _points((*told.biases, *told.limitations))),
            ("What is it not for?", told.discouraged),
        ),
        "Distribution": (
            ("Under which licence?", f"{LICENSE_NAME} ({LICENSE})."),
            ("In which form?", f"Parquet; `{CROISSANT_FILE}` describes every file with its SHA-256."),
            ("How is it identified?", f"{release.name}, version {release.version}, {release.published.isoformat()}."),
            ("How is it cited?", f"`{release.citation}`"),
        ),
        "Maintenance": (
            ("Who maintains it, and how?", f"{', '.join(release.creators)}. {told.maintenance}"),
            ("Which format is it in?", _format(corpus)),
            *([("What moved against earlier versions?", told.changes)] if told.changes else []),
        ),
    }
    parts = [f"# Datasheet: {release.name}"]
    for title, answers in sections.items():
        parts.append(f"## {title}")
        parts += [f"**{question}**\n\n{answer}" for question, answer in answers]
    return "\n\n".join(parts) + "\n"


_RELATIONS = "`run_id` joins all tables with `runs`; runs that share a `replica_group` were computed together."


def _counts(inventory: Inventory) -> str:
    lines = [f"| {' | '.join(key)} | {count:,} |" for key, count in sorted(inventory.counts.items())]
    return "\n".join(["| kind | game | reward mode | status | runs |", "| --- | --- | --- | --- | ---: |", *lines])


def _worlds(inventory: Inventory) -> str:
    return f"{'; '.join(f'`{world}`, {count:,} runs' for world, count in inventory.worlds.items())}."


def _factorial(inventory: Inventory) -> str:
    lines = []
    for group in inventory.groups:
        size = f"{len(group.algorithms)} algorithms × {len(group.environments)} games × {len(group.reward_modes)} modes"
        seeds = (
            f"{group.fewest_seeds}"
            if group.fewest_seeds == group.most_seeds
            else f"{group.fewest_seeds} to {group.most_seeds}"
        )
        lines.append(f"{group.kind}: {size}, {group.cells} of {group.all_cells} cells filled, runs in each: {seeds}.")
        lines += [f"{group.kind}, hole: {hole}." for hole in group.describe_holes()]
    return _points(lines)


def _format(corpus: Corpus) -> str:
    versions = _names(corpus.metadata["schema_version"])
    study = f" The study that the runs belong to is in `{STUDY_FILE}`." if corpus.study is not None else ""
    return f"The coopgym corpus standard, schema version {versions}; its columns are documented with coopgym.{study}"


def _points(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _names(values: Iterable[str]) -> str:
    return ", ".join(values)
