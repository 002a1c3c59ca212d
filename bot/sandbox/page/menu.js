// A static_select outside of forms: a button that opens a list in the top layer. Choosing sends at once, arrows do not.

import { el } from "./dom.js";
import { plain } from "./mrkdwn.js";

export function menu(element, name, chosen) {
  const groups = element.option_groups ?? [{ options: element.options ?? [] }];
  const initial = element.initial_option;
  const list = el("div", { class: "menu", popover: "auto", role: "menu", "aria-label": name });
  for (const group of groups) {
    if (group.label) list.append(el("div", { class: "group", role: "presentation" }, plain(group.label.text)));
    for (const option of group.options) {
      list.append(
        el(
          "button",
          { type: "button", role: "menuitem", tabindex: "-1", "data-value": option.value, onclick: () => choose(option) },
          el("span", {}, plain(option.text.text)),
          option.description ? el("span", { class: "muted" }, plain(option.description.text)) : null,
        ),
      );
    }
  }
  const button = el(
    "button",
    { type: "button", class: "button select", "aria-haspopup": "menu", "aria-expanded": "false", "data-action": element.action_id },
    el("span", {}, initial ? plain(initial.text.text) : name),
    el("span", { class: "caret", "aria-hidden": "true" }, "▾"),
  );

  function choose(option) {
    list.hidePopover();
    button.focus();
    chosen(option);
  }

  function place() {
    const at = button.getBoundingClientRect();
    const below = window.innerHeight - at.bottom > list.offsetHeight + 8 || at.top < list.offsetHeight + 8;
    list.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - list.offsetWidth - 8))}px`;
    list.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - list.offsetHeight - 4)}px`;
  }

  const items = () => [...list.querySelectorAll("button")];
  const closeOnScroll = () => list.matches(":popover-open") && list.hidePopover();
  button.addEventListener("click", () => {
    if (list.isConnected) return list.hidePopover();
    (button.closest("main, section") ?? document.body).append(list);
    list.showPopover();
    place();
    items()[0]?.focus({ preventScroll: true });
  });
  button.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !list.isConnected) {
      event.preventDefault();
      button.click();
    }
  });
  list.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Tab") {
      event.preventDefault();
      list.hidePopover();
      button.focus();
    } else if (to !== undefined) {
      event.preventDefault();
      all[(to + all.length) % all.length]?.focus();
    }
  });
  list.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) window.addEventListener("scroll", closeOnScroll, { capture: true, once: true });
    else {
      window.removeEventListener("scroll", closeOnScroll, { capture: true });
      if (list.contains(document.activeElement)) button.focus();
      list.remove();
    }
  });
  return button;
}
