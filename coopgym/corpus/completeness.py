"""Whether a corpus holds what it tells of, every run once: looked at without reading all of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from coopgym.corpus.errors import CorpusError
from coopgym.corpus.manifest import MANIFESTS, shard_faults
from coopgym.corpus.remote import Place, member, size_of
from coopgym.corpus.shards import CROISSANT_FILE, listed_files, read_shards, shards

_SHOWN = 10


def require_complete(place: Place) -> None:
    """Make sure that the files of a corpus are there, with the sizes that its manifests or Croissant file tell.

    Policies may be missing: rows tell enough without them. Of shards whose runs are missing a warning tells: a job that
    was killed leaves such, too.

    Raises:
        CorpusError: names those that are missing or exchanged, and says what to do.
    """
    if (bereft := _bereft(place)) and (bereft := bereft & _bereft(place)):  # the second look: runs are written last
        warnings.warn(
            f"{place}: {len(bereft)} shards, such as {min(bereft)}, have a manifest and no runs: jobs were killed, "
            "or the runs were deleted; run the study again, or `coopgym data verify` to see all",
            stacklevel=3,
        )
    if not _faults(place):
        return
    if found := _faults(place):  # again: what is being written may have changed between two looks
        more = f"\n… and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise CorpusError("\n".join(found[:_SHOWN]) + more)


def require_distinct(place: Place, max_bytes: int | None = None) -> None:
    """Make sure that every run is there once.

    Args:
        place: the corpus.
        max_bytes: what all ids together may take in memory; None is the usual limit.

    Raises:
        CorpusError: names a run that is not, and the shards that hold it.
    """
    files = shards(place)
    ids = [table.column("run_id") for table in read_shards(files, "runs", ("run_id",), max_bytes)]
    counts = pc.value_counts(pa.chunked_array([chunk for each in ids for chunk in each.chunks], pa.string()))
    twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    if not len(twice):
        return
    run = twice[0].as_py()
    holders = [str(file) for file, some in zip(files, ids, strict=True) if pc.any(pc.equal(some, run)).as_py()]
    where = " and ".join(holders) if len(holders) > 1 else f"{holders[0]}, more than once"
    raise CorpusError(
        f"{place}: {len(twice)} runs are there more than once, such as {run} in {where}; expected every run once. "
        "Move one of the shards away, with its files in the other folders; corpora are put together with "
        "`coopgym data merge`"
    )


def _faults(place: Place) -> list[str]:
    names = [shard.name.removesuffix(".parquet") for shard in shards(place)]
    return [what for name in names for _, what in shard_faults(place, name, policies=False, deep=False)] + [
        *_unlike_croissant(place)
    ]


def _bereft(place: Place) -> set[str]:
    """Return the shards of which there is a manifest but no runs."""
    told = {index.name.removesuffix(".json") for index in (place / MANIFESTS).glob("*.json")}
    return told - {shard.name.removesuffix(".parquet") for shard in shards(place)}


def _unlike_croissant(place: Place) -> Iterator[str]:
    for path, entry in sorted(listed_files(place).items()):
        file = member(place, path)
        if not file.exists():
            yield f"{file} is missing, though {place / CROISSANT_FILE} lists it; restore it"
        elif (size := f"{size_of(file)} B") != entry.get("contentSize"):
            told = f"{size}, expected {entry.get('contentSize')}"
            yield f"{file} is damaged, altered or exchanged: {told} as {place / CROISSANT_FILE} lists it; restore it"
