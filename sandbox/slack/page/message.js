// One message of a channel or thread.

import { avatar, clockTime, el, link } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";
import { emoji } from "./tokens.js";

const PREVIEW_LINES = 12;

/**
 * The node of a message.
 *
 * `context` has `names`, `me`, `press`, `confirm`, `openThread`, `react` and `shortcuts`; `options` has
 * `follows` (same author as the message above) and `inThread`.
 */
export function drawMessage(message, context, options) {
  const author = context.names.users.get(message.user) || { id: message.user, name: message.user || "?" };
  const name = author.real_name || author.name;
  const isBot = Boolean(message.bot_id);
  const classes = ["message"];
  if (options.follows) classes.push("follows");
  if (message.is_ephemeral) classes.push("ephemeral");
  if (message.streaming_state === "in_progress") classes.push("streaming");
  if (notifies(message, context)) classes.push("for-you");
  const head = el("div", { class: "message-head" },
    el("strong", { class: "author" }, name),
    isBot ? el("span", { class: "badge" }, "APP") : null,
    el("time", { class: "at", datetime: new Date(Number(message.ts) * 1000).toISOString() }, clockTime(Number(message.ts))));
  return el("article", { class: classes.join(" "), "data-ts": message.ts, "aria-label": `${name}, ${clockTime(Number(message.ts))}` },
    message.is_ephemeral ? el("p", { class: "only-you" }, icon("eye"), " Only visible to you") : null,
    el("div", { class: "gutter" }, options.follows ? el("span", { class: "at" }, clockTime(Number(message.ts)).replace(/\s?[AP]M$/i, "")) : avatar(author)),
    el("div", { class: "body" },
      options.follows ? null : head,
      content(message, context),
      attachments(message, context),
      files(message),
      reactions(message, context),
      options.inThread ? null : threadLink(message, context)),
    message.is_ephemeral ? null : tools(message, context, options));
}

function content(message, context) {
  const blocks = message.blocks || [];
  const pressing = { ...context, press: (id, value, button) => context.press(message, id, value, button) };
  const plain = message.text ? [el("div", { class: "text" }, mrkdwn(message.text, context.names))] : [];
  const nodes = blocks.length ? drawBlocks(blocks, pressing) : plain;
  const edited = message.edited && !message.bot_id ? el("span", { class: "edited" }, "(edited)") : null;
  return el("div", { class: "content" }, nodes, edited);
}

/** What older apps post: a coloured bar with a title, text and fields. Their buttons are left out. */
function attachments(message, context) {
  return (message.attachments || []).map((part) => {
    const colour = { good: "#2eb886", warning: "#daa038", danger: "#a30200" }[part.color] || `#${String(part.color || "").replace(/^#/, "")}`;
    const title = part.title ? el("div", { class: "attachment-title" }, part.title_link ? link(part.title_link, part.title) : part.title) : null;
    const lines = [part.pretext, part.text].filter(Boolean).map((text) => el("div", {}, mrkdwn(text, context.names)));
    const fields = (part.fields || []).map((field) => el("div", {}, el("strong", {}, field.title), el("div", {}, mrkdwn(String(field.value), context.names))));
    const box = el("div", { class: "attachment" }, title, lines,
      fields.length ? el("div", { class: "fields" }, fields) : null,
      part.blocks ? drawBlocks(part.blocks.filter((block) => block.type !== "actions"), context) : null,
      part.footer ? el("div", { class: "attachment-footer" }, part.footer) : null);
    if (/^#[0-9a-f]{3,8}$/i.test(colour)) box.style.borderLeftColor = colour;
    return box;
  });
}

function notifies(message, context) {
  if (message.user === context.me) return false;
  const text = JSON.stringify([message.text, message.blocks || ""]);
  return text.includes(`<@${context.me}>`) || /<!(here|channel|everyone)>/.test(text) || /"broadcast"/.test(text);
}

function files(message) {
  return (message.files || []).map((file) => {
    const address = new URL(file.url_private).pathname;
    const isImage = file.mimetype.startsWith("image/");
    const shown = isImage ? el("img", { src: address, alt: file.alt_txt || file.title, loading: "lazy" }) : null;
    const size = file.size < 1024 ? `${file.size} B` : `${(file.size / 1024).toFixed(1)} kB`;
    const caption = el("figcaption", {}, link(new URL(address, location).href, file.title || file.name), el("span", { class: "file-kind" }, `${file.filetype.toUpperCase()} · ${size}`));
    return el("figure", { class: isImage ? "file" : "file card" }, caption, shown || preview(address));
  });
}

/** The first lines of a text file, as Slack shows them under its name. */
function preview(address) {
  const box = el("pre", { class: "preview" });
  fetch(address).then((reply) => (reply.ok ? reply.text() : "")).then((text) => {
    const lines = text.split("\n");
    box.textContent = lines.slice(0, PREVIEW_LINES).join("\n") + (lines.length > PREVIEW_LINES ? "\n…" : "");
  }, () => box.remove());
  return box;
}

function reactions(message, context) {
  if (!message.reactions || !message.reactions.length) return null;
  return el("div", { class: "reactions" }, message.reactions.map((row) => {
    const own = row.users.includes(context.me);
    const who = row.users.map((id) => (context.names.users.get(id) || {}).real_name || id).join(", ");
    const label = `${row.name}: ${who}`;
    return el("button", { type: "button", class: own ? "reaction own" : "reaction", title: label, "aria-label": label, "aria-pressed": String(own), onclick: () => context.react(message, row.name, own) },
      emoji(row.name), " ", el("span", {}, String(row.count)));
  }));
}

function threadLink(message, context) {
  if (!message.reply_count) return null;
  const people = message.reply_users.slice(0, 3).map((id) => avatar(context.names.users.get(id) || { id, name: id }, "small"));
  const words = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  return el("button", { type: "button", class: "thread-link", onclick: () => context.openThread(message.ts) },
    people, el("span", { class: "replies" }, words), el("span", { class: "last" }, `last at ${clockTime(Number(message.latest_reply))}`));
}

function tools(message, context, options) {
  const button = (label, sign, onclick) =>
    el("button", { type: "button", class: "icon-button", title: label, "aria-label": label, onclick }, sign);
  return el("div", { class: "tools" },
    button("React with eyes", icon("eye"), () => context.react(message, "eyes", false)),
    button("React with thumbs up", icon("up"), () => context.react(message, "+1", false)),
    options.inThread ? null : button("Reply in thread", icon("reply"), () => context.openThread(message.ts)),
    context.shortcuts.map((shortcut) => button(shortcut.name, icon("bolt"), () => context.useShortcut(shortcut, message))));
}
