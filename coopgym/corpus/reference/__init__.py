"""The published study's records as tables of a corpus."""

from coopgym.corpus.reference.importer import import_reference, import_shards

__all__ = ["import_reference", "import_shards"]
