// table and data_table blocks; the latter is sorted by its column heads and shown a page at a time.

import { el, setText } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { richText } from "./rich.js";

const PAGE = 10;

function cellNodes(cell, drawElement) {
  if (!cell) return [];
  if (cell.type === "rich_text") return [richText(cell)];
  if (cell.type === "action_cell") return [drawElement(cell.element)];
  return [plain(cell.text ?? cell.value)];
}

const SHORT = 28; // characters that are not broken into lines
const isShort = (cell) => wordsOf(cell).length <= SHORT;
const isNumber = (cell) => cell?.type === "raw_number";

function frame(table, label) {
  return el("div", { class: "scrolling", tabindex: "0", role: "group", "aria-label": label }, table);
}

export function table(block, drawElement) {
  const settings = block.column_settings ?? [];
  const look = (column, cell) => {
    const { align, is_wrapped: wrapped } = settings[column] ?? {};
    const side = align ?? (isNumber(cell) ? "right" : "left");
    return `${side === "left" ? "" : side} ${wrapped === false || (wrapped === undefined && isShort(cell)) ? "unwrapped" : ""}`.trim() || null;
  };
  const [head = [], ...rows] = block.rows ?? [];
  const below = (column, cell) => (cell?.type === "raw_text" && isNumber(rows[0]?.[column]) ? rows[0][column] : cell);
  return frame(
    el(
      "table",
      { class: "grid" },
      el("thead", {}, el("tr", {}, head.map((cell, column) => el("th", { scope: "col", class: look(column, below(column, cell)) }, cellNodes(cell, drawElement))))),
      el(
        "tbody",
        {},
        rows.map((row) => el("tr", {}, row.map((cell, column) => el("td", { class: look(column, cell) }, cellNodes(cell, drawElement))))),
      ),
    ),
    "Table",
  );
}

const words = new Intl.Collator("en", { numeric: true });

function compare(one, other) {
  if (isNumber(one) && isNumber(other)) return one.value - other.value;
  if (isNumber(one) !== isNumber(other)) return isNumber(one) ? -1 : 1;
  return words.compare(plain(wordsOf(one)), plain(wordsOf(other)));
}

function wordsOf(cell) {
  if (!cell) return "";
  if (cell.type === "action_cell") return cell.fallback?.text ?? cell.element?.text?.text ?? "";
  if (typeof cell.text === "string") return cell.text;
  return (cell.elements ?? []).map(wordsOf).join("");
}

export function dataTable(block, drawElement) {
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? PAGE;
  const headColumn = block.row_header_column_index ?? 0;
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => isNumber(row[column])));
  let order = rows;
  let sorted = { column: -1, down: false };
  let page = 0;

  const body = el("tbody");
  const heads = head.map((cell, column) => {
    const button = el("button", { type: "button", class: "sort", onclick: () => sortBy(column) }, plain(cell.text), el("span", { class: "arrow", "aria-hidden": "true" }));
    return el("th", { scope: "col", class: numeric[column] ? "right" : null }, button);
  });
  const where = el("span", { class: "where", role: "status" });
  const back = el("button", { type: "button", class: "small", onclick: () => turn(-1) }, "Previous");
  const on = el("button", { type: "button", class: "small", onclick: () => turn(1) }, "Next");

  function sortBy(column) {
    sorted = { column, down: sorted.column === column && !sorted.down };
    order = [...rows].sort((one, other) => compare(one[column], other[column]) * (sorted.down ? -1 : 1));
    heads.forEach((each, place) => {
      if (place === column) each.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      else each.removeAttribute("aria-sort");
    });
    page = 0;
    draw();
  }

  function turn(by) {
    page += by;
    draw();
    if (back.disabled && by < 0) on.focus();
    if (on.disabled && by > 0) back.focus();
  }

  function draw() {
    const shown = order.slice(page * size, (page + 1) * size);
    body.replaceChildren(
      ...shown.map((row) =>
        el(
          "tr",
          {},
          row.map((cell, column) =>
            el(column === headColumn ? "th" : "td", { scope: column === headColumn ? "row" : null, class: [isNumber(cell) ? "right" : "", isShort(cell) ? "unwrapped" : ""].join(" ").trim() || null }, cellNodes(cell, drawElement)),
          ),
        ),
      ),
    );
    setText(where, `${page * size + 1}–${page * size + shown.length} of ${rows.length}`);
    back.disabled = page === 0;
    on.disabled = (page + 1) * size >= rows.length;
  }

  draw();
  const caption = plain(block.caption);
  return el(
    "div",
    { class: "datatable" },
    frame(el("table", { class: "grid" }, el("caption", {}, caption), el("thead", {}, el("tr", {}, heads)), body), caption),
    rows.length > size ? el("div", { class: "pager" }, back, where, on) : null,
  );
}
