// Slack's own markup: *bold* _italic_ ~strike~ `code` ``` fences ``` > quotes and <…> tokens.

import { el } from "./dom.js";
import { decode, token, words } from "./tokens.js";

/** Nodes for a mrkdwn text. */
export function mrkdwn(text, names) {
  const parts = text.split(/```\n?([\s\S]*?)\n?```\n?/);
  return parts.flatMap((part, number) =>
    number % 2 ? [el("pre", {}, el("code", {}, decode(stripTokens(part))))] : lines(part, names),
  );
}

function stripTokens(text) {
  return text.replace(/<(https?:[^|>]+)(\|[^>]*)?>/g, (all, address, label) => (label ? label.slice(1) : address));
}

function lines(text, names) {
  const nodes = [];
  let quote = [];
  const endQuote = () => {
    if (quote.length) nodes.push(el("blockquote", {}, joined(quote, names)));
    quote = [];
  };
  const plain = [];
  const endPlain = () => {
    if (plain.length) nodes.push(...joined(plain, names));
    plain.length = 0;
  };
  for (const line of text.split("\n")) {
    const quoted = line.match(/^(?:&gt;|>) ?(.*)$/);
    if (quoted) {
      endPlain();
      quote.push(quoted[1]);
    } else {
      endQuote();
      plain.push(line);
    }
  }
  endQuote();
  endPlain();
  return nodes;
}

function joined(rows, names) {
  return rows.flatMap((row, number) => [number ? el("br") : null, ...inline(row, names)]).filter(Boolean);
}

const INLINE = /`([^`\n]+)`|<([^<>\n]+)>|(?<=^|[\s(["'“])([*_~])(\S(?:[^\n]*?\S)?)\3(?=$|[\s.,;:!?)\]"'”…-])/g;

function inline(text, names) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    const [all, code, inner, mark, marked] = match;
    if (match.index > last) nodes.push(words(text.slice(last, match.index)));
    last = match.index + all.length;
    if (code !== undefined) nodes.push(el("code", {}, decode(code)));
    else if (inner !== undefined) nodes.push(token(inner, names) || words(all));
    else nodes.push(el({ "*": "strong", _: "em", "~": "s" }[mark], {}, inline(marked, names)));
  }
  if (last < text.length) nodes.push(words(text.slice(last)));
  return nodes;
}
