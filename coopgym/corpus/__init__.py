"""The run corpus: Parquet tables of runs, learning curves and steps, with a versioned schema."""

from coopgym.corpus.reader import Corpus, CorpusError, load_corpus
from coopgym.corpus.schema import COLUMNS, SCHEMA_VERSION, SCHEMAS, TABLES
from coopgym.corpus.writer import table_from_rows, validate, write_table

__all__ = [
    "COLUMNS",
    "SCHEMAS",
    "SCHEMA_VERSION",
    "TABLES",
    "Corpus",
    "CorpusError",
    "load_corpus",
    "table_from_rows",
    "validate",
    "write_table",
]
