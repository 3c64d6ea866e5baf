// Sorts a table of a report when a heading is clicked. Each group of rows is sorted by itself; a
// second click turns the order round. Values without a number, and none at all, come last.
"use strict";
const UNITS = {
  ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, "%": 0.01,
  k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15,
};

function valueOf(text) {
  const parts = text.trim().match(/^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-zA-Z%]*)/);
  return parts ? Number(parts[1]) * (UNITS[parts[2]] ?? 1) : NaN;
}

function sort(table, column, heading) {
  const descending = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].children) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const isNumber = heading.classList.contains("number");
  const textOf = (row) => row.children[column].textContent;
  const isLast = (row) => (isNumber ? Number.isNaN(valueOf(textOf(row))) : textOf(row) === "");
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => row.children[0].tagName === "TD");
    rows.sort((a, b) => {
      if (isLast(a) || isLast(b)) return isLast(a) - isLast(b);
      const [x, y] = descending ? [textOf(b), textOf(a)] : [textOf(a), textOf(b)];
      return isNumber ? valueOf(x) - valueOf(y) : x.localeCompare(y);
    });
    body.append(...rows);
  }
}

for (const table of document.querySelectorAll("table")) {
  [...table.tHead.rows[0].children].forEach((heading, column) => {
    heading.tabIndex = 0;
    heading.addEventListener("click", () => sort(table, column, heading));
    heading.addEventListener("keydown", (event) => {
      if (event.key === "Enter") sort(table, column, heading);
    });
  });
}
