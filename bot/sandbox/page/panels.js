// What a person can do to the sandbox: who they are, the account, the clock, the rules, faults.

import { $, count, el, figure, setText } from "./dom.js";
import { utcParts } from "./dates.js";
import { editor } from "./editor.js";
import { meIs, nowIs, post, store } from "./state.js";

const SPEEDS = { pause: "paused", real: "real", hour: "hour", day: "day" };
const dollars = (cents) => figure(cents / 100, { style: "currency", currency: "USD" });

export function panels(root, { become, tell }) {
  const people = $("[data-testid=people]", root);
  const clock = $("[data-testid=clock-now]", root);
  const profile = $("[data-do=profile]", root);
  const results = $("[data-testid=backtest-results]", root);
  const does = (name) => $(`[data-do=${name}]`, root);

  /** Do it, with the button held down until the answer; a refusal goes to the status line, or where `refused` puts it. */
  async function ask(button, what, body, refused = tell) {
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await post(what, body);
      tell("");
      return answer;
    } catch (error) {
      refused(error.message);
      return null;
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  const rules = editor($(".rules", root), { save: (text) => ask(does("save_rules"), "rules", { text }) });

  profile.addEventListener("change", () => ask(profile, "profile", { name: profile.value }));

  root.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-do]");
    if (!button || button.getAttribute("aria-busy") === "true") return;
    const what = button.dataset.do;
    const pressed = button.getAttribute("aria-pressed") === "true";
    if (what === "save_rules") rules.put();
    else if (what === "backtest") backtest(button);
    else if (what in SPEEDS) ask(button, "clock", { speed: SPEEDS[what] });
    else if (what === "midnight") ask(button, "clock", { jump: "midnight" });
    else if (what === "kill" || what === "start") ask(button, "bot", { what });
    else if (button.dataset.fault !== undefined) ask(button, "fault", { name: what, on: !pressed });
    else ask(button, "spend", { what });
  });

  async function backtest(button) {
    const unsaved = rules.isDirty();
    results.replaceChildren(el("p", { class: "muted" }, "Reading the history…"));
    const refused = (words) => results.replaceChildren(el("p", { class: "problem", role: "alert" }, words));
    const answer = await ask(button, "backtest", {}, refused);
    if (!answer) return;
    const { said, news, others, days } = answer;
    const head = said.length ? `${count(news, "message")} in the channel and ${count(others, "more line")} in threads, in the last ${days} days.` : `Nothing in the last ${days} days.`;
    const cut = news + others > said.length ? ` The last ${said.length}:` : "";
    results.replaceChildren(
      el("p", {}, head, cut, unsaved ? " This is of the saved rules, not of what you have typed since." : ""),
      el("p", { class: "muted" }, "Days from before this sandbox began count as read at their end."),
      el(
        "ol",
        { class: "incidents", tabindex: "0", "aria-label": "What would have been raised" },
        said.map((each) =>
          el(
            "li",
            { "data-testid": "incident" },
            el("span", { class: "when" }, each.at.slice(0, 16).replace("T", " ")),
            el("span", {}, each.text || each.rule),
            el("span", { class: "muted" }, [each.window, each.reason?.toLowerCase().replaceAll("_", " ")].filter(Boolean).join(" · ")),
          ),
        ),
      ),
    );
  }

  function drawPeople() {
    const able = [...store.users.values()].filter((each) => each.role !== "bot");
    const key = able.map((each) => `${each.id}${each.role}${each.real_name}`).join();
    if (people.dataset.key !== key) {
      people.dataset.key = key;
      people.replaceChildren(
        el("legend", { class: "unseen" }, "Who am I"),
        ...able.map((each) =>
          el(
            "label",
            {},
            el("input", { type: "radio", name: "me", value: each.id, "data-do": `me-${each.role}`, "data-user": each.id, onchange: () => become(each.id) }),
            el("span", {}, each.real_name || each.name, " ", el("span", { class: "muted" }, each.role)),
          ),
        ),
      );
    }
    for (const radio of people.querySelectorAll("input")) radio.checked = radio.value === store.me;
  }

  function press(button, on) {
    if (button && button.getAttribute("aria-pressed") !== String(on)) button.setAttribute("aria-pressed", String(on));
  }

  function enable(button, on) {
    if (button.disabled === !on) return;
    const held = document.activeElement === button;
    button.disabled = !on;
    if (held && !on) (button.dataset.do === "kill" ? does("start") : does("kill")).focus();
  }

  function tick() {
    if (!store.now) return;
    const [day, time] = utcParts(nowIs());
    setText(clock.children[0], day);
    setText(clock.children[1], `${time} UTC`);
  }
  setInterval(tick, 200);

  return {
    draw() {
      drawPeople();
      setText($("[data-testid=me]", root), meIs()?.real_name ?? "");
      const { account, bot, faults = [] } = store;
      // with one's own figures, neither the account nor its time can be played with
      for (const name of ["calls", "pause"]) does(name).closest("details").hidden = Boolean(account?.real);
      if (account) {
        setText($("[data-testid=spend-today]", root), dollars(account.today.cents));
        setText($("[data-testid=use-today]", root), `${figure(Math.round(account.today.minutes))} minutes · ${count(account.today.calls, "call")} today`);
        setText($("[data-testid=spend-month]", root), `${dollars(account.month?.cents ?? 0)} this month`);
        press(does("outage"), account.outage);
        if (profile.options.length !== account.profiles.length) {
          profile.replaceChildren(...account.profiles.map((name) => el("option", { value: name }, name.charAt(0).toUpperCase() + name.slice(1))));
        }
        if (document.activeElement !== profile || profile.dataset.last !== account.profile) profile.value = account.profile;
        profile.dataset.last = account.profile;
      }
      for (const [name, speed] of Object.entries(SPEEDS)) press(does(name), store.clock?.speed === speed);
      for (const button of root.querySelectorAll("[data-fault]")) press(button, faults.includes(button.dataset.do));
      if (bot) {
        enable(does("kill"), bot.running);
        enable(does("start"), !bot.running);
        const state = !bot.running ? `The bot is not running${bot.ended ? `: ${bot.ended.replace(/\.$/, "")}` : ""}` : bot.connected ? "The bot runs" : "The bot runs, not connected to Slack";
        setText($("[data-testid=bot-line]", root), `${state}. ${bot.waiting ? `${count(bot.waiting, "message waits", "messages wait")}.` : "No message waits."}`);
      }
      rules.take(store.rules);
      tick();
    },
    proof() {
      const { proof } = store;
      return proof ? `${count(proof.crossings, "crossing")}, ${count(proof.messages, "message")}, ${proof.lost} lost, ${proof.doubled} doubled` : "";
    },
  };
}
