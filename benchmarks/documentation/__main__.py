"""``python -m coopgym.benchmarks.documentation``: write every block of every page anew."""

from __future__ import annotations

from coopgym.benchmarks.documentation.blocks import BLOCKS
from coopgym.benchmarks.documentation.pages import blocks_in, pages, with_blocks

if __name__ == "__main__":
    for page in pages():
        text = page.read_text(encoding="utf-8")
        written = with_blocks(text, {name: BLOCKS[name]() for name in blocks_in(text, BLOCKS)})
        if written != text:
            page.write_text(written, encoding="utf-8")
            print(f"written: {page}")
