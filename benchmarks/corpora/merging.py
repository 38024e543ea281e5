"""Several corpora become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from coopgym.corpus.errors import CorpusError
from coopgym.corpus.integrity import require_sound
from coopgym.corpus.reader import STUDY_FILE, Corpus, locate
from coopgym.corpus.shard_writer import copy_shard, keep_runs
from coopgym.corpus.shards import read_shard, require_rewritable, run_shards
from coopgym.corpus.writer import whole_folder, write_atomically


@dataclass(frozen=True)
class Merged:
    """What came together."""

    runs: int
    repeated: int
    """Runs that several of the corpora held; those of the first one were taken."""
    resumable: bool
    """Whether all belonged to one study in one version, which can be gone on with."""


def merge(sources: Sequence[str], out: Path) -> Merged:
    """Put corpora together in a new folder, with their policies; they themselves stay as they are.

    Args:
        sources: released corpora by name, or folders. What is there several times is taken from the first that has it.
        out: the folder to make.

    Raises:
        CorpusError: one of them is no sound corpus on this machine or is of a newer schema, or the folder exists.
    """
    if out.exists():
        raise CorpusError(f"{out}: exists already; choose another folder")
    folders = [_sound_folder(source) for source in sources]
    studies = [Corpus(folder).study for folder in folders]
    shared = studies[0] if all(study == studies[0] for study in studies) else None
    taken: dict[str, None] = {}
    repeated = 0
    with whole_folder(out) as building:
        for folder in folders:
            for shard in run_shards(folder):
                runs = read_shard(shard, "runs")
                news = runs.filter(pc.invert(pc.is_in(runs.column("run_id"), pa.array(list(taken), pa.string()))))
                repeated += len(runs) - len(news)
                taken |= dict.fromkeys(news.column("run_id").to_pylist())
                if len(news):
                    name = _free_name(building, shard.stem)
                    copy_shard(folder, shard.stem, building, name)
                    if len(news) < len(runs):
                        keep_runs(building, name, news)
        if shared is not None:
            write_atomically(building / STUDY_FILE, (folders[0] / STUDY_FILE).read_bytes())
    return Merged(len(taken), repeated, shared is not None)


def _sound_folder(source: str) -> Path:
    place = locate(source)
    if not isinstance(place, Path):
        raise CorpusError(f"{source}: is not a folder on this machine; fetch and unpack it to merge it")
    require_sound(source, place, "are merged")
    require_rewritable(place, Corpus(place).metadata["schema_version"])
    return place


def _free_name(building: Path, stem: str) -> str:
    """Return a shard's own name, or one with a number where another corpus has such a shard."""
    taken = {other.stem for other in run_shards(building)}
    names = (f"{stem}-{number}" if number > 1 else stem for number in count(1))
    return next(name for name in names if name not in taken)
