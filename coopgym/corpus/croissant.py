"""Croissant 1.0 metadata of a released corpus, generated from its files and the schema.

The vocabulary is https://docs.mlcommons.org/croissant/docs/croissant-spec.html, with the responsible-AI properties of
https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from coopgym.corpus.compaction import table_files
from coopgym.corpus.integrity import content_size
from coopgym.corpus.inventory import Inventory
from coopgym.corpus.narrative import Narrative
from coopgym.corpus.reader import Corpus
from coopgym.corpus.release import LICENSE, Release
from coopgym.corpus.schema import COLUMNS, Column, TableName
from coopgym.corpus.shards import CROISSANT_FILE
from coopgym.corpus.standard import TABLE_MEANINGS

Node = dict[str, Any]

CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
CONFORMS_TO = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
PARQUET = "application/x-parquet"
KEYWORDS = ["multi-agent reinforcement learning", "social dilemma", "mixed-motive games", "benchmark", "game theory"]
_ENCODINGS = {".parquet": PARQUET, ".json": "application/json", ".md": "text/markdown"}

ENUMERATIONS = {
    "environment": "environments",
    "algorithm": "algorithms",
    "reward_mode": "reward_modes",
    "study": "studies",
}
"""Columns of ``runs`` with few values to the record set that lists them."""
_SPLIT = "study"


def croissant(folder: Path, corpus: Corpus, release: Release) -> Node:
    """Return the JSON-LD of a compacted corpus whose other files are all in place.

    Args:
        folder: where the files lie; every file but the Croissant file itself is described with size and SHA-256.
        corpus: the same, opened.
        release: name, version and responsibility.
    """
    inventory = Inventory(corpus)
    tables = list(table_files(folder))
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != CROISSANT_FILE)
    page = {"url": release.url} if release.url else {}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": release.name,
        "description": release.description,
        "version": release.version,
        "license": LICENSE,
        "creator": [{"@type": "sc:Organization", "name": creator} for creator in release.creators],
        "datePublished": release.published.isoformat(),
        "dateCreated": inventory.started[1].date().isoformat(),
        "citeAs": release.citation,
        "keywords": KEYWORDS,
        "inLanguage": "en",
        "isLiveDataset": False,
        **page,
        **_responsibility(inventory, release),
        "distribution": [*(_file_object(folder, file) for file in files), *(_file_set(name) for name in tables)],
        "recordSet": [
            *(_enumeration(column, inventory.values(column)) for column in ENUMERATIONS),
            *(_record_set(name) for name in tables),
        ],
    }


def _responsibility(inventory: Inventory, release: Release) -> Node:
    told = Narrative(inventory, release)
    return {
        "rai:dataCollection": told.collection,
        "rai:dataCollectionType": ["Simulation", "Machine-generated"],
        "rai:dataCollectionTimeframe": [moment.isoformat() for moment in inventory.started],
        "rai:dataCollectionMissingData": told.missing_values,
        "rai:dataPreprocessingProtocol": [told.preprocessing],
        "rai:dataBiases": list(told.biases),
        "rai:dataLimitations": list(told.limitations),
        "rai:dataUseCases": list(told.uses),
        "rai:dataSocialImpact": told.social_impact,
        "rai:personalSensitiveInformation": [told.people],
        "rai:dataReleaseMaintenancePlan": " ".join(filter(None, (told.maintenance, told.changes))),
        "rai:machineAnnotationTools": [f"coopgym {version}" for version in inventory.values("package_version")],
        "rai:annotationsPerItem": told.annotations,
    }


def _file_object(folder: Path, file: Path) -> Node:
    path, content = file.relative_to(folder).as_posix(), file.read_bytes()
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path.replace("/", "-"),
        "contentUrl": path,
        "contentSize": content_size(len(content)),
        "encodingFormat": _ENCODINGS[file.suffix],
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _files_of(name: TableName) -> str:
    return f"{name}-files"


def _file_set(name: TableName) -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": _files_of(name),
        "name": _files_of(name),
        "description": f"Parquet files of the table {name}.",
        "encodingFormat": PARQUET,
        "includes": f"{name}/*.parquet",
    }


def _enumeration(column: str, values: Iterable[str]) -> Node:
    name = ENUMERATIONS[column]
    kinds = ["sc:Enumeration", "cr:Split"] if column == _SPLIT else "sc:Enumeration"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"Values of runs/{column}.",
        "dataType": kinds,
        "key": {"@id": f"{name}/name"},
        "field": [{"@type": "cr:Field", "@id": f"{name}/name", "name": "name", "dataType": "sc:Text"}],
        "data": [{f"{name}/name": value} for value in values],
    }


def _record_set(name: TableName) -> Node:
    key = {"key": {"@id": "runs/run_id"}} if name == "runs" else {}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": TABLE_MEANINGS[name],
        **key,
        "field": [_field(name, column) for column in COLUMNS[name]],
    }


def _field(name: TableName, column: Column) -> Node:
    field: Node = {
        "@type": "cr:Field",
        "@id": f"{name}/{column.name}",
        "name": column.name,
        "description": column.meaning + (f" [{column.unit}]" if column.unit else ""),
    }
    if pa.types.is_map(column.type):
        parts = {"key": (column.type.key_type, "$[0]"), "value": (column.type.item_type, "$[1]")}
        return field | {
            "repeated": True,
            "subField": [
                {
                    "@type": "cr:Field",
                    "@id": f"{name}/{column.name}/{part}",
                    "name": part,
                    "dataType": _data_type(kind),
                    "source": _source(name, column.name) | {"transform": {"jsonPath": place}},
                }
                for part, (kind, place) in parts.items()
            ],
        }
    if pa.types.is_list(column.type):
        field |= {"dataType": _data_type(column.type.value_type), "repeated": True}
    else:
        field |= {"dataType": _data_type(column.type)}
    return field | {"source": _source(name, column.name)} | _references(name, column.name)


def _source(name: TableName, column: str) -> Node:
    return {"fileSet": {"@id": _files_of(name)}, "extract": {"column": column}}


def _references(name: TableName, column: str) -> Node:
    if name == "runs" and column in ENUMERATIONS:
        return {"references": {"field": {"@id": f"{ENUMERATIONS[column]}/name"}}}
    if name != "runs" and column == "run_id":
        # The column rather than the field: readers that pass through `runs` first could not join its records again.
        return {"references": _source("runs", "run_id")}
    return {}


def _data_type(kind: pa.DataType) -> str:
    for fits, name in _DATA_TYPES:
        if fits(kind):
            return name
    raise TypeError(f"no Croissant type for {kind}")


_DATA_TYPES = (
    (pa.types.is_string, "sc:Text"),
    (pa.types.is_integer, "sc:Integer"),
    (pa.types.is_floating, "sc:Float"),
    (pa.types.is_boolean, "sc:Boolean"),
    (pa.types.is_timestamp, "sc:DateTime"),
)
