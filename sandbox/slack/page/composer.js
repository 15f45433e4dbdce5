// Where a person writes: Enter sends, "/" offers commands, "@" people, "#" channels.

import { el } from "./dom.js";
import { icon } from "./icons.js";

/**
 * A composer. `options` has `label`, `suggest(kind)` giving rows of {value, title, note} for "/", "@"
 * and "#", and `send(text)`, which resolves when the text has been taken.
 */
export class Composer {
  constructor(options) {
    this.options = options;
    this.rows = [];
    this.chosen = 0;
    this.drafts = new Map();
    this.place = undefined;
    const listId = `suggestions-${options.id}`;
    this.input = el("textarea", {
      id: `input-${options.id}`, rows: "1", placeholder: options.label, "aria-label": options.label, autocomplete: "off",
      "aria-autocomplete": "list", "aria-controls": listId, spellcheck: "true",
      oninput: () => this.changed(), onkeydown: (event) => this.key(event), onblur: () => setTimeout(() => this.offer([]), 150),
    });
    this.list = el("ul", { id: listId, class: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: true });
    this.button = el("button", { type: "button", class: "send", "aria-label": "Send message", disabled: true, onclick: () => this.send() }, icon("send"));
    this.node = el("div", { class: "composer" }, this.list,
      el("div", { class: "composer-box" }, this.input, this.button),
      el("p", { class: "composer-help" }, el("kbd", {}, "Enter"), " sends · ", el("kbd", {}, "Shift Enter"), " new line · ", el("kbd", {}, "/"), " commands · ", el("kbd", {}, "@"), " people"));
  }

  /** Write somewhere else: the draft stays behind, and the one left there comes back. */
  move(place, label) {
    if (this.place !== place) {
      if (this.place !== undefined) this.drafts.set(this.place, this.input.value);
      this.place = place;
      this.input.value = this.drafts.get(place) || "";
      this.changed();
      this.offer([]);
    }
    this.input.placeholder = label;
    this.input.setAttribute("aria-label", label);
  }

  fill(text) {
    this.input.value = text;
    this.changed();
    this.offer([]);
    this.input.focus();
  }

  changed() {
    this.button.disabled = !this.input.value.trim();
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 200)}px`;
    this.offer(this.matches());
  }

  matches() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    const found = before.match(/^(\/)([\w-]*)$/) || before.match(/(?:^|\s)([@#])([\w-]*)$/);
    if (!found) return [];
    const [, kind, typed] = found;
    const rows = this.options.suggest(kind).filter((row) => row.value.toLowerCase().startsWith(kind + typed.toLowerCase()));
    this.typed = kind.length + typed.length;
    return rows.slice(0, 8);
  }

  offer(rows) {
    this.rows = rows;
    this.chosen = 0;
    this.list.hidden = !rows.length;
    this.show();
  }

  show() {
    const items = this.rows.map((row, number) =>
      el("li", { role: "option", id: `${this.list.id}-${number}`, "aria-selected": String(number === this.chosen), onmousedown: (event) => { event.preventDefault(); this.take(number); } },
        el("strong", {}, row.title), " ", el("span", {}, row.note)));
    this.list.replaceChildren(...items);
    if (items.length) this.input.setAttribute("aria-activedescendant", items[this.chosen].id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  take(number) {
    const at = this.input.selectionStart;
    const start = at - this.typed;
    const words = `${this.rows[number].value} `;
    this.input.setRangeText(words, start, at, "end");
    this.changed();
    this.offer([]);
    this.input.focus();
  }

  key(event) {
    const open = this.rows.length > 0;
    if (open && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.chosen = (this.chosen + step + this.rows.length) % this.rows.length;
      this.show();
    } else if (open && ["Tab", "Enter"].includes(event.key) && !event.isComposing) {
      event.preventDefault();
      this.take(this.chosen);
    } else if (open && event.key === "Escape") {
      event.stopPropagation();
      this.offer([]);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.send();
    }
  }

  async send() {
    const text = this.input.value.trim();
    if (!text) return;
    this.fill("");
    const place = this.place;
    if (await this.options.send(text)) return;
    if (this.place === place && !this.input.value) this.fill(text);
  }
}
