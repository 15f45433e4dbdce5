// Puts the page together: the store, the feed, two panes, two composers.

import { act, listen, look } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { Composer } from "./composer.js";
import { avatar, dayName, el, reconcile, toast } from "./dom.js";
import { icon } from "./icons.js";
import { drawMessage } from "./message.js";
import { Modals, confirmation } from "./modal.js";
import { Store } from "./store.js";
import { words } from "./tokens.js";

const GROUP_SECONDS = 300;
const TRY = [
  ["/k8s ask why does payments keep restarting?", "Ask privately: only you see the answer"],
  ["@opsbot which services does worker-3 going down hit?", "Ask in the channel: the answer streams into a thread"],
  ["/k8s digest", "See what is wrong in the cluster right now"],
];

const $ = (id) => document.getElementById(id);
const store = new Store();
const view = { channel: "CGENERAL", thread: "", tab: "messages" };
let stopListening = () => {};

const context = {
  get names() { return { users: store.users, channels: store.channels, me: store.me }; },
  get me() { return store.me; },
  get shortcuts() { return store.state.shortcuts.filter((row) => row.kind === "message"); },
  confirm: null,
  openThread: (ts) => go(view.channel, ts),
  press: async (message, id, value, button) => {
    button.setAttribute("aria-busy", "true");
    const fields = { channel: view.channel, user: store.me, message_ts: message.ts, action_id: id };
    await attempt(async () => told(await act("action", value === null ? fields : { ...fields, value })));
    button.removeAttribute("aria-busy");
  },
  pressAtHome: async (id, value, button) => {
    button.setAttribute("aria-busy", "true");
    const fields = { user: store.me, action_id: id };
    await attempt(async () => told(await act("home_action", value === null ? fields : { ...fields, value })));
    button.removeAttribute("aria-busy");
  },
  react: (message, name, remove) =>
    attempt(() => act("reaction", { channel: view.channel, user: store.me, message_ts: message.ts, name, remove })),
  useShortcut: (shortcut, message) =>
    attempt(async () => told(await act("shortcut", { user: store.me, callback_id: shortcut.callback_id, channel: view.channel, message_ts: message.ts }))),
};
context.confirm = confirmation($("dialogs"), context);
const modals = new Modals($("dialogs"), context,
  (id, values) => attempt(() => act("view", { user: store.me, view_id: id, action: "submit", values })),
  (id) => attempt(() => act("view", { user: store.me, view_id: id, action: "close" })));

/** Do something that the server may refuse; the refusal is shown. */
async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    toast(error.message);
    return false;
  }
}

/** Say so when the app did not confirm in time. */
function told(result) {
  if (!result.acked) toast(`opsbot did not answer (${result.error})`);
}

// Composers

const composer = new Composer({ id: "channel", label: "Message", suggest, send: (text) => send(text, "") });
const threadComposer = new Composer({ id: "thread", label: "Reply…", suggest, send: (text) => send(text, view.thread) });

function suggest(kind) {
  if (kind === "/") {
    return store.state.commands.map((row) => ({ value: row.name, title: row.name, note: `${row.usage_hint} — ${row.description}` }));
  }
  if (kind === "#") {
    return [...store.channels.values()].filter((row) => !row.is_im).map((row) => ({ value: `#${row.name}`, title: `#${row.name}`, note: row.purpose.value }));
  }
  const bots = (user) => (user.id === store.state.bot ? 0 : 1);
  const people = [...store.users.values()].filter((user) => user.id !== store.me && !["USLACKBOT", "UALERTS"].includes(user.id));
  return people.sort((one, other) => bots(one) - bots(other)).map((user) => ({ value: `@${user.name}`, title: `@${user.name}`, note: user.profile.title || user.real_name }));
}

function send(text, threadTs) {
  const command = text.match(/^(\/[\w-]+)\s*([\s\S]*)$/);
  if (command && threadTs) {
    toast("Slash commands cannot be used in threads.");
    return Promise.resolve(false);
  }
  // Whoever writes wants to see what comes of it, wherever they were reading.
  $(threadTs ? "thread-messages" : "messages").pinned = true;
  const place = { channel: view.channel, user: store.me };
  if (command) return attempt(() => act("command", { ...place, command: command[1], text: command[2] }));
  return attempt(() => act("message", threadTs ? { ...place, text, thread_ts: threadTs } : { ...place, text }));
}

// Drawing

function draw() {
  if (!store.state) return;
  drawSidebar();
  const channel = store.channels.get(view.channel);
  if (!channel) return;
  const name = channel.is_im ? "opsbot" : `#${channel.name}`;
  $("channel-name").textContent = name;
  $("channel-purpose").textContent = channel.is_im ? "Direct message" : channel.purpose.value;
  document.title = `${name} · ${store.state.team.name}`;
  composer.move(view.channel, `Message ${name}`);
  drawConnection();
  drawTabs(channel);
  const isHome = channel.is_im && view.tab === "home";
  composer.node.hidden = isHome;
  if (isHome) drawHome();
  else drawMessages($("messages"), store.inChannel(view.channel), { inThread: false, empty: () => welcome(channel) });
  drawThread(name);
  drawStatus();
}

function drawConnection() {
  const on = store.state.connected;
  $("connection").className = on ? "connection on" : "connection";
  const text = on ? "opsbot connected" : "opsbot is not connected";
  if ($("connection").textContent !== text) $("connection").replaceChildren(el("span", { class: "dot", "aria-hidden": "true" }), el("span", { class: "connection-words" }, text));
}

function drawSidebar() {
  $("team-name").textContent = store.state.team.name;
  const entry = (id, sign, label, extra) => {
    const unread = store.unread.get(id) || 0;
    const current = id === view.channel;
    const name = unread ? `${label}, ${unread} unread` : label;
    return el("li", {}, el("a", { href: `#${id}`, class: unread ? "unread" : "", "aria-current": current ? "page" : null, "aria-label": name },
      el("span", { class: "sign", "aria-hidden": "true" }, sign), el("span", { class: "label" }, label), extra,
      unread ? el("span", { class: "count", "aria-hidden": "true" }, String(unread)) : null));
  };
  const rooms = [...store.channels.values()].filter((row) => !row.is_im && !row.is_archived);
  rooms.sort((one, other) => Number(other.is_general) - Number(one.is_general) || one.name.localeCompare(other.name));
  $("channels").replaceChildren(...rooms.map((row) => entry(row.id, row.is_private ? icon("lock") : "#", row.name, null)));
  const dot = el("span", { class: store.state.connected ? "dot on" : "dot", title: store.state.connected ? "connected" : "not connected" });
  const direct = store.botChannel();
  $("apps").replaceChildren(entry(direct ? direct.id : "opsbot", icon("helm"), "opsbot", dot));
}

function drawTabs(channel) {
  const tabs = $("tabs");
  tabs.hidden = !channel.is_im;
  if (!channel.is_im) return;
  tabs.replaceChildren(...["messages", "home"].map((name) =>
    el("button", { type: "button", role: "tab", "aria-selected": String(view.tab === name), onclick: () => openTab(name) }, name === "home" ? "Home" : "Messages")));
}

async function openTab(name) {
  view.tab = name;
  await attempt(() => act("home", { user: store.me, tab: name }));
  draw();
}

function drawHome() {
  const home = store.homes[store.me];
  const pane = $("messages");
  pane.keyed = new Map();
  pane.replaceChildren(el("div", { class: "home" }, home ? drawBlocks(home.blocks, { ...context, press: context.pressAtHome }) : el("p", { class: "quiet-note" }, "This app has not published a Home tab.")));
}

function drawMessages(pane, messages, options) {
  const rows = [];
  let above = null;
  for (const message of messages) {
    const day = dayName(Number(message.ts));
    if (!options.inThread && (!above || dayName(Number(above.ts)) !== day)) {
      rows.push({ key: `day-${message.ts}`, signature: day, make: () => el("div", { class: "day" }, el("span", {}, day)) });
      above = null;
    }
    const hasHeader = (message.blocks || []).some((block) => block.type === "header");
    const follows = Boolean(above) && !hasHeader && above.user === message.user && !message.is_ephemeral && !above.is_ephemeral &&
      Number(message.ts) - Number(above.ts) < GROUP_SECONDS && !(options.inThread && above.ts === view.thread);
    const drawn = { follows, inThread: options.inThread };
    rows.push({ key: `${message.ts}${message.is_ephemeral ? "e" : ""}`, signature: JSON.stringify([message, drawn, store.me, store.users.size]), make: () => drawMessage(message, context, drawn) });
    above = message;
    if (options.inThread && rows.length === 1 && messages.length > 1) {
      const count = messages.filter((row) => !row.is_ephemeral).length - 1;
      const label = count === 1 ? "1 reply" : `${count} replies`;
      if (count) rows.push({ key: "replies", signature: label, make: () => el("div", { class: "day left" }, el("span", {}, label)) });
    }
  }
  if (!rows.length && options.empty) rows.push({ key: "empty", signature: `${view.channel}${store.me}`, make: options.empty });
  else if (options.empty && messages.every((row) => row.is_ephemeral)) rows.unshift({ key: "empty", signature: `${view.channel}${store.me}`, make: options.empty });
  const shows = `${view.channel}/${options.inThread ? view.thread : ""}`;
  const switched = pane.dataset.shows !== shows;
  if (switched) {
    pane.replaceChildren();
    pane.keyed = new Map();
    pane.dataset.shows = shows;
    pane.pinned = true;
  }
  reconcile(pane, rows);
  if (pane.pinned) toEnd(pane);
}

function welcome(channel) {
  const tries = TRY.map(([text, note]) =>
    el("li", {}, el("button", { type: "button", class: "try", onclick: () => composer.fill(text) },
      el("code", {}, text), el("span", {}, note))));
  if (!channel.is_general) {
    const name = channel.is_im ? "This is your direct message with opsbot." : `This is the very beginning of #${channel.name}.`;
    return el("div", { class: "welcome" }, el("h2", {}, name), el("p", {}, channel.is_im ? "Ask anything; no mention is needed here." : channel.purpose.value));
  }
  return el("div", { class: "welcome" },
    el("span", { class: "welcome-mark", "aria-hidden": "true" }, icon("helm")),
    el("h2", {}, "Welcome to Fenwick Goods"),
    el("p", {}, "opsbot watches the demo cluster. Three things to try:"),
    el("ul", { class: "tries" }, tries));
}

function drawThread(name) {
  const pane = $("thread");
  const open = Boolean(view.thread);
  pane.hidden = !open;
  $("shell").classList.toggle("with-thread", open);
  if (!open) return;
  $("thread-channel").textContent = name;
  threadComposer.move(`${view.channel}/${view.thread}`, "Reply…");
  drawMessages($("thread-messages"), store.inThread(view.channel, view.thread), { inThread: true });
}

function drawStatus() {
  const status = (ts) => store.statuses.get(`${view.channel}/${ts}`);
  const shown = (place, text) => place.replaceChildren(...(text ? [avatar(store.users.get(store.state.bot), "tiny"), el("span", {}, text.startsWith("is ") ? `opsbot ${words(text)}` : `opsbot: ${words(text)}`)] : []));
  shown($("thread-status"), view.thread ? status(view.thread) : "");
  const running = [...store.statuses].find(([key, text]) => key.startsWith(`${view.channel}/`) && text);
  shown($("channel-status"), running ? running[1] : "");
}

// What changes

const CHANGES = {
  message: (data) => {
    store.keep(data.channel, data.message);
    const isReply = data.message.thread_ts && data.message.thread_ts !== data.message.ts;
    const away = data.channel !== view.channel || document.hidden;
    if (away && !isReply && data.message.user !== store.me) store.unread.set(data.channel, (store.unread.get(data.channel) || 0) + 1);
  },
  message_changed: (data) => store.keep(data.channel, data.message),
  message_deleted: (data) => store.messages.get(data.channel)?.delete(data.ts),
  ephemeral: (data) => store.keepEphemeral(data),
  ephemeral_deleted: (data) => store.ephemerals.get(data.channel)?.delete(data.ts),
  status: (data) => {
    const key = `${data.channel}/${data.thread_ts}`;
    store.statuses.set(key, data.status);
    if (data.status) setTimeout(() => { store.statuses.delete(key); drawStatus(); }, data.lifetime_seconds * 1000);
  },
  view: (data) => modals.show(data.view, data.errors),
  view_closed: (data) => modals.hide(data.view_id),
  home: (data) => { store.homes[store.me] = data.view; },
  conversation: () => reload(),
  connection: (data) => { store.state.connected = data.connected; },
  reset: () => { modals.clear(); store.unread.clear(); go("CGENERAL", ""); reload(); },
};

let drawing = false;

/** Draw once per frame, however many changes came. */
function drawSoon() {
  if (drawing) return;
  drawing = true;
  setTimeout(() => { drawing = false; draw(); }, 16);
}

function changed(data) {
  if (!store.state) return;
  const { kind, ...rest } = data;
  if (CHANGES[kind]) CHANGES[kind](rest);
  drawSoon();
}

async function reload() {
  await store.load();
  modals.clear();
  for (const row of store.modals) modals.show(row.view, row.errors);
  drawActing();
  if (!store.channels.has(view.channel)) view.channel = "CGENERAL";
  draw();
}

function drawActing() {
  const people = [...store.users.values()].filter((user) => !user.is_bot);
  $("acting-as").replaceChildren(...people.map((user) => el("option", { value: user.id, selected: user.id === store.me }, user.real_name)));
}

// Moving about

function go(channel, thread) {
  const place = thread ? `#${channel}/${thread}` : `#${channel}`;
  if (location.hash === place) arrive();
  else location.hash = place;
}

async function arrive() {
  const [channel, first, second] = location.hash.slice(1).split("/");
  if (channel === "opsbot") {
    const opened = await look("messages", { channel: "@opsbot", user: store.me });
    await reload();
    go(opened.channel, "");
    return;
  }
  if (channel && channel !== view.channel) view.tab = "messages";
  view.channel = channel || "CGENERAL";
  view.thread = second || first || "";
  if (view.thread && !second && !store.messages.get(view.channel)?.get(view.thread)) view.thread = "";
  store.unread.delete(view.channel);
  openSidebar(false);
  draw();
  (view.thread ? threadComposer : composer).input.focus({ preventScroll: true });
}

function openSidebar(open) {
  document.body.classList.toggle("sidebar-open", open);
  $("scrim").hidden = !open;
  $("menu").setAttribute("aria-expanded", String(open));
}

function closeThread() {
  go(view.channel, "");
}

async function become(user) {
  store.me = user;
  modals.clear();
  store.unread.clear();
  stopListening();
  view.thread = "";
  if (view.channel.startsWith("D")) view.channel = "CGENERAL";
  stopListening = listen(user, reload, changed);
}

/** Scroll to the end; a last message that is longer than the pane is read from its beginning. */
function toEnd(pane) {
  const last = pane.lastElementChild;
  const isLong = last && last.offsetHeight > pane.clientHeight;
  pane.scrollTop = isLong ? last.offsetTop - pane.offsetTop : pane.scrollHeight;
}

/** Keep a pane at its end, where the reader has left it, whatever grows or shrinks around it. */
function keepPinned(pane) {
  pane.pinned = true;
  pane.addEventListener("scroll", () => { pane.pinned = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 60; });
  new ResizeObserver(() => { if (pane.pinned) toEnd(pane); }).observe(pane);
}

keepPinned($("messages"));
keepPinned($("thread-messages"));
$("menu").append(icon("menu"));
$("thread-close").append(icon("close"));
$("composer").append(composer.node);
$("thread-composer").append(threadComposer.node);
$("thread-close").addEventListener("click", closeThread);
$("menu").addEventListener("click", () => openSidebar(!document.body.classList.contains("sidebar-open")));
$("scrim").addEventListener("click", () => openSidebar(false));
$("acting-as").addEventListener("change", (event) => become(event.target.value));
window.addEventListener("hashchange", arrive);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { store.unread.delete(view.channel); drawSoon(); } });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (document.body.classList.contains("sidebar-open")) openSidebar(false);
  else if (view.thread) closeThread();
});

await store.load();
await become(store.me);
await arrive();
