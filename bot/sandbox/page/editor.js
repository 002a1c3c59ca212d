// The rules as text: line numbers at the left, lines with mistakes marked, and a list that leads to them.

import { $, el, setText } from "./dom.js";

/** What stands between backticks, as code. */
const withCode = (text) => text.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part));

const SETTLED = 1500; // milliseconds after which what the server says is newer than what was saved

export function editor(root, { save }) {
  const area = $("textarea", root);
  const gutter = $(".gutter", root);
  const bands = $(".bands", root);
  const list = $("[data-testid=mistakes]", root);
  const note = $("[data-testid=rules-note]", root);
  let saved = null;
  let mistakes = [];
  let lines = 0;
  let savedAt = -Infinity;

  const isDirty = () => saved !== null && area.value !== saved;

  function number() {
    const now = area.value.split("\n").length;
    if (now === lines) return;
    lines = now;
    gutter.replaceChildren(...Array.from({ length: lines }, (_, at) => el("span", {}, String(at + 1))));
    mark();
  }

  function mark() {
    const wrong = new Set(mistakes.map((each) => each.line));
    [...gutter.children].forEach((each, at) => each.classList.toggle("wrong", wrong.has(at + 1)));
    bands.replaceChildren(...Array.from({ length: lines }, (_, at) => el("span", { class: wrong.has(at + 1) ? "wrong" : null })));
    scroll();
  }

  function scroll() {
    gutter.scrollTop = area.scrollTop;
    bands.scrollTop = area.scrollTop;
  }

  function show(found) {
    if (JSON.stringify(found) === JSON.stringify(mistakes)) return;
    mistakes = found;
    list.replaceChildren(
      ...found.map((each) => el("li", {}, el("button", { type: "button", class: "link", "data-line": each.line, onclick: () => goTo(each) }, `Line ${each.line}: `, el("span", {}, withCode(each.text))))),
    );
    mark();
  }

  function goTo({ line, column }) {
    const before = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const end = area.value.indexOf("\n", before);
    area.focus();
    area.setSelectionRange(before + Math.max(0, (column ?? 1) - 1), end < 0 ? area.value.length : end);
    reveal(line);
  }

  function reveal(line) {
    area.scrollTop = Math.max(0, (line - 4) * (area.scrollHeight / lines));
    scroll();
  }

  function tell() {
    setText(note, isDirty() ? "Not saved." : mistakes.length ? "Saved, with mistakes: the last good rules stay in force." : "");
  }

  async function put() {
    const text = area.value;
    const answer = await save(text);
    if (!answer) return;
    saved = text;
    savedAt = performance.now();
    show(answer.mistakes ?? []);
    if (mistakes.length) reveal(mistakes[0].line);
    setText(note, mistakes.length ? "Saved, with mistakes: the last good rules stay in force." : "Saved. In force within seconds.");
  }

  area.addEventListener("input", () => {
    number();
    tell();
  });
  area.addEventListener("scroll", scroll, { passive: true });
  area.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      put();
    }
  });

  window.addEventListener("beforeunload", (event) => isDirty() && event.preventDefault());

  return {
    put,
    isDirty,
    /** The file as the server has it; what is being typed is kept. */
    take(rules) {
      if (!rules || (rules.text !== saved && performance.now() - savedAt < SETTLED)) return; // asked for before the save
      if (saved === null || (!isDirty() && rules.text !== saved)) {
        saved = rules.text;
        area.value = rules.text;
        number();
      }
      if (!isDirty()) show(rules.mistakes ?? []);
      else if (rules.text !== saved) setText(note, "Not saved. The file has changed meanwhile: saving replaces it.");
    },
  };
}
