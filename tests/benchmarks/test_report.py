"""The report: complete, self-contained, repeatable."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.report import render, write_report
from benchmarks.study import Study
from benchmarks.summary import summarise
from coopgym.corpus import load_corpus

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Reader(HTMLParser):
    """Collects what a page would fetch, its ids, and checks that its elements nest."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.sources += [named[name] or "" for name in ("src", "srcset", "data", "action") if name in named]
        self.links += [named[name] or "" for name in ("href", "xlink:href") if name in named]
        self.ids += [named["id"] or ""] if "id" in named else []
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag


@pytest.fixture
def page(small: Study, run, tmp_path: Path) -> str:
    run(small, tmp_path)
    corpus = load_corpus(tmp_path)
    return render(corpus, summarise(corpus.runs))


def test_the_page_needs_nothing_from_outside(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert reader.sources == []
    assert all(link.startswith("#") for link in reader.links)
    assert not re.search(r"https?:|@import|url\((?!#)", page)


def test_ids_are_unique_and_references_resolve(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link[1:] for link in reader.links} | set(re.findall(r"url\(#([^)]+)\)", page)) <= set(reader.ids)


def test_the_page_shows_every_part(page: str) -> None:
    for heading in ("Ranking", "By mechanism class", "Response to constant cooperation", "Every game", "Failures"):
        assert f"<h2>{heading}</h2>" in page
    assert "<h2>Learning</h2>" not in page, "nothing was trained"
    assert "None: every run completed." in page
    assert page.count('aria-label="Response of ') == 2
    assert "prefers-color-scheme: dark" in page


def test_drawings_take_their_colours_from_the_theme(page: str) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert not re.search(r"(?:fill|stroke): #", drawings)
    used, defined = set(re.findall(r"var\(--(\w+)\)", drawings)), set(re.findall(r"--(\w+):", page))
    assert used <= defined


def test_bytes_repeat(small: Study, run, tmp_path: Path) -> None:
    run(small, tmp_path)
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    for path in pages:
        corpus = load_corpus(tmp_path)
        write_report(corpus, summarise(corpus.runs), path)
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_failures_and_hostile_names_are_shown_as_text(
    small: Study, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "raising_agent.py").write_text(
        "class Me:\n    def begin(self, *a): raise ValueError('<script>alert(1)</script>')\n    def act(self, o): ...\n"
    )
    run(small.with_agent("raising_agent:Me"), tmp_path / "out")
    corpus = load_corpus(tmp_path / "out")
    page = render(corpus, summarise(corpus.runs))
    assert "<script>" not in page
    assert "ValueError: &lt;script&gt;alert(1)&lt;/script&gt;" in page
