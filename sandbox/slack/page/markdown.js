// The Markdown that Slack's markdown block takes, drawn with text nodes only.

import { el, link } from "./dom.js";
import { decode, token, words } from "./tokens.js";

/** Nodes for a Markdown text. */
export function markdown(text, names) {
  return blocks(text.replaceAll("\r\n", "\n").split("\n"), names);
}

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+#-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}(?:>|&gt;) ?(.*)$/;
const DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocks(lines, names) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const [node, next] = line.trim() ? block(lines, at, names) : [null, at + 1];
    if (node) nodes.push(node);
    at = next;
  }
  return nodes;
}

function block(lines, at, names) {
  const line = lines[at];
  const fence = line.match(FENCE);
  if (fence) return fenced(lines, at, fence);
  const heading = line.match(HEADING);
  if (heading) return [el(`h${Math.min(heading[1].length + 2, 6)}`, {}, inline(heading[2], names)), at + 1];
  if (RULE.test(line)) return [el("hr"), at + 1];
  if (QUOTE.test(line)) return quoted(lines, at, names);
  if (line.includes("|") && DELIMITER.test(lines[at + 1] || "") && lines[at + 1].includes("-")) return table(lines, at, names);
  if (ITEM.test(line)) return list(lines, at, names);
  return paragraph(lines, at, names);
}

function fenced(lines, at, fence) {
  const body = [];
  let next = at + 1;
  while (next < lines.length && !lines[next].trim().startsWith(fence[1])) body.push(lines[next++]);
  const code = el("code", { "data-language": fence[2] || null }, decode(body.join("\n")));
  return [el("pre", {}, code), next + 1];
}

function quoted(lines, at, names) {
  const body = [];
  let next = at;
  while (next < lines.length && QUOTE.test(lines[next])) body.push(lines[next++].match(QUOTE)[1]);
  return [el("blockquote", {}, blocks(body, names)), next];
}

function cells(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function table(lines, at, names) {
  const sides = cells(lines[at + 1]).map((rule) => (/^:.*:$/.test(rule) ? "center" : rule.endsWith(":") ? "right" : "left"));
  const row = (line, tag) =>
    el("tr", {}, cells(line).map((cell, column) => el(tag, { class: sides[column] || "left" }, inline(cell, names))));
  const body = [];
  let next = at + 2;
  while (next < lines.length && lines[next].includes("|") && lines[next].trim()) body.push(row(lines[next++], "td"));
  const grid = el("table", {}, el("thead", {}, row(lines[at], "th")), el("tbody", {}, body));
  return [el("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": "Table" }, grid), next];
}

function list(lines, at, names) {
  const [, indent, mark] = lines[at].match(ITEM);
  const ordered = /\d/.test(mark);
  const items = [];
  let next = at;
  while (next < lines.length) {
    const item = lines[next].match(ITEM);
    if (!item || item[1].length !== indent.length || /\d/.test(item[2]) !== ordered) break;
    const body = [item[3]];
    const inset = indent.length + item[2].length + 1;
    next += 1;
    while (next < lines.length) {
      const line = lines[next];
      const deeper = line.match(/^\s*/)[0].length > indent.length;
      const blank = !line.trim();
      const follows = blank && /^\s/.test(lines[next + 1] || "") && (lines[next + 1] || "").trim();
      if (!(deeper && !blank) && !follows) break;
      body.push(line.slice(Math.min(inset, line.match(/^\s*/)[0].length)));
      next += 1;
    }
    items.push(listItem(body, names));
    while (next < lines.length && !lines[next].trim() && ITEM.test(lines[next + 1] || "")) next += 1;
  }
  const start = ordered ? Number.parseInt(mark, 10) : 1;
  return [el(ordered ? "ol" : "ul", { start: start > 1 ? String(start) : null }, items), next];
}

function listItem(body, names) {
  const task = body[0].match(/^\[([ xX])\]\s+(.*)$/);
  if (!task) return el("li", {}, tight(body, names));
  const box = el("input", { type: "checkbox", checked: task[1] !== " ", disabled: true });
  return el("li", { class: "task" }, box, el("div", {}, tight([task[2], ...body.slice(1)], names)));
}

function tight(body, names) {
  return blocks(body, names).flatMap((node) => (node.tagName === "P" && body.length === 1 ? [...node.childNodes] : [node]));
}

function paragraph(lines, at, names) {
  const body = [];
  let next = at;
  const stops = (line) => FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || ITEM.test(line) || RULE.test(line);
  while (next < lines.length && lines[next].trim() && (next === at || !stops(lines[next]))) body.push(lines[next++]);
  const nodes = body.flatMap((line, number) => [number ? el("br") : null, ...inline(line.trim(), names)]);
  return [el("p", {}, nodes), next];
}

const INLINE = new RegExp(
  [
    "(?<escaped>\\\\[\\\\`*_~\\[\\]()#|!-])",
    "(?<ticks>`+)(?<code>.+?)\\k<ticks>(?!`)",
    "!?\\[(?<label>[^\\]]*)\\]\\((?<url>[^\\s()]*(?:\\([^\\s()]*\\)[^\\s()]*)*)(?:\\s+\"[^\"]*\")?\\)",
    "<(?<inner>[^<>\\n]+)>",
    "\\*\\*(?<bold>\\S(?:.*?\\S)?)\\*\\*",
    "(?<![\\w])__(?<bold2>\\S(?:.*?\\S)?)__(?![\\w])",
    "~~(?<strike>\\S(?:.*?\\S)?)~~",
    "\\*(?<it>[^\\s*](?:[^*]*?[^\\s*])?)\\*",
    "(?<![\\w])_(?<it2>[^\\s_](?:.*?[^\\s_])?)_(?![\\w])",
    "(?<bare>https?://[^\\s<>)\\]]*[^\\s<>)\\].,;:!?'\"])",
  ].join("|"),
  "g",
);

function inline(text, names) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > last) nodes.push(words(text.slice(last, match.index)));
    nodes.push(span(match, names));
    last = match.index + match[0].length;
  }
  if (last < text.length) nodes.push(words(text.slice(last)));
  return nodes;
}

function span(match, names) {
  const found = match.groups;
  if (found.escaped) return found.escaped.slice(1);
  if (found.code !== undefined) return el("code", {}, decode(found.code.replace(/^ (.*) $/, "$1")));
  if (found.url !== undefined) return link(decode(found.url), inline(found.label || found.url, names));
  if (found.inner) return token(found.inner, names) || words(match[0]);
  if (found.bare) return link(decode(found.bare), decode(found.bare));
  const bold = found.bold ?? found.bold2;
  if (bold !== undefined) return el("strong", {}, inline(bold, names));
  if (found.strike !== undefined) return el("s", {}, inline(found.strike, names));
  return el("em", {}, inline(found.it ?? found.it2, names));
}
