"""The manifest of a shard: every file that belongs to its runs, with rows, size and SHA-256.

A shard is what one job computed: files of one name in ``runs`` and in the tables of details, and a folder of policies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coopgym.corpus.errors import CorpusError
from coopgym.corpus.limits import JSON_LIMIT, require_within
from coopgym.corpus.remote import Place, member, size_of
from coopgym.corpus.schema import TABLES, TableName
from coopgym.corpus.shards import open_shard, run_shards
from coopgym.corpus.writer import write_atomically
from coopgym.digests import Digest
from coopgym.strict_json import parse_json

MANIFESTS = "manifests"
"""Where a folder of results keeps manifests, one file per shard."""
POLICIES = "policies"
"""Where it keeps trained policies, one folder per shard."""
FORMAT = 1
_SHOWN_FAULTS = 10


@dataclass(frozen=True)
class Entry:
    """What a manifest says of a file."""

    digest: Digest
    rows: int | None = None
    """Of a table; policies have none."""


@dataclass(frozen=True)
class Manifest:
    """The files of a shard by their path below the corpus."""

    files: Mapping[str, Entry]
    earlier: Mapping[str, Entry] = field(default_factory=dict)
    """What the files were, while they are being replaced: a kill leaves some of these and some of those."""

    def accepts(self, path: str, digest: Digest) -> bool:
        """Whether a file may be what it is."""
        return digest in self._digests(path)

    def accepts_size(self, path: str, size: int) -> bool:
        """Whether a file of this size may be what it is."""
        return size in [digest.size for digest in self._digests(path)]

    def _digests(self, path: str) -> list[Digest]:
        return [entries[path].digest for entries in (self.files, self.earlier) if path in entries]


def table_path(name: TableName, shard: str) -> str:
    """Return the path of a shard's part of a table, below the corpus."""
    return f"{name}/{shard}.parquet"


def digest_of(place: Place) -> Digest:
    """Return the digest of a file anywhere."""
    with place.open("rb") as file:
        return Digest.of_file(file)


def has_manifests(place: Place) -> bool:
    """Whether the shards of a corpus have manifests; releases and folders of earlier versions have none."""
    return any((place / MANIFESTS).glob("*.json"))


def read_manifest(place: Place, shard: str) -> Manifest | None:
    """Read the manifest of a shard; None where there is none.

    Raises:
        CorpusError: it cannot be read, or is that of another shard.
    """
    index = member(place, f"{MANIFESTS}/{shard}.json")
    if not index.exists():
        return None
    require_within(index, "as a list of files it has", size_of(index), JSON_LIMIT)
    try:
        content = parse_json(index.read_bytes())
        if content["format"] > FORMAT:
            raise CorpusError(
                f"{index}: of format {content['format']}, but this coopgym reads formats up to {FORMAT}; install a "
                "coopgym release that knows it"
            )
        manifest = Manifest(_entries(content["files"]), _entries(content["earlier"]))
        for path in (table_path("runs", shard), *manifest.files, *manifest.earlier):
            if path not in manifest.files or not _belongs(path, shard):
                raise ValueError(f"{path!r} is missing, or is no file of this shard")
        if manifest.earlier and manifest.earlier.keys() != manifest.files.keys():
            raise ValueError("what its files were is told of some only")
    except CorpusError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{index}: damaged: {error!r}; {_remedy(place, shard)}") from error
    return manifest


def write_manifest(folder: Path, shard: str, manifest: Manifest) -> None:
    """Write the manifest of a shard, whole or not at all."""
    content = {"format": FORMAT, "files": _facts(manifest.files), "earlier": _facts(manifest.earlier)}
    write_atomically(folder / MANIFESTS / f"{shard}.json", json.dumps(content, indent=1).encode())


def policy_entries(folder: Path, shard: str) -> dict[str, Entry]:
    """Return entries of the policies that a shard has on disk.

    Raises:
        CorpusError: one of the files lies elsewhere, or is no regular one.
    """
    below = (place.relative_to(folder).as_posix() for place in sorted((folder / POLICIES / shard).rglob("*")))
    return {path: Entry(digest_of(member(folder, path))) for path in below if not _is_folder(folder / path)}


def shard_faults(place: Place, shard: str, *, policies: bool = True, deep: bool = True) -> Iterator[tuple[Place, str]]:
    """Yield the files of a shard that are not what its manifest says, and what is wrong with each.

    Args:
        place: the corpus.
        shard: name of the shard.
        policies: whether to look at policies too.
        deep: whether to compare contents, not only sizes.
    """
    index = _index(place, shard)
    try:
        manifest = read_manifest(place, shard)
    except CorpusError as error:
        yield index, str(error)
        return
    if manifest is None:
        if has_manifests(place):
            yield index, f"{index} is missing, though other shards have theirs; {_remedy(place, shard)}"
        return
    for path, entry in sorted(manifest.files.items()):
        if path.startswith(f"{POLICIES}/") and not policies:
            continue
        try:
            file = member(place, path)
        except CorpusError as error:
            yield place / path, str(error)
            continue
        if not file.exists():
            lost = "" if entry.rows is None else f" with {entry.rows:,} rows"
            yield file, f"{file} is missing, though {index} lists it{lost}; {_remedy(place, shard)}"
        elif not (manifest.accepts(path, digest_of(file)) if deep else manifest.accepts_size(path, size_of(file))):
            told = f"{size_of(file):,} bytes, and size or SHA-256 are not those in {index}"
            yield file, f"{file} is damaged, altered or swapped: {told}; {_remedy(place, shard)}"
    for name in TABLES:
        if (path := table_path(name, shard)) not in manifest.files and (place / path).exists():
            yield place / path, f"{place / path} is not listed in {index}: it does not belong there; move it away"


def require_sound(folder: Path, *, policies: bool = True) -> None:
    """Make sure that the shards of a folder can be opened and are what their manifests say.

    Args:
        folder: the corpus.
        policies: whether the policies matter too.

    Raises:
        CorpusError: names what is damaged and says what to do.
    """
    shards = run_shards(folder)
    found = [what for shard in shards for _, what in shard_faults(folder, shard.stem, policies=policies)]
    if found:
        more = f"\n… and {len(found) - _SHOWN_FAULTS} more" if len(found) > _SHOWN_FAULTS else ""
        raise CorpusError("\n".join(found[:_SHOWN_FAULTS]) + more)
    for shard in shards:
        for name in TABLES:
            if (path := folder / name / shard.name).exists():
                open_shard(path, name)


def _is_folder(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink()


def _remedy(place: Place, shard: str) -> str:
    runs = place / table_path("runs", shard)
    return f"restore it from a backup, or delete {runs} and run the study again: only its runs are computed anew"


def _index(place: Place, shard: str) -> Place:
    return place / MANIFESTS / f"{shard}.json"


def _belongs(path: str, shard: str) -> bool:
    """Whether a file lies where those of a shard do; later versions may bring tables that are unknown here."""
    folder, *below = path.split("/")
    if any(part in ("", ".", "..") for part in (folder, *below)):
        return False
    return below == [f"{shard}.parquet"] or (folder == POLICIES and len(below) > 1 and below[0] == shard)


def _entries(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Entry]:
    return {path: Entry(Digest(each["size"], each["sha256"]), each.get("rows")) for path, each in facts.items()}


def _facts(entries: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
    return {
        path: ({} if entry.rows is None else {"rows": entry.rows}) | asdict(entry.digest)
        for path, entry in sorted(entries.items())
    }
