"""Add shards to a folder, change them, take runs out of them: after a kill at any moment, a run is whole or absent.

When a shard is added, its runs are written last; when it is changed, first. While it is being changed, its manifest
tells both states, so that whoever opens the folder next can bring the change to its end.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from coopgym.corpus.errors import CorpusError
from coopgym.corpus.manifest import (
    MANIFESTS,
    POLICIES,
    Entry,
    Manifest,
    digest_of,
    has_manifests,
    policy_entries,
    read_manifest,
    shard_faults,
    table_path,
    write_manifest,
)
from coopgym.corpus.remote import member
from coopgym.corpus.schema import (
    DETAILS,
    PACKAGE_VERSION_KEY,
    SCHEMA_VERSION_KEY,
    STUDY_HASH_KEY,
    TABLES,
    TableName,
)
from coopgym.corpus.shards import open_shard, read_shard, require_rewritable, run_shards
from coopgym.corpus.writer import encode_table, remove_leftovers, write_atomically
from coopgym.digests import Digest


def add_shard(
    folder: Path, shard: str, tables: Mapping[TableName, pa.Table], *, study_hash: str, package_version: str
) -> None:
    """Add a shard whose policies, if it has any, are in their place already.

    Raises:
        ValueError: a table breaks the standard.
        OSError: a file cannot be written.
    """
    contents = {
        name: encode_table(name, tables[name], study_hash=study_hash, package_version=package_version)
        for name in TABLES
        if name == "runs" or len(tables.get(name, ()))
    }
    _write_shard(folder, shard, contents, {name: len(tables[name]) for name in contents})


def copy_shard(source: Path, shard: str, folder: Path, name: str) -> None:
    """Copy a shard with its policies into another folder, under a name that no shard there has.

    Raises:
        CorpusError: it is damaged.
        OSError: a file cannot be read or written.
    """
    paths = {table: member(source, table_path(table, shard)) for table in TABLES}
    there = {table: path for table, path in paths.items() if path.exists()}
    for path in policy_entries(source, shard):  # which refuses links and devices
        copy = folder / POLICIES / name / Path(path).relative_to(POLICIES, shard)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, copy)
    contents = {table: pa.py_buffer(path.read_bytes()) for table, path in there.items()}
    _write_shard(
        folder, name, contents, {table: open_shard(path, table).metadata.num_rows for table, path in there.items()}
    )


def change_runs(folder: Path, shard: str, runs: pa.Table) -> None:
    """Replace the runs of a shard by the same ones with other values; what it says of its origin stays.

    Raises:
        CorpusError: the shard is damaged, or of a newer schema.
        ValueError: the table breaks the standard.
    """
    _change(folder, shard, {"runs": runs})


def keep_runs(folder: Path, shard: str, runs: pa.Table) -> None:
    """Reduce a shard to some of its runs, or remove it if there are none.

    Raises:
        CorpusError: the shard is damaged, or of a newer schema.
    """
    if len(runs):
        paths = {name: folder / table_path(name, shard) for name in DETAILS}
        details = {name: _details_of(runs, path, name) for name, path in paths.items() if path.exists()}
        _change(folder, shard, {"runs": runs, **details})
    else:
        (folder / table_path("runs", shard)).unlink()
        remove_orphans(folder)


def repair(folder: Path) -> None:
    """Put a folder in order whose writer may have been killed: afterwards every run is whole or absent.

    Raises:
        CorpusError: as `finish_changes`.
    """
    remove_leftovers(folder)
    finish_changes(folder)
    remove_orphans(folder)


def finish_changes(folder: Path) -> None:
    """Bring changes that were killed to their end: those whose runs were written, no others.

    Raises:
        CorpusError: a manifest or a shard that was being changed cannot be read.
    """
    for shard in run_shards(folder):
        _finish_change(folder, shard.stem)


def remove_orphans(folder: Path) -> None:
    """Remove what belongs to no runs: details, policies and manifests of jobs that were killed or taken out."""
    complete = {shard.stem for shard in run_shards(folder)}
    for pattern in (*(f"{name}/*.parquet" for name in DETAILS), f"{MANIFESTS}/*.json"):
        for file in folder.glob(pattern):
            if file.stem not in complete:
                file.unlink()
    for kept in (folder / POLICIES).glob("*"):
        if kept.is_dir() and kept.name not in complete:
            shutil.rmtree(kept)


def write_missing_manifests(folder: Path) -> None:
    """Give manifests to a folder of a version that wrote none: of what it holds now, provided that it can be read.

    Raises:
        CorpusError: a shard is damaged.
    """
    if has_manifests(folder):
        return
    building = folder / f".{MANIFESTS}.new"
    shutil.rmtree(building, ignore_errors=True)  # left by a kill
    for shard in run_shards(folder):
        paths = {name: table_path(name, shard.stem) for name in TABLES}
        entries = {
            path: Entry(digest_of(member(folder, path)), len(read_shard(folder / path, name)))
            for name, path in paths.items()
            if (folder / path).exists()
        }
        write_manifest(building, shard.stem, Manifest(entries | policy_entries(folder, shard.stem)))
    if building.exists():
        os.replace(building / MANIFESTS, folder / MANIFESTS)
        building.rmdir()


def _write_shard(
    folder: Path, shard: str, contents: Mapping[TableName, pa.Buffer], rows: Mapping[TableName, int]
) -> None:
    """Write the tables of a shard whose policies are there: details, then the manifest of all, then the runs."""
    entries = {table_path(name, shard): Entry(Digest.of(content), rows[name]) for name, content in contents.items()}
    for name in DETAILS:
        if name in contents:
            write_atomically(folder / table_path(name, shard), contents[name])
    write_manifest(folder, shard, Manifest(entries | policy_entries(folder, shard)))
    write_atomically(folder / table_path("runs", shard), contents["runs"])


def _change(folder: Path, shard: str, tables: Mapping[TableName, pa.Table]) -> None:
    """Replace tables of a shard, its runs among them."""
    _finish_change(folder, shard)
    encoded = {name: _encoded_like(folder / table_path(name, shard), name, table) for name, table in tables.items()}
    manifest = read_manifest(folder, shard)
    if manifest is None:
        for name, content in encoded.items():
            write_atomically(folder / table_path(name, shard), content)
        return
    for _, what in shard_faults(folder, shard, policies=False):
        raise CorpusError(what)  # a new digest would vouch for the damage
    changed = {table_path(name, shard): Entry(Digest.of(encoded[name]), len(tables[name])) for name in tables}
    after = {**manifest.files, **changed}
    write_manifest(folder, shard, Manifest(after, manifest.files))
    for name in TABLES:
        if name in encoded:
            write_atomically(folder / table_path(name, shard), encoded[name])
    write_manifest(folder, shard, Manifest(after))


def _finish_change(folder: Path, shard: str) -> None:
    manifest = read_manifest(folder, shard)
    if manifest is None or not manifest.earlier:
        return
    path = table_path("runs", shard)
    found = digest_of(member(folder, path))
    if found == manifest.earlier[path].digest:
        write_manifest(folder, shard, Manifest(manifest.earlier))
    elif found == manifest.files[path].digest:
        write_manifest(folder, shard, Manifest({**manifest.files, **_reduced_details(folder, shard, manifest)}))


def _reduced_details(folder: Path, shard: str, manifest: Manifest) -> dict[str, Entry]:
    """Reduce details to the runs of their shard, where that has not been done yet."""
    runs = read_shard(folder / table_path("runs", shard), "runs", ("run_id",))
    entries = {}
    for name in DETAILS:
        path = table_path(name, shard)
        if path in manifest.files and manifest.files[path] != manifest.earlier[path] and (folder / path).exists():
            if digest_of(member(folder, path)) != manifest.earlier[path].digest:
                continue
            table = _details_of(runs, folder / path, name)
            content = _encoded_like(folder / path, name, table)
            write_atomically(folder / path, content)
            entries[path] = Entry(Digest.of(content), len(table))
    return entries


def _details_of(runs: pa.Table, path: Path, name: TableName) -> pa.Table:
    rows = read_shard(path, name)
    return rows.filter(pc.is_in(rows.column("run_id"), runs.column("run_id")))


def _encoded_like(path: Path, name: TableName, table: pa.Table) -> pa.Buffer:
    """Encode a table that takes the place of a file, with what the file says of its origin."""
    labels = open_shard(path, name).schema_arrow.metadata
    require_rewritable(path, [labels[SCHEMA_VERSION_KEY].decode()])
    return encode_table(
        name,
        table,
        study_hash=labels[STUDY_HASH_KEY].decode(),
        package_version=labels[PACKAGE_VERSION_KEY].decode(),
    )
