"""Check a corpus: every file, every row, and what rows say of each other. All faults are found, not the first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.agents import Strategy, make_agent
from coopgym.agents.foreign_names import names_from_data
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.manifest import MANIFESTS, digest_of, read_manifest, shard_faults
from coopgym.corpus.remote import Place, member
from coopgym.corpus.schema import COLUMNS, DETAILS, TABLES, TableName, is_newer, world_of
from coopgym.corpus.shards import CROISSANT_FILE, listed_files, read_shard, shard_version, shards
from coopgym.corpus.writer import violations
from coopgym.games.registry import make_game

SHARE = "1"
"""Unit of shares and degrees: trust, cooperation, probabilities. They lie in [0, 1]."""
SHARE_TOLERANCE = 1e-6
AGREEMENT = 1e-9
"""Relative difference within which deterministic agents agree."""
_AT_LEAST_ONE = ("n_agents", "horizon")
_PER_SEAT = (
    "seat_payoffs",
    "seat_returns",
    "seat_cooperation",
    "sto_seat_payoffs",
    "seat_exploitability",
    "seat_deviations",
)
_PER_SCENARIO = (
    "stranger_kinds",
    "stranger_returns",
    "stranger_partner_returns",
    "stranger_random",
    "stranger_floors",
    "stranger_ceilings",
)
_JSON = ("env_parameters", "hyperparameters", "identity")
_REPEATED = ("environment", "env_parameters", "algorithm", "reward_mode", "view", "study")
"""Runs of self-play that agree in these differ by their seeds only."""
_OUTCOMES = ("return_mode", "welfare", "cooperation_rate")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a corpus."""

    where: str
    what: str

    def __str__(self) -> str:
        return self.what if self.what.startswith(self.where) else f"{self.where}: {self.what}"


def check_corpus(place: Place) -> list[Fault]:
    """Find everything that is wrong with a corpus; nothing where it is sound.

    Every byte of every table is read against its checksums. Also checked: hashes and sizes where manifests or a
    Croissant file tell them, vocabulary and ranges, unique runs, details that belong to runs, and that deterministic
    agents repeat.

    >>> from pathlib import Path
    >>> print(*check_corpus(Path("nothing-here")))
    nothing-here: not a corpus; expected Parquet files in nothing-here/runs
    """
    faults: list[Fault] = []
    tables: dict[TableName, pa.Table] = {}
    for name in TABLES:
        parts = []
        for shard in shards(place, name):
            try:
                parts.append(read_shard(shard, name))
            except (CorpusError, OSError) as error:
                faults.append(Fault(str(shard), str(error)))
                continue
            ours = not is_newer(shard_version(shard, name))
            faults += [Fault(str(shard), violation) for violation in _row_faults(name, parts[-1], vocabulary=ours)]
        if parts:
            tables[name] = pa.concat_tables(parts)
    faults += _orphans(place)
    known = {fault.where for fault in faults}
    faults += [fault for fault in _unlike_manifests(place) if fault.where not in known]
    faults += _altered_files(place)
    if "runs" in tables:
        faults += [Fault(str(place / name), what) for name in tables for what in _relation_faults(name, tables)]
    elif not faults:
        faults.append(Fault(str(place), f"not a corpus; expected Parquet files in {place / 'runs'}"))
    return faults


def require_sound(source: str | Path, place: Place, use: str) -> None:
    """Make sure that nothing is wrong with a corpus.

    Args:
        source: what the message calls it.
        place: where it is.
        use: what only sound corpora are for, such as ``are merged``.

    Raises:
        CorpusError: something is; the message lists all faults.
    """
    if faults := check_corpus(place):
        listed = "\n".join(map(str, faults))
        raise CorpusError(f"{source}: has {len(faults)} faults; only sound corpora {use}:\n{listed}")


def _row_faults(name: TableName, table: pa.Table, *, vocabulary: bool) -> Iterator[str]:
    yield from violations(name, table, vocabulary=vocabulary)
    for column in COLUMNS[name]:
        values = table.column(column.name)
        if column.unit == SHARE:
            yield from _outside(f"{name}.{column.name}", values, 0.0, 1.0)
        elif column.name in _AT_LEAST_ONE:
            yield from _outside(f"{name}.{column.name}", values, 1.0, None)
    if name == "runs":
        yield from _run_faults(table)


def _outside(where: str, column: pa.ChunkedArray, low: float, high: float | None) -> Iterator[str]:
    flat = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    values = flat.drop_null().to_numpy()
    wrong = values[(values < low - SHARE_TOLERANCE) | (values > (np.inf if high is None else high + SHARE_TOLERANCE))]
    if len(wrong):
        expected = f"at least {low:g}" if high is None else f"in [{low:g}, {high:g}]"
        yield f"{where}: {len(wrong)} values such as {wrong[0]:g}; expected {expected}"


def _run_faults(runs: pa.Table) -> Iterator[str]:
    status, agents = runs.column("status"), runs.column("n_agents")
    for name in _PER_SEAT:
        lengths = pc.list_value_length(runs.column(name))
        if wrong := _true(pc.not_equal(lengths, pc.cast(agents, lengths.type))):
            yield f"runs.{name}: {wrong} lists that do not have one entry per seat"
    met = pc.list_value_length(runs.column("stranger_scenarios"))
    for name in _PER_SCENARIO:
        if wrong := _true(pc.not_equal(pc.list_value_length(runs.column(name)), met)):
            yield f"runs.{name}: {wrong} lists that do not have one entry per scenario"
    for name in _JSON:
        for text in runs.column(name).drop_null().unique().to_pylist():
            if not _is_json_object(text):
                yield f"runs.{name}: {text!r} is not a JSON object"
    for row in runs.select(["world", "env_parameters"]).group_by(["world", "env_parameters"]).aggregate([]).to_pylist():
        if row["world"] not in (None, among := world_of(row | {"world": None})):
            yield f"runs.world: {row['world']!r}, but `env_parameters` say {among!r}"
    told = zip(runs.column("identity").to_pylist(), runs.column("run_id").to_pylist(), strict=True)
    if wrong := sum(text is not None and hashlib.sha256(text.encode()).hexdigest() != id for text, id in told):
        yield f"runs.run_id: {wrong} ids that are not the SHA-256 of `identity`"
    if wrong := _true(pc.and_(pc.is_valid(runs.column("diverged_at_step")), pc.not_equal(status, "diverged"))):
        yield f"runs.diverged_at_step: set in {wrong} runs whose status is not diverged"
    if wrong := _true(pc.and_(pc.is_valid(runs.column("error")), pc.equal(status, "completed"))):
        yield f"runs.error: set in {wrong} completed runs"
    silent = pc.and_(
        pc.and_(_is_self_play(runs), pc.equal(status, "completed")), pc.is_null(runs.column("return_mode"))
    )
    if wrong := _true(silent):
        yield f"runs.return_mode: null in {wrong} completed runs; a run without a return is diverged or failed"


def _orphans(place: Place) -> Iterator[Fault]:
    complete = {_stem(shard) for shard in shards(place)}
    manifests = (place / MANIFESTS).glob("*.json")
    for file in (*(shard for name in DETAILS for shard in shards(place, name)), *manifests):
        if _stem(file) not in complete:
            runs = place / "runs" / f"{_stem(file)}.parquet"
            yield Fault(str(file), f"its runs are missing: no {runs}; readers pass over it, remove it")


def _unlike_manifests(place: Place) -> Iterator[Fault]:
    """Compare files with what the manifests of their shards tell of them."""
    for shard in map(_stem, shards(place)):
        faults = [Fault(str(file), what) for file, what in shard_faults(place, shard)]
        yield from faults
        if not faults and (manifest := read_manifest(place, shard)) and manifest.earlier:
            what = "a change of its shard was interrupted; run the study again, or `coopgym exploit`: that finishes it"
            yield Fault(str(place / MANIFESTS / f"{shard}.json"), what)


def _stem(file: Place) -> str:
    return file.name.rpartition(".")[0]


def _altered_files(place: Place) -> Iterator[Fault]:
    """Compare files with the sizes and hashes that a Croissant file tells."""
    index = place / CROISSANT_FILE
    try:
        listed = listed_files(place)
    except CorpusError as error:
        yield Fault(str(index), str(error))
        return
    if not listed:
        return
    for path, entry in sorted(listed.items()):
        try:
            file = member(place, path)
            if not file.exists():
                yield Fault(str(file), f"missing, though listed in {index}; restore it")
                continue
            found = digest_of(file)
        except (CorpusError, OSError) as error:
            yield Fault(str(place / path), str(error))
            continue
        if entry.get("contentSize") != content_size(found.size):
            yield Fault(str(file), f"{content_size(found.size)}, expected {entry.get('contentSize')}; restore it")
        elif entry.get("sha256") != found.sha256:
            yield Fault(str(file), f"its sha256 differs from the one in {index}: it was altered; restore it")
    for name in TABLES:
        for shard in shards(place, name):
            if f"{name}/{shard.name}" not in listed:
                yield Fault(str(shard), f"not listed in {index}; it is not part of the release")


def content_size(size: int) -> str:
    """Return the size of a file in bytes as Croissant writes it."""
    return f"{size} B"


def _relation_faults(name: TableName, tables: Mapping[TableName, pa.Table]) -> Iterator[str]:
    runs, table = tables["runs"], tables[name]
    if name == "runs":
        counts = pc.value_counts(runs.column("run_id"))
        twice = counts.filter(pc.greater(counts.field("counts"), 1))
        for entry in twice.to_pylist():
            yield f"run {entry['values']} appears {entry['counts']} times"
        yield from _disagreements(runs)
        return
    home = pc.index_in(table.column("run_id"), runs.column("run_id").combine_chunks())
    strangers = table.column("run_id").filter(pc.is_null(home)).unique().to_pylist()
    if strangers:
        yield f"{len(strangers)} runs such as {strangers[0]} are not in `runs`; expected details of known runs only"
    if "seat" in table.schema.names:
        seats = pc.cast(table.column("seat"), pa.int32())
        if wrong := _true(pc.or_(pc.less(seats, 0), pc.greater_equal(seats, runs.column("n_agents").take(home)))):
            yield f"{wrong} rows of seats that their games do not have"


def _disagreements(runs: pa.Table) -> Iterator[str]:
    """Yield deterministic agents that play differently among themselves though only the seeds differ."""
    fitting = pc.and_(_is_self_play(runs), pc.equal(runs.column("status"), "completed"))
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in runs.filter(fitting).select([*_REPEATED, "algorithm_kind", "seed", *_OUTCOMES]).to_pylist():
        if row["algorithm_kind"] in ("constant", "heuristic", "oracle"):
            groups.setdefault(tuple(row[name] for name in _REPEATED), []).append(row)
    for rows in groups.values():
        if len(rows) > 1 and _is_certain(rows[0]):
            spans = {name: [row[name] for row in rows if row[name] is not None] for name in _OUTCOMES}
            apart = [
                f"{name} {min(values):g} to {max(values):g}"
                for name, values in spans.items()
                if values and max(values) - min(values) > AGREEMENT * max(1.0, abs(max(values)))
            ]
            if apart:
                who = f"{rows[0]['algorithm']} in {rows[0]['environment']} under {rows[0]['reward_mode']}"
                seeds = ", ".join(str(row["seed"]) for row in rows)
                yield f"{who} leaves nothing to chance, but seeds {seeds} differ: {', '.join(apart)}"


def _is_self_play(runs: pa.Table) -> pa.ChunkedArray:
    return pc.equal(pc.fill_null(runs.column("protocol"), "self_play"), "self_play")


def _is_certain(row: Mapping[str, Any]) -> bool:
    """Whether nothing in a run is left to chance; not where agent or game are unknown here."""
    try:
        with names_from_data():
            game = make_game(row["environment"], **json.loads(row["env_parameters"]))
            agent = make_agent(row["algorithm"])
    except (TypeError, ValueError):
        return False
    return not game.stochastic and isinstance(agent, Strategy) and not agent.classifier.stochastic


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _true(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(pc.fill_null(mask, False)).as_py() or 0)
