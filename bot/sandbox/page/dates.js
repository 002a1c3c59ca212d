// Moments in words: in the reader's zone, with "today" as the simulated clock has it.

const LOCALE = "en-US";
const reader = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
const HOUR12 = reader.hourCycle === "h11" || reader.hourCycle === "h12";
const formats = new Map();

function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(LOCALE, options));
  return formats.get(key);
}

const dayKey = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

function ordinal(day) {
  const tail = day % 100;
  if (tail > 10 && tail < 14) return `${day}th`;
  return `${day}${["th", "st", "nd", "rd"][day % 10] || "th"}`;
}

/** "today", "yesterday", "tomorrow", or null. */
function nearDay(date, now) {
  for (const [shift, word] of [[0, "today"], [-1, "yesterday"], [1, "tomorrow"]]) {
    if (dayKey(date) === dayKey(new Date(now.getFullYear(), now.getMonth(), now.getDate() + shift))) return word;
  }
  return null;
}

export function timeOfDay(date, seconds = false) {
  const options = { hour: HOUR12 ? "numeric" : "2-digit", minute: "2-digit", hour12: HOUR12 };
  if (!HOUR12) options.hourCycle = "h23";
  if (seconds) options.second = "2-digit";
  return format(options).format(date);
}

export function longDay(date, now, weekday = false) {
  const month = format({ month: "long" }).format(date);
  const months = Math.abs((date.getFullYear() - now.getFullYear()) * 12 + date.getMonth() - now.getMonth());
  const year = months < 6 ? "" : `, ${date.getFullYear()}`;
  const lead = weekday ? `${format({ weekday: "long" }).format(date)}, ` : "";
  return `${lead}${month} ${ordinal(date.getDate())}${year}`;
}

const shortDay = (date) => format({ month: "short", day: "numeric", year: "numeric" }).format(date);
const pad = (number) => String(number).padStart(2, "0");

/** "3 minutes ago", "in 2 hours". */
export function ago(date, now) {
  const seconds = Math.round((date - now) / 1000);
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 5 ? "just now" : words.format(seconds, "second");
}

/** What `<!date^epoch^pattern|…>` says; "Today" with a capital only where it starts the text. */
export function slackDate(epoch, pattern, now, first = false) {
  const date = new Date(epoch * 1000);
  const near = nearDay(date, now);
  const pretty = (plain) => near ?? plain;
  const words = {
    date_num: `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`,
    date_slash: `${pad(date.getMonth() + 1)}/${pad(date.getDate())}/${date.getFullYear()}`,
    date: longDay(date, now),
    date_short: shortDay(date),
    date_long: longDay(date, now, true),
    date_long_full: format({ weekday: "long", month: "long", day: "numeric", year: "numeric" }).format(date),
    date_pretty: pretty(longDay(date, now)),
    date_short_pretty: pretty(shortDay(date)),
    date_long_pretty: pretty(longDay(date, now, true)),
    day_divider_pretty: pretty(longDay(date, now, true)),
    time: timeOfDay(date),
    time_secs: timeOfDay(date, true),
    ago: ago(date, now),
  };
  const said = pattern.replace(/\{(\w+)\}/g, (whole, name) => words[name] ?? whole);
  return first && /^\{\w+_pretty\}/.test(pattern) ? said.charAt(0).toUpperCase() + said.slice(1) : said;
}

/** "2026-11-23 12:00:03 UTC". */
export function utc(date) {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** "Mon 23 Nov 2026" and "12:00:03" in UTC. */
export function utcParts(date) {
  const day = format({ weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const part = Object.fromEntries(day.formatToParts(date).map((each) => [each.type, each.value]));
  return [`${part.weekday} ${part.day} ${part.month} ${part.year}`, date.toISOString().slice(11, 19)];
}

/** The words above the messages of one day. */
export function dayWords(date, now) {
  const words = nearDay(date, now) ?? longDay(date, now, true);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export { dayKey };
