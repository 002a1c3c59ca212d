// What the server last said, and how to ask it.

import { released } from "./press.js";

export const store = {
  seq: null,
  me: null,
  users: new Map(),
  channels: [],
  messages: new Map(), // key -> message
  inChannel: new Map(), // channel id -> messages, oldest first
  views: [],
  homes: {},
  heardAt: 0,
};

const LONGEST_GUESS = 60_000; // milliseconds that the clock is carried on without an answer

export const keyOf = (message) => `${message.channel} ${message.ts} ${message.visible_to ?? ""}`;
export const channelOf = (id) => store.channels.find((each) => each.id === id || each.name === id);
export const meIs = () => store.users.get(store.me);
export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
export const isSeen = (message) => !message.deleted && (!message.visible_to || message.visible_to === store.me);
export const messagesIn = (channel) => store.inChannel.get(channel) ?? [];
export const inChannelView = (message) => isSeen(message) && (!isReply(message) || message.reply_broadcast);
export const repliesTo = (channel, ts) =>
  messagesIn(channel).filter((each) => each.thread_ts === ts && each.ts !== ts && isSeen(each));
export const messageAt = (channel, ts) => messagesIn(channel).find((each) => each.ts === ts && isSeen(each));

export function inOrder(one, other) {
  return Number(one.ts) - Number(other.ts) || (one.ts < other.ts ? -1 : one.ts > other.ts ? 1 : 0);
}

/** The simulated moment: carried on from the last answer in real time only, as a flying clock moves in steps. */
export function nowIs() {
  if (!store.now) return new Date();
  const passed = store.clock?.speed === "real" ? Math.min(performance.now() - store.heardAt, LONGEST_GUESS) : 0;
  return new Date(Date.parse(store.now) + passed);
}

/** Take an answer of /api/state in; returns the messages that changed. */
export function take(state, whole) {
  if (whole) {
    store.messages.clear();
    store.inChannel.clear();
  }
  const { messages = [], users = [], me, ...rest } = state;
  Object.assign(store, rest, { heardAt: performance.now() });
  store.users = new Map(users.map((each) => [each.id, each]));
  if (!store.me || !store.users.has(store.me)) store.me = me;
  const unsorted = new Set();
  for (const message of messages) {
    const key = keyOf(message);
    const known = store.messages.get(key);
    if (!store.inChannel.has(message.channel)) store.inChannel.set(message.channel, []);
    const there = store.inChannel.get(message.channel);
    if (known) there[there.indexOf(known)] = message;
    else {
      if (there.length && inOrder(there[there.length - 1], message) > 0) unsorted.add(there);
      there.push(message);
    }
    store.messages.set(key, message);
  }
  for (const each of unsorted) each.sort(inOrder);
  return messages;
}

/** Thrown with one sentence that can be shown. */
export class Refused extends Error {}

export async function post(what, body) {
  let response;
  try {
    response = await fetch(`/api/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refused("The sandbox does not answer. Try again in a moment.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok || answer?.error) throw new Refused(answer?.error ?? `The sandbox could not do that (${response.status}).`);
  return answer ?? {};
}

const SHORTEST = 100; // milliseconds between two fetches
const RETRY = 1500;

/** Follow the server: calls `changed(messages, whole)` after each answer and `connection(words)` on loss and return. */
export function follow(changed, connection) {
  let events = null;
  let wanted = false;
  let busy = false;
  let whole = true;
  let last = 0;

  function want() {
    if (wanted) return;
    wanted = true;
    const wait = Math.max(0, last + SHORTEST - performance.now());
    setTimeout(() => (document.hidden ? ask() : requestAnimationFrame(ask)), wait);
  }

  async function ask() {
    if (busy) {
      wanted = false;
      again = true;
      return;
    }
    busy = true;
    wanted = false;
    last = performance.now();
    try {
      const since = whole || store.seq === null ? "" : `?since=${store.seq}`;
      const response = await fetch(`/api/state${since}`, { cache: "no-store" });
      if (!response.ok) throw new Error(String(response.status));
      const state = await response.json();
      await released();
      if (since && state.seq < store.seq) {
        whole = true; // another run of the server
        again = true;
      } else {
        const all = !since;
        whole = false;
        const messages = take(state, all);
        connection("");
        changed(messages, all);
      }
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError || /^\d+$/.test(error.message)) lost();
      else {
        setTimeout(want, RETRY);
        throw error;
      }
    } finally {
      busy = false;
      if (again) {
        again = false;
        want();
      }
    }
  }
  let again = false;

  function lost() {
    connection("The sandbox does not answer. Trying again.");
    setTimeout(want, RETRY);
  }

  function listen() {
    events = new EventSource("/api/events");
    events.onmessage = want;
    events.onerror = () => {
      whole = true;
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, RETRY);
      want();
    };
  }

  document.addEventListener("visibilitychange", want);
  want();
  listen();
  return want;
}
