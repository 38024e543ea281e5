"""Small damage to documents, bytes and folders, drawn from a seeded generator."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

Tree = Any
"""Dictionaries and lists inside each other, as JSON and TOML have them."""

ODD: tuple[Any, ...] = (
    *(True, False, 0, -1, 1.7, 3, 1e308, float("nan"), float("inf"), 10**30, 2**63, -(2**63)),
    *("", "0", "x" * 5_000, "\u202eold", "[/b]", "$\\frac$", "=1+1", "../../etc", "a\u0000b", "Tit For Tat"),
    *([], {}, [[]], [None], {"": 0}, [0, "1"], {"a": {"b": {"c": []}}}, ["TitForTat"] * 3),
)
"""What stands in the place of something sensible."""


def mutated(tree: Tree, chance: Random, odd: tuple[Any, ...] = ODD) -> Tree:
    """Return a tree in which one to three places are replaced, removed, doubled or renamed."""
    tree = copy.deepcopy(tree)
    for _ in range(chance.randint(1, 3)):
        if places := list(_places(tree)):
            holder, key = chance.choice(places)
            chance.choice(_CHANGES)(holder, key, chance, odd)
    return tree


def _places(tree: Tree) -> Iterator[tuple[Any, Any]]:
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(entries):
        yield tree, key
        yield from _places(value)


def _replace(holder: Any, key: Any, chance: Random, odd: tuple[Any, ...]) -> None:
    holder[key] = copy.deepcopy(chance.choice(odd))


def _remove(holder: Any, key: Any, chance: Random, odd: tuple[Any, ...]) -> None:
    del holder[key]


def _double(holder: Any, key: Any, chance: Random, odd: tuple[Any, ...]) -> None:
    if isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        holder[f"{key}_2"] = copy.deepcopy(holder[key])


def _rename(holder: Any, key: Any, chance: Random, odd: tuple[Any, ...]) -> None:
    if isinstance(holder, dict):
        holder[chance.choice(("x", key.upper(), f" {key}", key[:-1], "é"))] = holder.pop(key)
    else:
        holder[key] = [holder[key]]


def _nudge(holder: Any, key: Any, chance: Random, odd: tuple[Any, ...]) -> None:
    value = holder[key]
    if isinstance(value, str) and value:
        place = chance.randrange(len(value))
        holder[key] = value[:place] + chance.choice("aZ0-_.:%[]\\\u00e9\u200b") + value[place + chance.randint(0, 1) :]
    elif isinstance(value, int | float):
        holder[key] = chance.choice((-value, value + 1, value * 1.5, str(value), [value]))
    else:
        holder[key] = chance.choice((str(value)[:50], [value], 1))


_CHANGES: Sequence[Callable[[Any, Any, Random, tuple[Any, ...]], None]] = (
    _replace,
    _remove,
    _double,
    _rename,
    _nudge,
)


def damaged(content: bytes, chance: Random) -> bytes:
    """Return bytes of which some are flipped, cut off, repeated, or exchanged for zeros; never the same ones."""
    place = chance.randrange(len(content))
    flipped = bytes([content[place] ^ (1 << chance.randrange(8))])
    return chance.choice(
        (
            content[:place] + flipped + content[place + 1 :],
            content[:place],
            content + content[place:],
            content[:place] + bytes(len(content) - place + 1),
            b"",
        )
    )


def spoil(folder: Path, chance: Random) -> str:
    """Change one file of a folder, and say what was done to which."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    file = chance.choice(files)
    kind = chance.choice(sorted(_SPOILING))
    _SPOILING[kind](file, chance.choice([other for other in files if other != file]), chance)
    return f"{kind} {file.relative_to(folder)}"


def _damage(file: Path, other: Path, chance: Random) -> None:
    file.write_bytes(damaged(file.read_bytes(), chance))


def _exchange(file: Path, other: Path, chance: Random) -> None:
    one, two = file.read_bytes(), other.read_bytes()
    file.write_bytes(two)
    other.write_bytes(one)


def _copy(file: Path, other: Path, chance: Random) -> None:
    shutil.copy(file, file.with_name(f"copy-of-{file.name}"))


def _become_a_folder(file: Path, other: Path, chance: Random) -> None:
    file.unlink()
    file.mkdir()


def _become_a_pipe(file: Path, other: Path, chance: Random) -> None:
    file.unlink()
    os.mkfifo(file)


def _lead_outside(file: Path, other: Path, chance: Random) -> None:
    file.unlink()
    file.symlink_to("/etc/hostname")


_SPOILING: dict[str, Callable[[Path, Path, Random], None]] = {
    "damage": _damage,
    "exchange": _exchange,
    "remove": lambda file, other, chance: file.unlink(),
    "copy": _copy,
    "folder": _become_a_folder,
    "pipe": _become_a_pipe,
    "link": _lead_outside,
}


def toml(tree: Tree) -> str:
    """Write a table as TOML, as far as TOML can say it."""
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in tree.items())


def _key(key: Any) -> str:
    return _value(str(key))


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(letter if letter.isalnum() else f"\\U{ord(letter):08X}" for letter in value) + '"'
    return str(value).lower() if isinstance(value, bool | float) else "[]" if value is None else str(value)
