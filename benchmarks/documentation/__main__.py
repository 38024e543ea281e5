"""``python -m coopgym.benchmarks.documentation``: write every block of every page anew, and the pages of the games."""

from __future__ import annotations

from pathlib import Path

from coopgym.benchmarks.documentation.blocks import BLOCKS
from coopgym.benchmarks.documentation.games import FOLDER, game_pages
from coopgym.benchmarks.documentation.pages import blocks_in, pages, with_blocks


def write(page: Path, text: str) -> None:
    """Write a page where it says something else."""
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")
        print(f"written: {page}")


if __name__ == "__main__":
    for page in pages():
        standing = page.read_text(encoding="utf-8")
        write(page, with_blocks(standing, {name: BLOCKS[name]() for name in blocks_in(standing, BLOCKS)}))
    FOLDER.mkdir(exist_ok=True)
    for page, text in game_pages().items():
        write(page, text)
