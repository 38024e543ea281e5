"use strict";

// Tables: pressing the head of a column sorts by it.
for (const head of document.querySelectorAll("th[data-sortable]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const descending = head.getAttribute("aria-sort") !== "descending" && head.cellIndex > 0;
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    const upward = !descending;
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = head.closest("table").tBodies[0];
    const key = (row) => {
      const cell = row.cells[head.cellIndex];
      return cell.dataset.order === undefined ? cell.textContent : Number(cell.dataset.order);
    };
    const order = (one, other) => {
      const [a, b] = [key(one), key(other)];
      return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    };
    body.append(...[...body.rows].sort((one, other) => (upward ? order(one, other) : order(other, one))));
  });
}

// Transcripts: one conversation is shown at a time, picked by run, episode and seat.
for (const viewer of document.querySelectorAll(".transcripts")) {
  const talks = [...viewer.querySelectorAll("details")];
  const picks = [...viewer.querySelectorAll("select")];
  const fits = (talk, parts) => picks.slice(0, parts).every((pick) => talk.dataset[pick.name] === pick.value);
  const offer = (pick, i) => {
    const kept = pick.value;
    const values = new Set(talks.filter((talk) => fits(talk, i)).map((talk) => talk.dataset[pick.name]));
    pick.replaceChildren(...[...values].map((value) => new Option(value, value, false, value === kept)));
  };
  const show = (changed) => {
    picks.forEach((pick, i) => i > changed && offer(pick, i));
    for (const talk of talks) talk.hidden = !(talk.open = fits(talk, picks.length));
  };
  picks.forEach((pick, i) => pick.addEventListener("change", () => show(i)));
  for (const talk of talks) talk.querySelector("summary").hidden = true;
  viewer.querySelector(".picker").hidden = false;
  show(-1);
}

// Contents: the section being read is marked.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) links.get(entry.target.id)?.classList.toggle("here", entry.isIntersecting);
  },
  { rootMargin: "-15% 0px -75% 0px" },
);
for (const section of document.querySelectorAll("main > section")) watcher.observe(section);

// Paper: everything that is folded is printed.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));
