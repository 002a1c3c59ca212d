// The modal that the bot has open for this reader: the newest, as a real dialog.

import { drawBlocks, showErrors, valuesOf } from "./blocks.js";
import { $, el, setText } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { post, store } from "./state.js";

let dialog = null;
let shown = null; // {id, drawn}
let closing = new Set();
let openedIn = null; // the message whose menu opened it

export function showModal() {
  const mine = store.views.filter((each) => each.user === store.me && !closing.has(each.id));
  for (const id of closing) if (!store.views.some((each) => each.id === id)) closing.delete(id);
  const view = mine[mine.length - 1];
  if (!view) return hide();
  const drawn = JSON.stringify(view.content);
  if (shown?.id === view.id && shown.drawn === drawn) return undefined;
  const held = shown?.id === view.id ? valuesOf(dialog) : {};
  hide();
  shown = { id: view.id, drawn };
  open(view, held);
  return undefined;
}

function hide() {
  if (!dialog) return;
  const going = dialog;
  dialog = null;
  shown = null;
  going.close();
  going.remove();
  if (openedIn && (document.activeElement ?? document.body) === document.body) {
    const { channel, ts } = openedIn; // drawn anew meanwhile, so the element that had the focus is gone
    $(`[data-channel="${CSS.escape(channel)}"][data-ts="${CSS.escape(ts)}"]`)?.focus({ preventScroll: true });
  }
}

function open(view, held) {
  const { content } = view;
  const trouble = el("p", { class: "problem", role: "alert", "data-testid": "modal-error" });
  const context = { act: (actionId, value) => post("click", { user: store.me, channel: null, ts: null, view_id: view.id, action_id: actionId, value }).catch((error) => setText(trouble, error.message)) };
  const submit = content.submit ? el("button", { class: "button primary", "data-testid": "modal-submit" }, plain(content.submit.text)) : "";
  const form = el(
    "form",
    { novalidate: true, onsubmit: send },
    el(
      "div",
      { class: "top" },
      el("h2", { id: "modal-title" }, plain(content.title?.text)),
      el("button", { type: "button", class: "plain", "aria-label": "Close", "data-testid": "modal-x", onclick: shut }, "✕"),
    ),
    el("div", { class: "body" }, drawBlocks(content.blocks, context), trouble),
    el(
      "div",
      { class: "foot" },
      el("button", { type: "button", class: "button", "data-testid": "modal-close", onclick: shut }, plain(content.close?.text) || "Cancel"),
      submit,
    ),
  );
  const box = el("dialog", { class: "box", "aria-labelledby": "modal-title", "data-testid": "modal", "data-view": view.id, oncancel: shut, onclose: (event) => dialog === box && shut(event) }, form);
  for (const field of form.querySelectorAll("[data-block-id]")) {
    const before = held[field.dataset.blockId]?.[field.dataset.actionId];
    if (typeof before === "string" && "value" in field) field.value = before;
  }
  dialog = box;
  openedIn = document.activeElement?.closest("[data-ts]")?.dataset ?? openedIn;
  document.body.append(box);
  box.showModal();
  ($("[autofocus]", form) ?? $("[data-block-id]", form))?.focus();

  async function send(event) {
    event.preventDefault();
    setText(trouble, "");
    if (submit) submit.disabled = true;
    try {
      const missing = emptyFields(content.blocks, valuesOf(form));
      const { errors = {} } = Object.keys(missing).length ? { errors: missing } : await post("submit", { user: store.me, view_id: view.id, values: valuesOf(form) });
      const first = showErrors(form, errors);
      first?.focus();
      if (Object.keys(errors).length && !first) setText(trouble, Object.values(errors).join(" "));
    } catch (error) {
      setText(trouble, error.message);
    } finally {
      if (submit) submit.disabled = false;
    }
  }

  function shut(event) {
    event.preventDefault();
    closing.add(view.id);
    showModal();
    post("close", { user: store.me, view_id: view.id }).catch(() => closing.delete(view.id));
  }
}

/** As Slack does before it asks the app: what is not optional must be filled in. */
function emptyFields(blocks, values) {
  const missing = {};
  (blocks ?? []).forEach((block, place) => {
    if (block.type !== "input" || block.optional) return;
    const id = block.block_id ?? `block-${place}`;
    const value = values[id]?.[block.element.action_id];
    if (value === null || value === undefined || value.length === 0) missing[id] = "Please complete this required field.";
  });
  return missing;
}
