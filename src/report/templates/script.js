"use strict";
// Sorting and filtering of the long tables. Without it the page says the same things.
document.querySelectorAll("table[data-interactive]").forEach((table) => {
  const body = table.tBodies[0];
  const value = (row, at) => {
    const cell = row.cells[at];
    return cell.dataset.sort === undefined ? cell.textContent : Number(cell.dataset.sort);
  };
  const compare = (a, b) => {
    const numbers = [a, b].filter((v) => typeof v === "number").length;
    if (numbers === 2) return a - b;
    // Cells without a number go last.
    return numbers === 0 ? a.localeCompare(b) : typeof a === "number" ? -1 : 1;
  };
  table.tHead.querySelectorAll("th").forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const order = head.dataset.order === "up" ? "down" : "up";
      table.tHead.querySelectorAll("th").forEach((other) => {
        delete other.dataset.order;
        other.removeAttribute("aria-sort");
      });
      head.dataset.order = order;
      head.setAttribute("aria-sort", order === "up" ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a, at), value(b, at)];
        const both = typeof x === typeof y;
        return both && order === "down" ? compare(y, x) : compare(x, y);
      });
      body.append(...rows);
      table.classList.add("touched");
    });
  });
  const label = document.createElement("label");
  label.className = "filter";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "words that a row must have";
  label.append("Filter", input);
  table.parentElement.before(label);
  input.addEventListener("input", () => {
    table.classList.add("touched");
    const words = input.value.toLowerCase().split(/\s+/);
    [...body.rows].forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    });
  });
});
// A link to a run opens its settings.
const reveal = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", reveal);
reveal();
// While the sweep goes on. Whoever typed into a filter is left alone.
const isIdle = () => ![...document.querySelectorAll("input, select")].some((field) => field.value !== field.defaultValue && field.value);
const refresh = Number(document.body.dataset.refresh);
if (refresh > 0) {
  setInterval(() => {
    if (isIdle()) location.reload();
  }, 1000 * refresh);
}
// A page of `bertbench serve` asks whether it changed. A server that has gone is asked again: it may come back.
if (document.body.dataset.live !== undefined && location.protocol.startsWith("http")) {
  let shown;
  const look = async () => {
    try {
      const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
      const tag = answer.ok ? answer.headers.get("etag") : shown;
      shown ??= tag;
      if (tag !== shown && isIdle()) location.reload();
    } catch {
      // Not there at the moment.
    }
    setTimeout(look, 3000);
  };
  look();
}
