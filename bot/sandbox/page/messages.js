// One list of messages, kept up to date message by message. Only the newest are drawn until someone scrolls up.

import { drawBlocks } from "./blocks.js";
import { $, count, el } from "./dom.js";
import { dayKey, dayWords, slackDate, timeOfDay, utc } from "./dates.js";
import { calls, mrkdwn } from "./mrkdwn.js";
import { inOrder, isReply, keyOf, messageAt, nowIs, repliesTo, store } from "./state.js";

const BATCH = 80;
const MOST = 320; // are drawn at once, unless someone scrolls up to more
const TOGETHER = 300; // seconds between two messages that share one name and picture
const NEAR = 60; // pixels from the bottom that still count as being there

const dateOf = (message) => new Date(Number(message.ts) * 1000);

export function avatar(user) {
  const bot = user?.role === "bot";
  const name = user?.real_name || user?.name || "?";
  const letters = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
  let hue = 0;
  for (const letter of user?.id ?? "") hue = (hue * 31 + letter.charCodeAt(0)) % 6;
  return el("span", { class: bot ? "avatar bot" : `avatar h${hue}`, "aria-hidden": "true" }, bot ? "◔" : letters);
}

/** What is shown of a message, as words: for the line above a broadcast reply. */
function gist(message) {
  const words = el("span", {}, mrkdwn(message?.text ?? "")).textContent.replace(/\s+/g, " ").trim();
  return words.length > 160 ? `${words.slice(0, 159)}…` : words || "a message";
}

export class MessageList {
  /** `all()` gives the eligible messages, oldest first; `act(message, actionId, value)`; `openThread(message)`. */
  constructor(scroller, { all, act, openThread, inThread = false }) {
    Object.assign(this, { scroller, all, act, openThread, inThread });
    this.items = new Map();
    this.pinned = true;
    this.behind = false; // newer ones came while someone read far above, and are not drawn
    this.list = el("ol", { class: "messages" });
    this.empty = el("p", { class: "empty", hidden: true });
    this.earlier = el("button", { type: "button", class: "small earlier", hidden: true, onclick: () => this.showEarlier() }, "Earlier messages");
    this.newer = el("button", { type: "button", class: "newer", hidden: true, onclick: () => this.toBottom() }, "New messages ↓");
    scroller.replaceChildren(this.earlier, this.empty, this.list);
    scroller.after(this.newer);
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.pinned && this.stick()).observe(this.list);
    new ResizeObserver(() => this.pinned && this.stick()).observe(scroller);
    new IntersectionObserver((seen) => seen[0].isIntersecting && this.showEarlier(), { root: scroller, rootMargin: "300px" }).observe(this.earlier);
  }

  /** Draw from the start: another channel, another reader, another run of the server. */
  reset(emptyWords = this.empty.textContent) {
    const all = this.all();
    this.items.clear();
    this.behind = false;
    const first = Math.max(0, all.length - BATCH);
    this.list.replaceChildren(...all.slice(first).map((message) => this.make(message)));
    for (const item of this.list.children) this.seat(item);
    this.empty.textContent = emptyWords;
    this.empty.hidden = all.length > 0;
    this.earlier.hidden = first === 0;
    this.toBottom();
  }

  make(message) {
    const item = el("li", { class: "message", "data-testid": "message", "data-ts": message.ts, "data-channel": message.channel, tabindex: "-1" });
    item.message = message;
    this.items.set(keyOf(message), item);
    this.draw(item);
    return item;
  }

  draw(item) {
    const { message } = item;
    const user = store.users.get(message.user);
    const name = user?.real_name || user?.name || message.user;
    const date = dateOf(message);
    const called = Boolean(user?.id !== store.me && calls(`${message.text} ${JSON.stringify(message.blocks ?? "")}`, store.me));
    item.classList.toggle("private", Boolean(message.visible_to));
    item.classList.toggle("called", called);
    const context = { act: (id, value, element) => this.act(message, id, value, element) };
    const body = message.blocks?.length ? drawBlocks(message.blocks, context) : el("div", { class: "text" }, mrkdwn(message.text));
    item.replaceChildren(
      el("div", { class: "day", hidden: true }),
      message.visible_to ? el("p", { class: "over" }, "Only visible to you") : "",
      !this.inThread && isReply(message) ? this.aboveReply(message) : "",
      el(
        "div",
        { class: "row" },
        avatar(user),
        el(
          "div",
          { class: "content" },
          el(
            "div",
            { class: "by" },
            el("strong", { class: "author" }, name),
            user?.role === "bot" ? el("span", { class: "tag" }, "app") : "",
            el("time", { datetime: date.toISOString(), title: utc(date) }, timeOfDay(date)),
            message.edited && !message.blocks?.length ? el("span", { class: "edited" }, "(edited)") : "",
          ),
          body,
          this.inThread ? "" : el("div", { class: "replies" }),
        ),
      ),
    );
    this.countReplies(item);
  }

  aboveReply(message) {
    const parent = messageAt(message.channel, message.thread_ts);
    const button = el("button", { type: "button", class: "link", "data-thread": message.thread_ts, onclick: () => this.openThread(message.channel, message.thread_ts) }, gist(parent));
    return el("p", { class: "over reply" }, el("span", {}, "replied to a thread:"), button);
  }

  /** Above a reply that the channel sees: what its thread's message says by now. */
  quote(item, parent) {
    const line = $(".over.reply .link", item);
    if (line) line.replaceChildren(gist(parent));
  }

  countReplies(item) {
    const place = $(".replies", item);
    if (!place) return;
    const { channel, ts } = item.message;
    if (isReply(item.message)) return;
    const replies = repliesTo(channel, ts);
    if (!replies.length) {
      place.replaceChildren();
      return;
    }
    const last = dateOf(replies[replies.length - 1]);
    const had = $("button", place);
    const words = count(replies.length, "reply", "replies");
    const sameDay = dayKey(last) === dayKey(dateOf(item.message));
    const when = sameDay ? `at ${timeOfDay(last)}` : slackDate(last / 1000, "{date_short_pretty} at {time}", nowIs());
    if (had?.dataset.words === `${words} ${when}`) return;
    const button =
      had ??
      el("button", { type: "button", class: "thread-link", "data-testid": "thread-open", "data-thread": ts, onclick: () => this.openThread(channel, ts) });
    button.dataset.words = `${words} ${when}`;
    button.replaceChildren(el("strong", {}, words), " ", el("span", { class: "muted" }, "Last reply ", el("time", { datetime: last.toISOString(), title: utc(last) }, when)));
    place.replaceChildren(button);
  }

  /** Whether it starts a day, and whether it stands under the name above it. */
  seat(item) {
    const before = item.previousElementSibling?.message;
    const { message } = item;
    const date = dateOf(message);
    const day = item.firstElementChild;
    const newDay = !before || dayKey(dateOf(before)) !== dayKey(date);
    day.hidden = !newDay || (this.inThread && !before);
    if (!day.hidden) {
      const words = dayWords(date, nowIs());
      if (day.textContent !== words) day.replaceChildren(el("span", {}, words));
    }
    const follows =
      before && !newDay && before.user === message.user && Number(message.ts) - Number(before.ts) < TOGETHER &&
      !before.visible_to && !message.visible_to && !message.edited && !isReply(message) === !isReply(before);
    item.classList.toggle("follows", Boolean(follows && (this.inThread || !isReply(message))));
  }

  /** Another day has begun: which one is today, and which was yesterday. */
  redate() {
    for (const item of this.list.children) {
      this.seat(item);
      this.countReplies(item);
    }
  }

  /** Take in changed messages of this list's channel. `eligible(message)` says whether each belongs here now. */
  update(changed, eligible) {
    if (this.pinned && changed.length > MOST) {
      this.reset();
      return;
    }
    let added = 0;
    for (const message of changed) {
      const key = keyOf(message);
      const item = this.items.get(key);
      if (!eligible(message)) {
        if (item) this.remove(item, key);
      } else if (item) {
        item.message = message;
        this.redraw(item);
      } else if (this.insert(message)) added++;
    }
    for (const message of changed) {
      for (const item of this.items.values()) {
        if (item.message.channel !== message.channel) continue;
        if (isReply(message) && item.message.ts === message.thread_ts) this.countReplies(item);
        else if (isReply(item.message) && item.message.thread_ts === message.ts) this.quote(item, message);
      }
    }
    if (!added && !changed.length) return;
    this.empty.hidden = this.list.children.length > 0 || !this.earlier.hidden;
    if (this.pinned) {
      this.trim();
      this.stick();
    } else if (added) this.newer.hidden = false;
  }

  insert(message) {
    let before = this.list.lastElementChild;
    while (before && inOrder(before.message, message) > 0) before = before.previousElementSibling;
    if (!before && this.list.firstElementChild && !this.earlier.hidden) return false;
    const isLast = before === this.list.lastElementChild;
    if (isLast && !this.pinned && this.items.size >= MOST) this.behind = true;
    if (isLast && this.behind) return true;
    const item = this.make(message);
    if (before) before.after(item);
    else this.list.prepend(item);
    this.seat(item);
    if (item.nextElementSibling) this.seat(item.nextElementSibling);
    return true;
  }

  remove(item, key) {
    const following = item.nextElementSibling;
    if (item.contains(document.activeElement)) this.scroller.focus();
    item.remove();
    this.items.delete(key);
    if (following) this.seat(following);
  }

  redraw(item) {
    const held = item.contains(document.activeElement) ? document.activeElement : null;
    const folds = () => [...item.querySelectorAll("details")];
    const opened = folds().map((each) => each.open);
    const fold = folds().indexOf(held?.closest("details"));
    this.draw(item);
    this.seat(item);
    folds().forEach((each, at) => (each.open = opened[at] ?? false));
    if (!held) return;
    const again = held.dataset.action ? $(`[data-action="${CSS.escape(held.dataset.action)}"]`, item) : $("summary", folds()[fold] ?? item);
    (again ?? item).focus({ preventScroll: true });
  }

  showEarlier() {
    if (this.earlier.hidden) return;
    const all = this.all();
    const start = this.list.firstElementChild?.message;
    let end = start ? all.findIndex((each) => keyOf(each) === keyOf(start)) : all.length;
    if (end < 0) end = all.length;
    const from = Math.max(0, end - BATCH);
    const edge = this.scroller.getBoundingClientRect().top;
    const held = [...this.list.children].find((item) => item.getBoundingClientRect().bottom > edge);
    const stood = held?.getBoundingClientRect().top;
    const items = all.slice(from, end).map((message) => this.make(message));
    const following = this.list.firstElementChild;
    this.list.prepend(...items);
    for (const item of items) this.seat(item);
    if (following) this.seat(following);
    if (document.activeElement === this.earlier && from === 0) this.scroller.focus();
    this.earlier.hidden = from === 0;
    const hold = (frames) => {
      if (!held) return;
      this.scroller.scrollTop += held.getBoundingClientRect().top - stood;
      if (frames) requestAnimationFrame(() => hold(frames - 1)); // heights above settle as they come into view
    };
    hold(3);
  }

  /** At the bottom the oldest may go; they come back on scrolling up. */
  trim() {
    const surplus = this.list.children.length - MOST;
    if (surplus < BATCH) return;
    for (let each = 0; each < surplus; each++) {
      const item = this.list.firstElementChild;
      this.items.delete(keyOf(item.message));
      item.remove();
    }
    if (this.list.firstElementChild) this.seat(this.list.firstElementChild);
    this.earlier.hidden = false;
  }

  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.pinned = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.pinned && this.behind) this.reset();
    else if (this.pinned) this.newer.hidden = true;
  }

  stick() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  toBottom() {
    if (this.behind) {
      this.reset();
      return;
    }
    this.pinned = true;
    this.newer.hidden = true;
    this.stick();
    requestAnimationFrame(() => this.pinned && this.stick());
  }
}
