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
