// Small helpers around the DOM. Message data only ever becomes text nodes, never markup.

import { icon } from "./icons.js";

/** An element with properties, listeners (`onclick`) and children; null children are left out. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** A link that opens elsewhere; only web and mail addresses become links at all. */
export function link(address, label) {
  if (!/^(https?:|mailto:)/i.test(address)) return el("span", {}, label);
  return el("a", { href: address, target: "_blank", rel: "noreferrer noopener" }, label);
}

/** Initials on a colour that stays with the name. */
export function avatar(user, size = "") {
  const words = (user.real_name || user.name || "?").split(/\s+/);
  const initials = (words[0][0] + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
  let hash = 0;
  for (const letter of user.id || user.name) hash = (hash * 31 + letter.codePointAt(0)) % 997;
  const hue = user.name === "opsbot" ? "bot" : user.id === "UYOU" ? "you" : `hue-${hash % 6}`;
  return el("span", { class: `avatar ${hue} ${size}`, "aria-hidden": "true" }, user.name === "opsbot" ? icon("helm") : initials);
}

/** Make `parent` show `rows` ({key, signature, make}), reusing the nodes whose signature is the same. */
export function reconcile(parent, rows) {
  const old = parent.keyed || new Map();
  const next = new Map();
  let place = parent.firstChild;
  for (const row of rows) {
    const known = old.get(row.key);
    const fresh = !known || known.signature !== row.signature;
    const node = fresh ? row.make() : known.node;
    next.set(row.key, { signature: row.signature, node });
    if (place === node) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  const kept = new Set([...next.values()].map((row) => row.node));
  for (const child of [...parent.childNodes]) if (!kept.has(child)) child.remove();
  parent.keyed = next;
}

/** Tell the person something in passing. */
export function toast(words) {
  const note = el("div", { class: "toast" }, words);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 6000);
}

/** "14:05", in the reader's time zone. */
export function clockTime(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** "Today", "Yesterday" or a date. */
export function dayName(seconds) {
  const date = new Date(seconds * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}
