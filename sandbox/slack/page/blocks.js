// Block Kit as Slack draws it. `context` has `names`, and `press(action_id, value, button)`.

import { el, link } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { mrkdwn } from "./mrkdwn.js";
import { emoji, mention, words } from "./tokens.js";

/** Nodes for all blocks of a message or a view. */
export function drawBlocks(blocks, context) {
  return blocks.map((block) => {
    const draw = DRAW[block.type];
    return draw ? draw(block, context) : el("p", { class: "unknown" }, `[${block.type} block]`);
  });
}

/** Nodes for a text object. */
export function textObject(object, context) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text, context.names) : [words(object.text)];
}

const DRAW = {
  actions: (block, context) => el("div", { class: "block actions" }, block.elements.map((item) => element(item, context))),
  alert: (block, context) => el("div", { class: `block alert ${block.level || ""}` }, textObject(block.text, context)),
  context: (block, context) =>
    el("div", { class: "block context" }, block.elements.map((item) =>
      item.type === "image" ? picture(item, "context-image") : el("span", {}, textObject(item, context)))),
  context_actions: (block, context) =>
    el("div", { class: "block context-actions" }, block.elements.map((item) => element(item, context))),
  divider: () => el("hr", { class: "block divider" }),
  header: (block) => el("h3", { class: "block header" }, words(block.text.text)),
  image: (block) =>
    el("figure", { class: "block image" },
      block.title ? el("figcaption", {}, words(block.title.text)) : null, picture(block, "")),
  markdown: (block, context) => el("div", { class: "block markdown" }, markdown(block.text, context.names)),
  plan: (block) =>
    el("div", { class: "block plan" }, el("strong", {}, words(block.title || "")), (block.tasks || []).map(task)),
  rich_text: (block, context) => el("div", { class: "block rich" }, block.elements.map((item) => rich(item, context))),
  section,
  table,
  task_card: (block) => task(block),
};

function section(block, context) {
  const fields = (block.fields || []).map((field) => el("div", {}, textObject(field, context)));
  return el("div", { class: "block section" },
    el("div", { class: "section-text" },
      block.text ? el("div", {}, textObject(block.text, context)) : null,
      fields.length ? el("div", { class: "fields" }, fields) : null),
    block.accessory ? el("div", { class: "accessory" }, element(block.accessory, context)) : null);
}

function table(block, context) {
  const sides = (block.column_settings || []).map((setting) => (setting && setting.align) || "left");
  const wraps = (block.column_settings || []).map((setting) => (setting && setting.is_wrapped ? "wraps" : ""));
  const row = (cells, tag) =>
    el("tr", {}, cells.map((cell, column) =>
      el(tag, { class: `${sides[column] || "left"} ${wraps[column] || ""}` }, tableCell(cell, context))));
  const [head, ...rest] = block.rows;
  const grid = el("table", {}, el("thead", {}, row(head, "th")), el("tbody", {}, rest.map((cells) => row(cells, "td"))));
  return el("div", { class: "block table-scroll", tabindex: "0", role: "group", "aria-label": "Table" }, grid);
}

function tableCell(cell, context) {
  if (cell.type === "rich_text") return cell.elements.map((item) => rich(item, context));
  return cell.text ?? String(cell.value ?? "");
}

function task(card) {
  const marks = { pending: "○", in_progress: "◐", complete: "✓", error: "✕" };
  const status = card.status || "pending";
  return el("div", { class: `block task-card ${status}` },
    el("span", { class: "task-mark", "aria-hidden": "true" }, marks[status]),
    words(card.title || ""), el("span", { class: "hidden" }, ` (${status.replace("_", " ")})`));
}

function picture(item, kind) {
  const address = item.image_url || "";
  const own = address.startsWith("/") || address.startsWith(`${location.origin}/`);
  // Pictures from elsewhere are not fetched: this page asks no other host for anything.
  if (!own) return el("span", { class: "far-image" }, "🖼 ", link(address, item.alt_text));
  return el("img", { class: kind, src: address, alt: item.alt_text, loading: "lazy" });
}

function element(item, context) {
  if (item.type === "image") return picture(item, "accessory-image");
  if (item.type === "feedback_buttons") return feedback(item, context);
  if (item.options) return select(item, context);
  const label = item.text ? words(item.text.text) : item.type;
  const press = async (event) => {
    const button = event.currentTarget;
    if (item.url && /^https?:/.test(item.url)) window.open(item.url, "_blank", "noreferrer,noopener");
    if (item.confirm && !(await context.confirm(item.confirm))) return;
    context.press(item.action_id, null, button);
  };
  const description = item.accessibility_label || null;
  return el("button", { type: "button", class: `button ${item.style || ""}`, onclick: press, "aria-label": description }, label);
}

function feedback(item, context) {
  const choice = (side, sign) => {
    const button = item[side];
    const press = (event) => {
      for (const other of event.currentTarget.parentNode.children) other.classList.remove("chosen");
      event.currentTarget.classList.add("chosen");
      context.press(item.action_id, button.value, event.currentTarget);
    };
    const name = button.accessibility_label || button.text.text;
    const shown = words(button.text.text);
    const text = [...shown].length <= 2 ? icon(sign) : [icon(sign), ` ${shown}`];
    return el("button", { type: "button", class: "button quiet", "aria-label": name, onclick: press }, text);
  };
  return el("span", { class: "feedback" }, choice("positive_button", "up"), choice("negative_button", "down"));
}

function select(item, context) {
  if (["radio_buttons", "checkboxes"].includes(item.type)) {
    return el("span", { class: "choices" }, item.options.map((option) =>
      el("button", { type: "button", class: "button quiet", onclick: (event) => context.press(item.action_id, option.value, event.currentTarget) },
        words(option.text.text))));
  }
  const first = item.type === "overflow" ? "⋯" : words(item.placeholder ? item.placeholder.text : "Choose…");
  const options = [el("option", { value: "" }, first)];
  for (const option of item.options) options.push(el("option", { value: option.value }, words(option.text.text)));
  const chosen = (event) => {
    if (event.currentTarget.value) context.press(item.action_id, event.currentTarget.value, event.currentTarget);
  };
  return el("select", { class: "button", "aria-label": first, onchange: chosen }, options);
}

function rich(item, context) {
  const inner = () => (item.elements || []).map((child) => richElement(child, context));
  if (item.type === "rich_text_preformatted") return el("pre", {}, el("code", {}, inner()));
  if (item.type === "rich_text_quote") return el("blockquote", {}, inner());
  if (item.type === "rich_text_list") {
    const rows = item.elements.map((row) => el("li", {}, rich(row, context)));
    return el(item.style === "ordered" ? "ol" : "ul", { class: `indent-${item.indent || 0}` }, rows);
  }
  return el("span", { class: "rich-section" }, inner());
}

function richElement(item, context) {
  if (item.type === "user") return mention(context.names, item.user_id);
  if (item.type === "broadcast") return el("span", { class: "mention notifies" }, `@${item.range}`);
  if (item.type === "usergroup") return el("span", { class: "mention notifies" }, "@group");
  if (item.type === "channel") {
    const known = context.names.channels.get(item.channel_id);
    return el("a", { class: "mention", href: `#${item.channel_id}` }, `#${known ? known.name : item.channel_id}`);
  }
  if (item.type === "emoji") return emoji(item.name);
  const node = item.type === "link" ? link(item.url, item.text || item.url) : document.createTextNode(item.text || "");
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  return Object.entries(item.style || {}).reduce((child, [name, on]) => (on && tags[name] ? el(tags[name], {}, child) : child), node);
}
