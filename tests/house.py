"""How the house stands: floors, circles, long files, files with one importer, private words, repeated aliases, lines.

``make house`` prints it. Where a measure has a limit, `tests/test_house.py` fails above it.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import grimp

ROOT = Path(__file__).parents[1]
PARTS = ("benchmarks", "algorithms", "oracles")
"""Folders beside `coopgym/`, each of which may import those after it, and the core."""

LONG, LISTED, SHORT = 500, 400, 60
"""Lines: of a file that is too long, of one that is worth a look, of one that may be part of its only importer."""
PEERS = 3
"""Modules of one folder that an importer takes: from so many on they stand in a row."""

STANDING_ALONE: Mapping[str, str] = {
    "algorithms/loading.py": "users load what was trained from it",
    "benchmarks/cli/main.py": "the entry point of the command line",
    "coopgym/games/released/observation.py": "peer of formal/observation.py: what an edition's seats see",
    "coopgym/mechanisms/dissolution.py": "one of a row: a module per theory",
    "coopgym/torch_namespace.py": "the module itself is handed out, as the namespace of arrays",
}
"""Short files with one importer that stay, and why."""

LIMITS: Mapping[str, int] = {
    "floors": 11,
    "imports against the floors": 0,
    "circles of packages": 0,
    "circles of modules": 0,
    f"files over {LONG} lines": 3,
    f"files under {SHORT} lines with one importer": 0,
    "files with private words": 0,
    "type aliases defined more than once": 0,
}
"""What no measure may exceed. A number here may be lowered, never raised; 0 is a goal that has been reached."""

RETIRED: Mapping[str, str] = {
    "benchmarks/report": "evidence fields courses conversations portraits cells conflict exceedance responses",
    "benchmarks/score": "Yardstick Entrant Contest letters landmark certain",
    "benchmarks": "ink looks words nature meetings Met Sitting entries outlook teachers keeping endings",
    "benchmarks/audits": "Conduct conduct Timetable timetable probe Reaction Chance",
    "benchmarks/execute": "deviations recording",
    "benchmarks/tournament": "Entrant Contestant entrants contestants",
    "coopgym/play": "Table answers refuse_shared",
    "coopgym/games": "settled auxiliary layout filled moved",
    "coopgym/mechanisms": "standing image",
    "coopgym/interfaces/text": "desk Desk sight words levels imagined dialects Dialect hear give_up Use",
    "oracles": "frozen optimism Care yardsticks Yardstick portrait refinement opening JointInterest",
    "algorithms/marl": "places explore samples exported TimedMean told judged worth latent",
    "algorithms/common": "Hyperparameters Trainable Stacked Trainee Ledger told judged worth latent",
    "algorithms/llm": "voices talks gold endings recite services recipes pacing addresses",
}
"""Words that newcomers had to translate, by the folder where the field's term should stand instead."""

Graph: TypeAlias = Mapping[str, set[str]]


@dataclass(frozen=True)
class Measure:
    """One thing to keep an eye on.

    Attributes:
        name: as in `LIMITS`.
        count: what is compared with the limit.
        findings: what there is to see, one line each.
    """

    name: str
    count: int
    findings: Sequence[str]

    @property
    def too_high(self) -> bool:
        """Whether the count is over its limit; one without a limit is only printed."""
        return self.name in LIMITS and self.count > LIMITS[self.name]

    def __str__(self) -> str:
        limit = ""
        if self.name in LIMITS:
            limit = f" (limit {LIMITS[self.name]}{', lower it' if self.count < LIMITS[self.name] else ''})"
        return "\n".join([f"{self.name}: {self.count}{limit}", *(f"  {finding}" for finding in self.findings)])


def measures() -> list[Measure]:
    """Measure the house as it stands in this checkout."""
    graph = _imports()
    return [
        *_floors(graph),
        against_the_floors(graph),
        _circles("circles of packages", _between_neighbours(graph)),
        _circles("circles of modules", [graph]),
        _long_files(),
        _listed_files(),
        _one_importer(graph),
        _private_words(),
        _repeated_aliases(),
        _lines(),
    ]


@cache
def product_files() -> dict[Path, str]:
    """Return every Python file of the product by its path from the root, with its text."""
    folders = ("coopgym", *PARTS)
    links = {ROOT / "coopgym" / part for part in PARTS}
    paths = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return {path.relative_to(ROOT): path.read_text("utf-8") for path in paths if not links & set(path.parents)}


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(product_files()[path])


def _imports() -> Graph:
    """Return what each module imports, wherever in the module, but not what only type checkers read."""
    found = grimp.build_graph("coopgym", exclude_type_checking_imports=True, cache_dir=None)
    return {module: found.find_modules_directly_imported_by(module) for module in found.modules}


def _packages(graph: Graph) -> frozenset[str]:
    return frozenset(module.rpartition(".")[0] for module in graph) - {""}


def _gathered(graph: Graph, room_of: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the graph between rooms, of modules that are in one."""
    rooms: dict[str, set[str]] = {room: set() for room in room_of.values()}
    for module, imported in graph.items():
        if module in room_of:
            rooms[room_of[module]] |= {room_of[each] for each in imported if each in room_of} - {room_of[module]}
    return rooms


def _between_neighbours(graph: Graph) -> Iterator[Graph]:
    """For every package, yield the graph between the packages right inside it."""
    packages = _packages(graph)
    for package in sorted(packages):
        inside = [each for each in packages if each.rpartition(".")[0] == package]
        yield _gathered(
            graph, {module: room for room in inside for module in graph if f"{module}.".startswith(f"{room}.")}
        )


def _reached(graph: Graph, start: str) -> set[str]:
    """Return all that a chain of imports leads to; ``start`` itself only where one leads back."""
    found: set[str] = set()
    open_ends = [start]
    while open_ends:
        new = graph[open_ends.pop()] - found
        found |= new
        open_ends += new
    return found


def rings(graph: Graph) -> list[list[str]]:
    """Return the sets of nodes that all reach each other, largest first."""
    reached = {node: _reached(graph, node) for node in graph}
    mutual = {frozenset(other for other in reached[node] if node in reached[other]) for node in graph}
    return sorted((sorted(ring) for ring in mutual if len(ring) > 1), key=len, reverse=True)


def height(graph: Graph) -> int:
    """Return how many nodes the longest chain of imports has, a ring counting as one."""
    ring_of = {node: " ".join(ring) for ring in rings(graph) for node in ring}
    room_of = {node: ring_of.get(node, node) for node in graph}
    rooms = _gathered(graph, room_of)

    @cache
    def floor(room: str) -> int:
        return 1 + max(map(floor, rooms[room]), default=0)

    return max(map(floor, rooms), default=0)


def _floors(graph: Graph) -> Iterator[Measure]:
    """Count the floors of the house, in packages, and of every part, in the rooms right inside it."""
    packages = _packages(graph)
    room_of = {module: module if module in packages else module.rpartition(".")[0] for module in graph}
    parts = [f"coopgym.{part}" for part in PARTS]
    inside = []
    for part in ("coopgym", *parts):
        depth = part.count(".") + 2
        own = [
            module
            for module in graph
            if module.startswith(f"{part}.") and (part != "coopgym" or not module.startswith(tuple(parts)))
        ]
        rooms = _gathered(graph, {module: ".".join(module.split(".")[:depth]) for module in own})
        inside.append(f"{part}: {len(rooms)} rooms on {height(rooms)} floors")
    yield Measure("floors", height(_gathered(graph, room_of)), inside)


def against_the_floors(graph: Graph) -> Measure:
    """Count imports of a part from one that stands on it."""
    order = {f"coopgym.{part}": height for height, part in enumerate(reversed(PARTS), start=1)}
    height = {module: order.get(".".join(module.split(".")[:2]), 0) for module in graph}
    arrows = [
        f"{module} imports {each}"
        for module in sorted(graph)
        for each in sorted(graph[module])
        if height[each] > height[module]
    ]
    return Measure("imports against the floors", len(arrows), arrows)


def _circles(name: str, graphs: Iterator[Graph] | Sequence[Graph]) -> Measure:
    found = [" ↔ ".join(ring) for graph in graphs for ring in rings(graph)]
    return Measure(name, len(found), found)


def _by_length(texts: Mapping[Path, str], above: int, up_to: int = sys.maxsize) -> list[str]:
    lengths = {path: text.count("\n") for path, text in texts.items()}
    longest = sorted(lengths, key=lambda path: -lengths[path])
    return [f"{path.as_posix()}: {lengths[path]} lines" for path in longest if above < lengths[path] <= up_to]


def _long_files() -> Measure:
    tests = {path.relative_to(ROOT): path.read_text("utf-8") for path in sorted((ROOT / "tests").rglob("*.py"))}
    found = _by_length({**product_files(), **tests}, LONG)
    return Measure(f"files over {LONG} lines", len(found), found)


def _listed_files() -> Measure:
    found = _by_length(product_files(), LISTED, LONG)
    return Measure(f"product files over {LISTED} lines", len(found), found)


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts if parts[0] == "coopgym" else ("coopgym", *parts)).removesuffix(".__init__")


def _one_importer(graph: Graph) -> Measure:
    """Count short modules that one module imports, unless it imports others of their folder too, or they stay."""
    importers = defaultdict(set)
    for module, imported in graph.items():
        for each in imported:
            importers[each].add(module)
    found = []
    for path, text in product_files().items():
        module = module_name(path)
        if path.stem.startswith("__") or text.count("\n") >= SHORT or len(importers[module]) != 1:
            continue
        if path.as_posix() in STANDING_ALONE:
            continue
        (importer,) = importers[module]
        folder = module.rpartition(".")[0]
        if sum(each.rpartition(".")[0] == folder for each in graph[importer]) < PEERS:
            found.append(f"{path.as_posix()}: only for {importer}")
    return Measure(f"files under {SHORT} lines with one importer", len(found), found)


def _names(path: Path) -> Iterator[str]:
    """Yield the names that a file gives: its own, and those of its classes, their fields, and functions."""
    yield path.parent.name if path.stem == "__init__" else path.stem
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.ClassDef):
            yield node.name
            yield from (
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            )
        elif isinstance(node, ast.FunctionDef):
            yield node.name


def _private_words() -> Measure:
    retired = {folder: frozenset(words.split()) for folder, words in RETIRED.items()}
    found = [
        f"{path.as_posix()}: {', '.join(sorted(words))}"
        for path in product_files()
        if (words := set(_names(path)) & set().union(*(retired[each] for each in retired if path.is_relative_to(each))))
    ]
    return Measure("files with private words", len(found), found)


def _aliases(path: Path) -> Iterator[str]:
    """Yield the names of types that a module puts together at its top level."""
    for node in syntax(path).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript()) if (
                name[0].isupper() and not name.isupper()
            ):
                yield name


def _repeated_aliases() -> Measure:
    homes = defaultdict(list)
    for path in product_files():
        for name in _aliases(path):
            homes[name].append(path.as_posix())
    found = [f"{name}: {', '.join(paths)}" for name, paths in sorted(homes.items()) if len(paths) > 1]
    return Measure("type aliases defined more than once", len(found), found)


def _lines() -> Measure:
    lines: Counter[str] = Counter()
    for path, text in product_files().items():
        lines["/".join(path.parts[:2]) if len(path.parts) > 2 else path.parts[0]] += text.count("\n")
    return Measure("lines of product code", lines.total(), [f"{room}: {lines[room]}" for room in sorted(lines)])


if __name__ == "__main__":
    found = measures()
    print(*found, sep="\n\n")
    sys.exit(any(measure.too_high for measure in found))
