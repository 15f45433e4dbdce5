// Modals, and the small question before a risky button.

import { el } from "./dom.js";
import { drawBlocks, textObject } from "./blocks.js";
import { icon } from "./icons.js";
import { words } from "./tokens.js";

/** Shows the modals of one user; `context` as for blocks, `submit(id, values)` and `close(id)`. */
export class Modals {
  constructor(place, context, submit, close) {
    this.place = place;
    this.context = context;
    this.submit = submit;
    this.close = close;
    this.dialogs = new Map();
  }

  show(view, errors) {
    const known = this.dialogs.get(view.id);
    const kept = known && known.hash === view.hash ? values(known.dialog) : {};
    if (known) known.dialog.remove();
    const dialog = this.draw(view, errors || {}, kept);
    this.place.append(dialog);
    this.dialogs.set(view.id, { dialog, hash: view.hash });
    dialog.showModal();
    const first = dialog.querySelector("[name]");
    if (first) first.focus();
  }

  hide(id) {
    const known = this.dialogs.get(id);
    if (known) known.dialog.remove();
    this.dialogs.delete(id);
  }

  clear() {
    for (const id of [...this.dialogs.keys()]) this.hide(id);
  }

  draw(view, errors, kept) {
    const send = async (event) => {
      event.preventDefault();
      const button = dialog.querySelector("button[type=submit]");
      button.disabled = true;
      await this.submit(view.id, values(dialog));
      button.disabled = false;
    };
    const cancel = () => this.close(view.id);
    const body = view.blocks.map((block) =>
      block.type === "input" ? input(block, errors[block.block_id], kept, this.context) : drawBlocks([block], this.context));
    const dialog = el("dialog", { class: "modal", "aria-label": view.title ? view.title.text : "Dialog", oncancel: (event) => { event.preventDefault(); cancel(); } },
      el("form", { method: "dialog", novalidate: true, onsubmit: send },
        el("header", {}, el("h2", {}, words(view.title ? view.title.text : "")),
          el("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: cancel }, icon("close"))),
        el("div", { class: "modal-body" }, errors[""] ? el("p", { class: "error", role: "alert" }, errors[""]) : null, body),
        el("footer", {},
          el("button", { type: "button", class: "button", onclick: cancel }, words(view.close ? view.close.text : "Cancel")),
          view.submit ? el("button", { type: "submit", class: "button primary" }, words(view.submit.text)) : null)));
    return dialog;
  }
}

/** Ask before acting, as a button's `confirm` says; resolves to true or false. */
export function confirmation(place, context) {
  return (question) =>
    new Promise((resolve) => {
      const done = (agreed) => {
        dialog.remove();
        resolve(agreed);
      };
      const dialog = el("dialog", { class: "modal small", oncancel: () => done(false) },
        el("header", {}, el("h2", {}, words(question.title.text))),
        el("div", { class: "modal-body" }, textObject(question.text, context)),
        el("footer", {},
          el("button", { type: "button", class: "button", onclick: () => done(false) }, words(question.deny.text)),
          el("button", { type: "button", class: `button ${question.style || "primary"}`, onclick: () => done(true) }, words(question.confirm.text))));
      place.append(dialog);
      dialog.showModal();
    });
}

function input(block, error, kept, context) {
  const id = `field-${block.block_id}`;
  const control = field(block, id, kept[block.block_id]);
  return el("div", { class: error ? "field wrong" : "field" },
    el("label", { for: id }, words(block.label.text), block.optional ? el("span", { class: "optional" }, " (optional)") : null),
    control,
    error ? el("p", { class: "error", role: "alert" }, error) : null,
    block.hint ? el("p", { class: "hint" }, textObject(block.hint, context)) : null);
}

function field(block, id, kept) {
  const element = block.element;
  const named = { id, name: block.block_id };
  const hint = element.placeholder ? element.placeholder.text : null;
  if (element.type === "plain_text_input") {
    const start = kept ?? element.initial_value ?? "";
    const limits = { placeholder: hint, maxlength: element.max_length ? String(element.max_length) : null };
    if (element.multiline) return el("textarea", { ...named, ...limits, rows: "4" }, start);
    return el("input", { ...named, ...limits, type: "text", value: start });
  }
  if (element.type === "static_select") {
    const initial = kept ?? (element.initial_option || {}).value;
    return el("select", named, el("option", { value: "" }, hint || "Choose…"),
      element.options.map((option) => el("option", { value: option.value, selected: option.value === initial }, words(option.text.text))));
  }
  if (["radio_buttons", "checkboxes", "multi_static_select"].includes(element.type)) {
    const type = element.type === "radio_buttons" ? "radio" : "checkbox";
    return el("div", { class: "options", id, role: "group" }, element.options.map((option) =>
      el("label", { class: "option" }, el("input", { type, name: block.block_id, value: option.value, "data-many": type === "checkbox" ? "1" : null }), words(option.text.text))));
  }
  const type = { number_input: "number", datepicker: "date", timepicker: "time" }[element.type] || "text";
  return el("input", { ...named, type, value: kept ?? "" });
}

function values(dialog) {
  const found = {};
  for (const control of dialog.querySelectorAll("[name]")) {
    if (control.dataset.many) {
      found[control.name] = found[control.name] || [];
      if (control.checked) found[control.name].push(control.value);
    } else if (control.type === "radio") {
      if (control.checked) found[control.name] = control.value;
    } else if (control.value) found[control.name] = control.value;
  }
  return found;
}
