// Slack's mrkdwn as DOM nodes. Nothing of a message is ever read as markup.

import { el, setText } from "./dom.js";
import { slackDate, utc } from "./dates.js";
import { channelOf, nowIs, store } from "./state.js";

const MARKS = { "*": "strong", _: "em", "~": "s" };
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const WORD = /[\p{L}\p{N}]/u;

export const plain = (text) => String(text ?? "").replace(/&(lt|gt|amp);/g, (each) => ENTITIES[each]);

/** A text object (or mrkdwn string) as nodes. */
export function textNodes(object) {
  if (object === undefined || object === null) return [];
  if (typeof object === "string") return mrkdwn(object);
  return object.type === "plain_text" ? [plain(object.text)] : mrkdwn(object.text);
}

export function mrkdwn(text) {
  const parts = String(text ?? "").split("```");
  const nodes = [];
  parts.forEach((part, place) => {
    const closed = place < parts.length - 1;
    if (place % 2 === 0) nodes.push(...lines(place ? part.replace(/^\n/, "") : part));
    else if (closed) nodes.push(el("pre", {}, el("code", {}, plain(part.replace(/^\n|\n$/g, "")))));
    else nodes.push(...lines("```" + part));
  });
  return nodes;
}

/** Lines that start with > become quotes; the others stay as they are, their breaks kept by the style sheet. */
function lines(text) {
  const nodes = [];
  let quoted = null;
  let open = [];
  const flush = () => {
    if (open.length) nodes.push(...inline(open.join("\n")));
    open = [];
  };
  for (const line of text.split("\n")) {
    const quote = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quote) {
      flush();
      if (!quoted) nodes.push((quoted = el("blockquote")));
      else quoted.append("\n");
      quoted.append(...inline(quote[1]));
    } else {
      quoted = null;
      open.push(line);
    }
  }
  flush();
  return nodes;
}

export function inline(text) {
  const nodes = [];
  let buffer = "";
  const flush = () => {
    if (buffer) nodes.push(plain(buffer));
    buffer = "";
  };
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    let end = -1;
    let node = null;
    if (sign === "`") {
      end = endOf(text, "`", at);
      if (end > at + 1) node = el("code", {}, plain(text.slice(at + 1, end)));
    } else if (sign === "<") {
      end = endOf(text, ">", at);
      if (end > at + 1) node = special(text.slice(at + 1, end), at === 0);
    } else if (MARKS[sign] && !WORD.test(text[at - 1] ?? " ")) {
      end = closing(text, at);
      if (end > 0) node = el(MARKS[sign], {}, inline(text.slice(at + 1, end)));
    }
    if (node) {
      flush();
      nodes.push(node);
      at = end;
    } else buffer += sign;
  }
  flush();
  return nodes;
}

function endOf(text, sign, at) {
  const end = text.indexOf(sign, at + 1);
  const line = text.indexOf("\n", at);
  return end > 0 && (line < 0 || end < line) ? end : -1;
}

/** Where the mark at `at` closes on its line, or -1. */
function closing(text, at) {
  const mark = text[at];
  if (/\s/.test(text[at + 1] ?? " ") || text[at + 1] === mark) return -1;
  for (let place = at + 1; place < text.length && text[place] !== "\n"; place++) {
    const sign = text[place];
    if (sign === "<" || sign === "`") {
      const end = endOf(text, sign === "<" ? ">" : "`", place);
      if (end > 0) place = end;
    } else if (sign === mark && !/\s/.test(text[place - 1]) && !WORD.test(text[place + 1] ?? " ")) {
      return place;
    }
  }
  return -1;
}

/** What stands between < and >. */
function special(body, first) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? "" : body.slice(bar + 1);
  if (target.startsWith("@")) return userMention(target.slice(1), label);
  if (target.startsWith("#")) return channelMention(target.slice(1), label);
  if (target.startsWith("!date^")) return date(target.split("^"), label, first);
  if (target.startsWith("!subteam^")) return groupMention(target.slice(9), label);
  if (/^!(here|channel|everyone)$/.test(target)) return broadcast(target.slice(1));
  if (target.startsWith("!")) return document.createTextNode(plain(label || target));
  if (bar < 0 && !/^[a-z][a-z0-9+.-]*:/i.test(target)) return document.createTextNode(plain(`<${body}>`));
  return link(target, label);
}

export function link(target, label) {
  const address = plain(target);
  return anchor(address, label ? inline(label) : [address]);
}

/** A link, where its address is one that a link may have. */
export function anchor(address, said) {
  if (!/^(https?:|mailto:|tel:)/i.test(address)) return el("span", {}, said);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, said);
}

function mention(text, mine, attributes = {}) {
  return el("span", { class: mine ? "mention mine" : "mention", ...attributes }, text);
}

export function userMention(id, label = "") {
  const user = store.users.get(id);
  return mention(`@${plain(label) || user?.real_name || user?.name || id}`, id === store.me, { title: user?.name });
}

export function channelMention(id, label = "") {
  return mention(`#${plain(label) || channelOf(id)?.name || id}`, false);
}

export function groupMention(id, label = "") {
  return mention(plain(label).startsWith("@") ? plain(label) : `@${plain(label) || id}`, true);
}

export const broadcast = (range) => mention(`@${range}`, true);

const FARTHEST = 8.64e12; // seconds from 1970 that a date can hold

function date([, epoch, pattern, address], fallback, first) {
  const seconds = Number(epoch);
  if (!(Math.abs(seconds) < FARTHEST) || !pattern) return document.createTextNode(plain(fallback));
  return moment(seconds, plain(pattern), address, first);
}

/** A moment in the reader's zone, with UTC in its title. */
export function moment(seconds, pattern, address, first) {
  const date = new Date(seconds * 1000);
  const node = el("time", { datetime: date.toISOString(), title: utc(date) }, slackDate(seconds, pattern, nowIs(), first));
  if (/\{ago\}|_pretty\}/.test(pattern)) Object.assign(node.dataset, { pattern, ...(first ? { first } : {}) });
  return address ? anchor(plain(address), node) : node;
}

/** Bring "3 minutes ago" and "today" up to date. */
export function refreshMoments(root = document) {
  for (const node of root.querySelectorAll("time[data-pattern]")) {
    const { pattern, first } = node.dataset;
    setText(node, slackDate(Date.parse(node.dateTime) / 1000, pattern, nowIs(), Boolean(first)));
  }
}

/** True where the text calls this reader. */
export function calls(text, me) {
  return text.includes(`<@${me}>`) || text.includes(`<@${me}|`) || /<!(here|channel|everyone)[|>]/.test(text);
}
