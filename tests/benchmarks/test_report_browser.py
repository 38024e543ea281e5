"""The page in a real browser, where one is installed."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from coopgym.benchmarks.report import render
from tests.benchmarks.report_corpora import written
from tests.benchmarks.report_language import spoken

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
WATCH = """
<script>
  const found = {errors: [], requests: [], violations: [], sorted: null};
  for (const kind of ["error", "warn"]) console[kind] = (...words) => found.errors.push(words.join(" "));
  addEventListener("error", (event) => found.errors.push(event.message));
  document.addEventListener("securitypolicyviolation", (event) => found.violations.push(event.blockedURI));
  addEventListener("load", () => {
    const head = document.querySelectorAll("#results th[data-sortable]")[2];
    head.querySelector("button").click();
    const scores = [...head.closest("table").tBodies[0].rows].map((row) => Number(row.cells[2].dataset.order));
    found.sorted = {by: head.getAttribute("aria-sort"), scores};
    const [run, episode, seat] = document.querySelectorAll(".transcripts select");
    const pick = (select, index) => {
      select.selectedIndex = index;
      select.dispatchEvent(new Event("change"));
    };
    pick(episode, 1);
    pick(seat, 1);
    pick(run, 2);
    const open = [...document.querySelectorAll(".transcripts details")].filter((talk) => talk.checkVisibility());
    const last = (talk) => talk.querySelector("li:last-child blockquote").innerText;
    found.picked = open.map((talk) => ({...talk.dataset, said: last(talk)}));
    found.runs = [...run.options].map((option) => option.value);
    found.requests = performance.getEntriesByType("resource").map((each) => each.name);
    found.wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    document.documentElement.dataset.found = JSON.stringify(found);
  });
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
def test_the_page_works_without_network_and_without_complaints(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    page = render(written(tmp_path / "runs", spoken()))
    place = tmp_path / "page.html"
    place.write_text(page.replace("<head>", f"<head>{WATCH}", 1), encoding="utf-8")
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=390,800"),
            *("--disable-background-networking", "--virtual-time-budget=3000", "--dump-dom", place.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = re.search(r'data-found="([^"]*)"', done.stdout)
    assert told is not None, done.stdout[:500] + done.stderr[-2000:]
    found = json.loads(html.unescape(told[1]))
    assert found["errors"] == found["requests"] == found["violations"] == []
    assert found["sorted"]["by"] == "descending"
    assert found["sorted"]["scores"] == sorted(found["sorted"]["scores"], reverse=True)
    (picked,) = found["picked"]
    assert (picked["run"], picked["episode"], picked["seat"]) == (found["runs"][2], "1", "1")
    assert picked["said"] == "submit .5"
    assert found["wider"] <= 0, "nothing makes the page wider than a phone"
