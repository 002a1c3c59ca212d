// The page: channels, messages, the thread, the Home tab, and what ties them to the server.

import { drawBlocks } from "./blocks.js";
import { composer } from "./composer.js";
import { dayKey } from "./dates.js";
import { $, count, el, setText } from "./dom.js";
import { MessageList } from "./messages.js";
import { showModal } from "./modal.js";
import { refreshMoments } from "./mrkdwn.js";
import { panels } from "./panels.js";
import { channelOf, follow, inChannelView, isSeen, meIs, messageAt, messagesIn, nowIs, post, repliesTo, store } from "./state.js";

const body = document.body;
const channelList = $("#channels");
const homeTab = $("[data-testid=home-tab]");
const statusLine = $("#status");
const pane = $("#thread");
const homePage = $("#home");
const narrow = matchMedia("(max-width: 899px)");
const ANSWERS = "Waiting for the answer…";

let here = null; // channel id
let atHome = false;
let thread = null; // {channel, ts}
let openedFrom = null;
let drawnHome = null;
let drawnDay = null;
const unread = new Set();
let trouble = "";
let loss = "";

function tell(words) {
  trouble = words;
  setText(statusLine, loss || trouble);
  body.classList.toggle("lost", Boolean(loss));
}

async function act(message, actionId, value) {
  try {
    await post("click", { user: store.me, channel: message.channel, ts: message.ts, action_id: actionId, value });
    tell("");
  } catch (error) {
    tell(error.message);
  }
}

const log = new MessageList($("#log"), {
  all: () => messagesIn(here).filter(inChannelView),
  act,
  openThread,
});
const replies = new MessageList($("#replies"), {
  all: () => (thread ? [messageAt(thread.channel, thread.ts), ...repliesTo(thread.channel, thread.ts)].filter(Boolean) : []),
  act,
  openThread,
  inThread: true,
});
const controls = panels($("#panels"), { become, tell });

// Channels

/** A guest sees the channels they are a member of, everyone else all public ones. */
const channelsSeen = () => store.channels.filter((each) => meIs()?.role !== "guest" || each.members.includes(store.me));

function drawChannels() {
  const channels = channelsSeen();
  const key = channels.map((each) => `${each.id}${each.name}${each.archived}`).join();
  if (channelList.dataset.key !== key) {
    channelList.dataset.key = key;
    channelList.replaceChildren(
      ...channels.map((each) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", "data-testid": "channel", "data-channel": each.name, "data-id": each.id, onclick: () => go(each.id) },
            el("span", { class: "hash", "aria-hidden": "true" }, "#"),
            el("span", { class: "label" }, each.name, each.archived ? el("span", { class: "gone" }, " archived") : null),
            el("span", { class: "dot", hidden: true }, el("span", { class: "unseen" }, "unread")),
          ),
        ),
      ),
    );
  }
  for (const button of channelList.querySelectorAll("button")) {
    const current = !atHome && button.dataset.id === here;
    if (current) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
    $(".dot", button).hidden = !unread.has(button.dataset.id);
  }
  if (atHome) homeTab.setAttribute("aria-current", "page");
  else homeTab.removeAttribute("aria-current");
  setText($("#unread-count"), unread.size ? `, ${count(unread.size, "channel")} unread` : "");
  body.classList.toggle("some-unread", unread.size > 0);
}

function go(channel) {
  tell("");
  here = channel;
  atHome = false;
  unread.delete(channel);
  if (thread && thread.channel !== channel) closeThread(false);
  const found = channelOf(channel);
  setText($("#title"), found ? `# ${found.name}` : "");
  setText($("#about"), found ? about(found) : "");
  const shut = Boolean(found?.archived);
  $("#composer").disabled = shut;
  $("#composer").placeholder = shut ? "This channel is archived" : "/agent-usage, or a message";
  closeMenu();
  layout();
  drawChannels();
  log.reset("Nothing has been said here yet. Type /agent-usage to ask the bot.");
}

/** The channel of the alerts, else the first one that is seen. */
function goAnywhere() {
  const seen = channelsSeen();
  const first = seen.find((each) => each.name === "voice-spend") ?? seen.find((each) => !each.archived) ?? seen[0];
  if (first) go(first.id);
}

const about = (channel) => `${count(channel.members?.length ?? 0, "member")}${channel.archived ? " · archived" : ""}`;

/** Where one part fills a narrow screen, it is the main one. */
function landmarks() {
  const menu = narrow.matches && body.classList.contains("menu-open");
  const role = (node, on) => node.setAttribute("role", on ? "main" : "complementary");
  role($("#panels"), menu);
  role(pane, narrow.matches && Boolean(thread) && !menu);
}

function layout() {
  $("#channel-view").hidden = atHome;
  homePage.hidden = !atHome;
  pane.hidden = !thread;
  body.classList.toggle("in-thread", Boolean(thread));
  landmarks();
}

// Home

homeTab.addEventListener("click", async () => {
  tell("");
  atHome = true;
  closeThread(false);
  closeMenu();
  setText($("#title"), "agent-usage");
  setText($("#about"), "Home");
  layout();
  drawChannels();
  drawHome();
  try {
    await post("home", { user: store.me });
  } catch (error) {
    tell(error.message);
  }
});

function drawHome() {
  if (!atHome) return;
  const blocks = store.homes?.[store.me];
  const key = `${store.me}${JSON.stringify(blocks ?? null)}`;
  if (key === drawnHome) return;
  drawnHome = key;
  const held = document.activeElement?.dataset?.action;
  const within = homePage.contains(document.activeElement);
  const click = (actionId, value) =>
    post("click", { user: store.me, channel: null, ts: null, action_id: actionId, value, home: true }).catch((error) => tell(error.message));
  homePage.replaceChildren(
    ...(blocks?.length ? drawBlocks(blocks, { act: click }) : [el("p", { class: "empty" }, "There is nothing on this tab: the bot has not written one for you.")]),
  );
  if (within) (held ? $(`[data-action="${CSS.escape(held)}"]`, homePage) : null)?.focus();
}

// Thread

function openThread(channel, ts) {
  openedFrom = document.activeElement;
  thread = { channel, ts };
  layout();
  setText($("#thread-about"), `# ${channelOf(channel)?.name ?? ""}`);
  replies.reset("This message is gone.");
  countThread();
  $("[data-testid=thread-close]").focus();
}

function closeThread(focus = true) {
  if (!thread) return;
  const { ts } = thread;
  thread = null;
  layout();
  replies.reset();
  if (!focus) return;
  const back = openedFrom?.isConnected ? openedFrom : $(`[data-thread="${CSS.escape(ts)}"]`, $("#log"));
  (back ?? $("#composer")).focus();
}

function countThread() {
  if (!thread) return;
  const number = repliesTo(thread.channel, thread.ts).length;
  setText($("#thread-count"), number ? count(number, "reply", "replies") : "No replies yet");
}

$("[data-testid=thread-close]").addEventListener("click", () => closeThread());

// Who reads

function become(user) {
  store.me = user;
  unread.clear();
  drawnHome = null;
  drawMe();
  if (atHome) homeTab.click();
  else if (here && channelsSeen().some((each) => each.id === here)) log.reset();
  else goAnywhere();
  if (thread) {
    replies.reset();
    countThread();
  }
  drawChannels();
  showModal();
}

function drawMe() {
  const me = meIs();
  setText($("#who .name"), me ? me.real_name || me.name : "");
  setText($("#who .role"), me ? `, ${me.role}` : "");
  controls.draw();
}

// Menu and panels

function closeMenu() {
  body.classList.remove("menu-open");
  $("#menu").setAttribute("aria-expanded", "false");
  landmarks();
}

$("#menu").addEventListener("click", () => {
  const open = body.classList.toggle("menu-open");
  $("#menu").setAttribute("aria-expanded", String(open));
  landmarks();
  if (open) $("button", $("#side")).focus();
});
$("#panels-toggle").addEventListener("click", () => {
  const shown = body.classList.toggle("no-panels");
  $("#panels-toggle").setAttribute("aria-expanded", String(!shown));
});
function fold() {
  for (const each of document.querySelectorAll("#panels details.panel")) each.open = !narrow.matches;
  closeMenu();
}
narrow.addEventListener("change", fold);
fold();

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open")) return;
  if (body.classList.contains("menu-open")) {
    closeMenu();
    $("#menu").focus();
  } else if (thread) closeThread();
});

// Writing

composer({
  form: $("#write"),
  field: $("#composer"),
  hint: $("#hint"),
  tell,
  async send(what, text) {
    log.toBottom();
    tell(what === "command" ? ANSWERS : "");
    try {
      await post(what, { user: store.me, channel: here, text });
      if (trouble === ANSWERS) tell("");
      return true;
    } catch (error) {
      tell(error.message);
      return false;
    }
  },
});

// The simulated day

/** "Today" and "yesterday" are words of the simulated clock, which may pass midnight at any moment. */
function turnTheDay() {
  const today = dayKey(nowIs());
  if (today === drawnDay) return;
  drawnDay = today;
  log.redate();
  replies.redate();
  refreshMoments();
}

// The server

function changed(messages, whole) {
  document.documentElement.dataset.seq = store.seq;
  drawMe();
  if (!here || !channelOf(here)) goAnywhere();
  else if (whole) {
    log.reset();
    if (thread) replies.reset();
  } else {
    const mine = messages.filter((each) => each.channel === here);
    log.update(mine, inChannelView);
    if (thread) {
      const { channel, ts } = thread;
      replies.update(messages.filter((each) => each.channel === channel && (each.ts === ts || each.thread_ts === ts)), isSeen);
    }
    for (const each of messages) {
      const elsewhere = atHome || each.channel !== here;
      if (elsewhere && inChannelView(each) && each.user !== store.me && !each.edited && channelsSeen().some((seen) => seen.id === each.channel)) unread.add(each.channel);
    }
  }
  const found = channelOf(here);
  if (found && !atHome) setText($("#about"), about(found));
  countThread();
  turnTheDay();
  drawChannels();
  drawHome();
  showModal();
  setText($("#proof"), controls.proof());
  setText($("[data-testid=proof-line]"), controls.proof() ? `${controls.proof()}.` : "");
  body.classList.add("ready");
}

follow(changed, (words) => {
  loss = words;
  tell(trouble);
});
setInterval(() => {
  turnTheDay();
  refreshMoments();
}, 5000);
