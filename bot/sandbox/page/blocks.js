// Block Kit as DOM. `act(actionId, value)` is what a button or menu does; forms are read by `valuesOf`.

import { chart } from "./charts.js";
import { el } from "./dom.js";
import { menu } from "./menu.js";
import { mrkdwn, plain, textNodes } from "./mrkdwn.js";
import { richText } from "./rich.js";
import { channelOf, store } from "./state.js";
import { dataTable, table } from "./tables.js";

let counter = 0;
const freshId = () => `e${++counter}`;

export function drawBlocks(blocks, context) {
  return (blocks ?? []).map((block, place) => {
    try {
      return el("div", { class: `block ${block.type}`, "data-block": block.type }, draw(block, context, place));
    } catch (error) {
      console.warn("a block could not be drawn", block, error);
      return el("div", { class: "block" }, undrawn(block));
    }
  });
}

function draw(block, context, place) {
  switch (block.type) {
    case "section":
      return section(block, context);
    case "header":
      return el("h3", { class: `level${block.level ?? 1}` }, plain(block.text.text));
    case "context":
      return block.elements.map((each) =>
        each.type === "image" ? image(each, "icon") : el("span", { class: "text" }, textNodes(each)),
      );
    case "actions":
      return block.elements.map((each) => drawElement(each, context));
    case "divider":
      return el("hr");
    case "image":
      return el("figure", {}, block.title ? el("figcaption", {}, plain(block.title.text)) : null, image(block, "large"));
    case "rich_text":
      return richText(block);
    case "markdown":
      return el("div", { class: "text" }, mrkdwn(fromMarkdown(block.text)));
    case "table":
      return table(block, (each) => drawElement(each, context));
    case "data_table":
      return dataTable(block, (each) => drawElement(each, context));
    case "data_visualization":
      return chart(block);
    case "alert":
      return el("div", { class: `note ${block.level ?? "default"}`, role: "note" }, el("div", { class: "text" }, textNodes(block.text)));
    case "input":
      return input(block, context, place);
    case "container":
      return [
        block.title ? el("p", {}, el("strong", {}, textNodes(block.title))) : richText(block.rich_text_title),
        drawBlocks(block.child_blocks, context),
      ];
    default:
      return undrawn(block);
  }
}

const undrawn = (block) => el("p", { class: "muted", "data-undrawn": block.type }, `A ${plain(block.type)} block that this page cannot draw.`);

const fromMarkdown = (text) =>
  text
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/\*\*(.+?)\*\*/g, "*$1*")
    .replace(/^#{1,6} (.+)$/gm, "*$1*")
    .replace(/\[([^\]]+)\]\((https?:[^)\s]+)\)/g, "<$2|$1>");

function section(block, context) {
  const text = [
    block.text ? el("div", { class: "text" }, textNodes(block.text)) : null,
    block.fields ? el("div", { class: "fields" }, block.fields.map((each) => el("div", { class: "text" }, textNodes(each)))) : null,
  ];
  if (!block.accessory) return text;
  const accessory = block.accessory.type === "image" ? image(block.accessory, "thumb") : drawElement(block.accessory, context);
  return el("div", { class: "split" }, el("div", {}, text), el("div", { class: "accessory" }, accessory));
}

/** Pictures of this machine only; others are named, with their address. */
function image(block, size) {
  const address = block.image_url ?? block.slack_file?.url ?? "";
  let url = null;
  try {
    url = new URL(address, location.href);
  } catch {
    // no address
  }
  if (url && (url.origin === location.origin || url.protocol === "data:")) {
    return el("img", { src: url.href, alt: plain(block.alt_text), class: size, loading: "lazy" });
  }
  const words = plain(block.alt_text) || "picture";
  return el("span", { class: `picture ${size}`, role: "img", "aria-label": words, title: address || null }, size === "icon" ? "" : words);
}

export function drawElement(element, context) {
  const act = (value) => context.act(element.action_id, value, element);
  switch (element.type) {
    case "button":
      return button(element, act);
    case "static_select":
    case "overflow":
      return menu(element, plain(element.placeholder?.text) || "More", (option) => act(option.value));
    case "conversations_select":
    case "channels_select":
      return menu({ ...element, options: channelOptions() }, plain(element.placeholder?.text) || "Choose a channel", (option) => act(option.value));
    case "users_select":
      return menu({ ...element, options: userOptions() }, plain(element.placeholder?.text) || "Choose a person", (option) => act(option.value));
    case "checkboxes":
    case "radio_buttons": {
      const set = choices(element, freshId(), element.type === "checkboxes" ? "Choices" : "Choice");
      set.addEventListener("change", () => act(readChoices(element, set)));
      return set;
    }
    default: {
      const field = control(element, freshId());
      if (field instanceof HTMLElement && !field.hasAttribute("aria-label")) field.setAttribute("aria-label", plain(element.placeholder?.text) || "Value");
      field.addEventListener("change", () => act(field.value || null));
      return field;
    }
  }
}

function button(element, act) {
  const attributes = {
    class: `button ${element.style ?? ""}`.trim(),
    "data-action": element.action_id,
    "aria-label": element.accessibility_label ? plain(element.accessibility_label) : null,
  };
  const said = plain(element.text.text);
  const press = async () => {
    if (!element.confirm || (await confirmed(element.confirm))) act(null);
  };
  if (element.url && /^https?:/i.test(element.url)) {
    return el("a", { ...attributes, href: element.url, target: "_blank", rel: "noopener noreferrer", onclick: press }, said);
  }
  return el("button", { type: "button", ...attributes, "data-value": element.value, onclick: press }, said);
}

function confirmed({ title, text, confirm, deny, style }) {
  return new Promise((resolve) => {
    const name = freshId();
    const dialog = el(
      "dialog",
      { class: "box confirm", "aria-labelledby": name, "data-testid": "confirm" },
      el(
        "form",
        { method: "dialog" },
        el("h2", { id: name }, plain(title.text)),
        el("div", { class: "body" }, el("div", { class: "text" }, textNodes(text))),
        el(
          "div",
          { class: "foot" },
          el("button", { class: "button", value: "" }, plain(deny.text)),
          el("button", { class: `button ${style ?? "primary"}`, value: "yes" }, plain(confirm.text)),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

const option = (text, value) => ({ text: { type: "plain_text", text }, value });
const channelOptions = () => store.channels.filter((each) => !each.archived).map((each) => option(`#${each.name}`, each.id));
const userOptions = () => [...store.users.values()].map((each) => option(each.real_name || each.name, each.id));

// Inputs of forms

export const blockId = (block, place) => block.block_id ?? `block-${place}`;

function input(block, context, place) {
  const { element } = block;
  const id = freshId();
  const name = plain(block.label.text);
  const extra = block.optional ? el("span", { class: "muted" }, " (optional)") : null;
  const problem = el("p", { class: "problem", id: `${id}-error`, hidden: true, "data-error": blockId(block, place) });
  const hint = block.hint ? el("p", { class: "hint", id: `${id}-hint` }, plain(block.hint.text)) : null;
  const described = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  const grouped = element.type === "checkboxes" || element.type === "radio_buttons";
  const field = grouped ? choices(element, id, null) : control(element, id);
  field.setAttribute("aria-describedby", described);
  field.dataset.blockId = blockId(block, place);
  field.dataset.actionId = element.action_id;
  field.dataset.kind = element.type;
  if (block.dispatch_action) field.addEventListener("change", () => context.act(element.action_id, field.value || null, element));
  if (grouped) {
    field.prepend(el("legend", {}, name, extra));
    field.append(hint ?? "", problem);
    return field;
  }
  return [el("label", { for: id }, name, extra), field, hint, problem];
}

function choices(element, id, name) {
  const many = element.type === "checkboxes";
  const initial = (element.initial_options ?? (element.initial_option ? [element.initial_option] : [])).map((each) => each.value);
  return el(
    "fieldset",
    { class: "choices", "aria-label": name, "data-action": element.action_id },
    element.options.map((each) =>
      el(
        "label",
        {},
        el("input", { type: many ? "checkbox" : "radio", name: id, value: each.value, ".checked": initial.includes(each.value) }),
        el("span", { class: "text" }, textNodes(each.text), each.description ? el("span", { class: "hint" }, textNodes(each.description)) : null),
      ),
    ),
  );
}

function readChoices(element, set) {
  const chosen = [...set.querySelectorAll("input:checked")].map((each) => each.value);
  return element.type === "checkboxes" ? chosen : (chosen[0] ?? null);
}

function control(element, id) {
  const shared = { id, "data-action": element.action_id, placeholder: element.placeholder ? plain(element.placeholder.text) : null, autofocus: element.focus_on_load };
  const text = { ...shared, minlength: element.min_length, maxlength: element.max_length, ".value": element.initial_value ?? "" };
  switch (element.type) {
    case "plain_text_input":
      return element.multiline ? el("textarea", { rows: 4, ...text }) : el("input", { type: "text", autocomplete: "off", ...text });
    case "number_input":
      return el("input", { type: "text", inputmode: element.is_decimal_allowed ? "decimal" : "numeric", autocomplete: "off", ...text });
    case "email_text_input":
      return el("input", { type: "email", autocomplete: "off", ...text });
    case "url_text_input":
      return el("input", { type: "url", autocomplete: "off", ...text });
    case "datepicker":
      return el("input", { type: "date", ...shared, ".value": element.initial_date ?? "" });
    case "timepicker":
      return el("input", { type: "time", ...shared, ".value": element.initial_time ?? "" });
    case "conversations_select":
    case "channels_select":
      return select(element, shared, channelOptions(), channelOf(element.initial_conversation ?? element.initial_channel)?.id);
    case "users_select":
      return select(element, shared, userOptions(), element.initial_user);
    case "static_select":
      return select(element, shared, null, element.initial_option?.value);
    case "multi_static_select":
    case "multi_conversations_select":
    case "multi_users_select": {
      const offered = element.type.includes("conversations") ? channelOptions() : element.type.includes("users") ? userOptions() : null;
      const field = select(element, { ...shared, multiple: true }, offered, null);
      const initial = element.initial_options?.map((each) => each.value) ?? element.initial_conversations ?? element.initial_users ?? [];
      for (const each of field.options) each.selected = initial.includes(each.value);
      return field;
    }
    default:
      return el("input", { type: "text", ...text });
  }
}

function select(element, attributes, offered, initial) {
  const { placeholder, ...rest } = attributes;
  const one = (each) => el("option", { value: each.value }, plain(each.text.text));
  const groups = offered ? [{ options: offered }] : (element.option_groups ?? [{ options: element.options ?? [] }]);
  const field = el(
    "select",
    rest,
    rest.multiple ? null : el("option", { value: "" }, placeholder ?? "Choose one"),
    groups.map((group) => (group.label ? el("optgroup", { label: plain(group.label.text) }, group.options.map(one)) : group.options.map(one))),
  );
  if (!rest.multiple) field.value = initial ?? "";
  return field;
}

/** {block_id: {action_id: value}}: a string, a list of strings, or null where nothing is chosen. */
export function valuesOf(form) {
  const values = {};
  for (const field of form.querySelectorAll("[data-block-id]")) {
    const { blockId: block, actionId, kind } = field.dataset;
    let value;
    if (kind === "checkboxes" || kind === "radio_buttons") value = readChoices({ type: kind }, field);
    else if (field.multiple) value = [...field.selectedOptions].map((each) => each.value);
    else value = field.value === "" ? null : field.value;
    values[block] = { ...values[block], [actionId]: value };
  }
  return values;
}

/** Write what is wrong under each field; returns the first such field. */
export function showErrors(form, errors) {
  let first = null;
  for (const problem of form.querySelectorAll(".problem")) {
    const words = errors?.[problem.dataset.error] ?? "";
    const field = [...form.querySelectorAll("[data-block-id]")].find((each) => each.dataset.blockId === problem.dataset.error);
    problem.textContent = words;
    problem.hidden = !words;
    if (words) {
      if (field && field.tagName !== "FIELDSET") field.setAttribute("aria-invalid", "true");
      first ??= field;
    } else field?.removeAttribute("aria-invalid");
  }
  return first;
}
