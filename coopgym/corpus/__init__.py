"""The run corpus: Parquet tables of runs and their details with a versioned schema; reading, checking, releasing."""

from coopgym.corpus.episodes import Episode, EpisodeDataset
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.integrity import Fault, check_corpus
from coopgym.corpus.reader import Corpus, load_corpus
from coopgym.corpus.reference import import_reference
from coopgym.corpus.released import released_corpora
from coopgym.corpus.schema import COLUMNS, SCHEMA_VERSION, SCHEMAS, TABLES
from coopgym.corpus.table import CorpusTable
from coopgym.corpus.writer import table_from_rows, validate, write_table

__all__ = [
    "COLUMNS",
    "SCHEMAS",
    "SCHEMA_VERSION",
    "TABLES",
    "Corpus",
    "CorpusError",
    "CorpusTable",
    "Episode",
    "EpisodeDataset",
    "Fault",
    "check_corpus",
    "import_reference",
    "load_corpus",
    "released_corpora",
    "table_from_rows",
    "validate",
    "write_table",
]
