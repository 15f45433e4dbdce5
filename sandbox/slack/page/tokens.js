// Slack's <…> tokens, escapes, dates and emoji names, which mrkdwn and markdown share.

import { el, link } from "./dom.js";

const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", warning: "⚠️", x: "❌", fire: "🔥",
  white_check_mark: "✅", heavy_check_mark: "✔️", hourglass: "⌛", hourglass_flowing_sand: "⏳", mag: "🔍",
  rotating_light: "🚨", bell: "🔔", no_bell: "🔕", mute: "🔇", tada: "🎉", bulb: "💡", book: "📖", books: "📚",
  robot_face: "🤖", question: "❓", information_source: "ℹ️", red_circle: "🔴", large_orange_circle: "🟠",
  large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵", white_circle: "⚪", arrow_up: "⬆️",
  arrow_down: "⬇️", chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", lock: "🔒", gear: "⚙️",
  repeat: "🔁", stop_sign: "🛑", octagonal_sign: "🛑", link: "🔗", pushpin: "📌", memo: "📝", wave: "👋",
  raised_hands: "🙌", zap: "⚡", stopwatch: "⏱️", package: "📦", wrench: "🔧", speech_balloon: "💬", heart: "❤️",
  wheel_of_dharma: "☸️", thinking_face: "🤔", see_no_evil: "🙈", rocket: "🚀", seedling: "🌱", ok: "🆗", bug: "🐛",
};

/** The emoji of a name, or the name between colons. */
export function emoji(name) {
  return EMOJI[name] || `:${name}:`;
}

/** Undo Slack's three escapes. */
export function decode(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Plain words as nodes: escapes undone, emoji names drawn. */
export function words(text) {
  return decode(text.replace(/:([a-z0-9_+-]+):/g, (all, name) => EMOJI[name] || all));
}

/** The node of one token, given what stands between < and >; null when it is no token. */
export function token(inner, names) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : words(inner.slice(bar + 1));
  if (target.startsWith("@")) return mention(names, target.slice(1), label);
  if (target.startsWith("#")) return channel(names, target.slice(1), label);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!subteam^")) return el("span", { class: "mention notifies" }, label || "@group");
  if (/^!(here|channel|everyone)$/.test(target)) return el("span", { class: "mention notifies" }, `@${target.slice(1)}`);
  if (/^(https?:|mailto:)/i.test(target)) return link(decode(target), label || decode(target));
  return null;
}

/** A person's name as a chip; the reader's own stands out. */
export function mention(names, id, label = "") {
  const user = names.users.get(id);
  const own = id === names.me ? "mention notifies" : "mention";
  return el("span", { class: own }, `@${user ? user.profile.display_name : label || id}`);
}

function channel(names, id, label) {
  const known = names.channels.get(id);
  return el("a", { class: "mention", href: `#${id}` }, `#${known ? known.name : label || id}`);
}

const DATE_PARTS = {
  date_num: (at) => at.toLocaleDateString("sv"),
  date: (at) => at.toLocaleDateString([], { month: "long", day: "numeric", year: "numeric" }),
  date_short: (at) => at.toLocaleDateString([], { month: "short", day: "numeric", year: "numeric" }),
  date_long: (at) => at.toLocaleDateString([], { weekday: "long", month: "long", day: "numeric", year: "numeric" }),
  time: (at) => at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
  time_secs: (at) => at.toLocaleTimeString(),
  ago: (at) => ago(at),
};

function ago(at) {
  const seconds = (Date.now() - at) / 1000;
  for (const [size, name] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
    const number = Math.floor(Math.abs(seconds) / size);
    if (number) return `${number} ${name}${number > 1 ? "s" : ""} ago`;
  }
  return "just now";
}

function pretty(kind, at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  const near = { 0: "today", 1: "yesterday", [-1]: "tomorrow" }[days];
  return near || DATE_PARTS[kind](at);
}

function date(target, fallback) {
  const [, stamp, format, address] = target.split("^");
  const at = new Date(Number(stamp) * 1000);
  if (Number.isNaN(at.getTime()) || !format) return el("span", {}, fallback);
  const shown = format.replace(/\{(\w+)\}/g, (all, part) => {
    if (part.endsWith("_pretty") && DATE_PARTS[part.slice(0, -7)]) return pretty(part.slice(0, -7), at);
    return DATE_PARTS[part] ? DATE_PARTS[part](at) : all;
  });
  const node = el("time", { datetime: at.toISOString(), title: fallback || at.toString() }, shown);
  return address ? link(address, node) : node;
}
