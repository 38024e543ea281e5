"""Pages of the documentation and the blocks between their marks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from textwrap import dedent, indent

from coopgym.benchmarks.study.schema import unknown

COMMAND = "python -m coopgym.benchmarks.documentation"
ROOT = Path(__file__).resolve().parents[2]
END = "<!-- end -->"
_BEGIN = rf"<!-- written by {re.escape(COMMAND)}: (?P<name>[^\n]+) -->"
_BLOCK = re.compile(rf"^(?P<margin> *){_BEGIN}\n(?P<body>.*?)^(?P=margin){END}$", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """Return the README and the pages of `docs`."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks_in(text: str, known: Collection[str]) -> dict[str, str]:
    """Return what stands in each block of a page.

    Raises:
        ValueError: a mark without its counterpart, a name that is not known, or one that stands twice.
    """
    found = [(block["name"], dedent(block["body"]).strip()) for block in _BLOCK.finditer(text)]
    if not len(found) == len(re.findall(_BEGIN, text)) == text.count(END):
        raise ValueError(f"expected a line {END!r}, as far from the margin, below every mark that begins a block")
    for name, _ in found:
        if name not in known:
            raise ValueError(unknown("block", name, known))
    if len(dict(found)) < len(found):
        raise ValueError(f"expected every block once on a page, found {', '.join(name for name, _ in found)}")
    return dict(found)


def with_blocks(text: str, blocks: Mapping[str, str]) -> str:
    """Return a page with other text in its blocks, each as far from the margin as its mark."""

    def written(block: re.Match[str]) -> str:
        begin, *_ = block[0].splitlines()
        return f"{begin}\n\n{indent(blocks[block['name']], block['margin'])}\n\n{block['margin']}{END}"

    return _BLOCK.sub(written, text)
