"""Why stored runs are not those that a study plans now: what changed, and who changed it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from coopgym.benchmarks.study.earlier import earlier_id
from coopgym.benchmarks.study.hashing import canonical_json
from coopgym.benchmarks.study.run_spec import RunSpec
from coopgym.corpus.schema import is_self_play
from coopgym.games.registry import make_game

PLACE_COLUMNS = ("environment", "env_parameters", "algorithm", "reward_mode", "seed", "protocol", "scenario")
"""Columns of ``runs`` that make up `RunSpec.place`."""
COMPARED_COLUMNS = (*PLACE_COLUMNS, "run_id", "identity")
"""Columns of ``runs`` that tell what a run was."""
UNVERSIONED = "made before runs recorded what determines them"
SETTINGS = ("parameters", "settings", "options")
"""Parts of a key that hold values by name."""
LONGEST = 40
"""Characters of a value in a reason."""

Place = tuple[Any, ...]


@dataclass(frozen=True)
class Change:
    """One reason why a run is another one."""

    text: str
    ours: bool
    """Whether coopgym has changed; otherwise the study, a user's agent or what is learned from has."""
    follows: str | None = None
    """Id of the stored run whose policies played: who changed that one changed this one."""


@dataclass(frozen=True)
class Superseded:
    """A stored run whose place in the study another run has now."""

    planned: RunSpec
    changes: tuple[Change, ...]

    @property
    def ours(self) -> bool:
        """Whether nothing but coopgym has changed: the same was asked for."""
        return all(change.ours for change in self.changes)


def superseded(rows: Iterable[Mapping[str, Any]], planned: Iterable[RunSpec]) -> dict[str, Superseded]:
    """Find the stored runs that are not what stands in their places now, by id.

    Args:
        rows: stored runs, with `COMPARED_COLUMNS`.
        planned: what the study consists of.
    """
    specs = {spec.run_id: spec for run in planned for spec in (run, *run.dependencies)}
    places: dict[Place, list[RunSpec]] = {}
    for spec in specs.values():
        places.setdefault(spec.place, []).append(spec)
    found = {
        row["run_id"]: _nearest(row, places[place])
        for row in rows
        if row["run_id"] not in specs and (place := place_of(row)) in places
    }
    return {run_id: replace(each, changes=_followed(each.changes, found)) for run_id, each in found.items()}


def in_words(runs: Iterable[Superseded]) -> str:
    """Say why runs are other ones, the reason of most first: ``IPPO version 1, now 2 (12 runs)``."""
    counts = Counter(change.text for run in runs for change in run.changes)
    return "; ".join(f"{text} ({count} run{'s' * (count > 1)})" for text, count in counts.most_common())


def place_of(row: Mapping[str, Any]) -> Place:
    """Return where a stored run stands in a study."""
    where = {name: row[name] for name in PLACE_COLUMNS}
    where["env_parameters"] = _canonical(row["environment"], row["env_parameters"])
    return tuple((where | {"protocol": "self_play"} if is_self_play(row) else where).values())


@lru_cache(maxsize=1024)
def _canonical(game: str, parameters: str) -> str:
    """Return overridden parameters in their one form, which runs have since schema 1.3."""
    try:
        return canonical_json(make_game(game, **json.loads(parameters)).overridden())
    except (TypeError, ValueError):  # a game that is not known here, or not any more
        return parameters


def _nearest(row: Mapping[str, Any], specs: Sequence[RunSpec]) -> Superseded:
    """Compare a row with the planned run that differs least; runs of one place may differ in their view."""
    return min((Superseded(spec, tuple(_changes(row, spec))) for spec in specs), key=lambda each: len(each.changes))


def _changes(row: Mapping[str, Any], spec: RunSpec) -> Iterator[Change]:
    if row["identity"] is not None:
        yield from _differences(json.loads(row["identity"]), json.loads(spec.key.text))
    elif earlier_id(spec, json.loads(row["env_parameters"])) == row["run_id"]:
        yield Change(UNVERSIONED, ours=True)
    else:
        yield Change("asked for otherwise", ours=False)


def _differences(
    before: Any, now: Any, owner: str = "", path: tuple[str, ...] = (), ours: bool = False
) -> Iterator[Change]:
    """Compare two keys, or parts of them.

    Args:
        before: part of the stored key.
        now: the same part of the planned one.
        owner: whom it belongs to.
        path: where it stands.
        ours: whether its owner has another version, so that other settings are other defaults.
    """
    if before == now:
        return
    if isinstance(before, dict) and isinstance(now, dict):
        named = next((now[name] for name in ("name", "learner", "id") if isinstance(now.get(name), str)), owner)
        other = before.get("version") != now.get("version")
        for name in sorted({*before, *now}):
            part = before.get(name), now.get(name)
            yield from _differences(*part, named, (*path, name), ours or other or not (name in before and name in now))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for one, other_one in zip(before, now, strict=True):
            yield from _differences(one, other_one, owner, path, ours)
    else:
        yield _change(before, now, owner, path, ours)


def _change(before: Any, now: Any, owner: str, path: tuple[str, ...], ours: bool) -> Change:
    name, whose = path[-1], f"{owner} " if owner else ""
    match name:
        case "version":
            return Change(f"{whose}version {before}, now {now}", ours=True)
        case "source":
            return Change(f"{owner} has changed", ours=False)
        case "prompt":
            return Change("what language models read has changed", ours=True)
        case "data":
            return Change(f"what {owner} learns from has changed", ours=False)
        case "trained_by":
            return Change(f"{owner} is trained otherwise", ours=False, follows=before)
        case "exploitability" if before and now:
            return Change(f"search of deviations version {before}, now {now}", ours=True)
    inside = any(part in SETTINGS for part in path)
    said = f"{whose}{_current_name(owner, name)}" if inside else name
    return Change(f"{said} {_short(before)}, now {_short(now)}", ours=inside and ours)


def _current_name(owner: str, name: str) -> str:
    """Return what a setting of a learner is called where users write it; others are called as they are recorded."""
    from coopgym.algorithms import learners

    return next(iter(learners()[owner].current({name: None}))) if owner in learners() else name


def _followed(changes: Iterable[Change], found: Mapping[str, Superseded]) -> tuple[Change, ...]:
    """Decide whose doing the changes of trainings are that runs depend on."""
    return tuple(
        replace(each, ours=each.follows in found and found[each.follows].ours) if each.follows else each
        for each in changes
    )


def _short(value: Any) -> str:
    text = canonical_json(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
