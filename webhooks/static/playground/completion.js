// The list above the composer: suggestions, walked with the arrow keys and taken with Tab or Enter.

import { byId, el } from "./dom.js";
import { suggest } from "./suggestions.js";

export class Completion {
  constructor(text, taken) {
    this.text = text;
    this.taken = taken;
    this.list = byId("completion");
    this.hint = byId("option-hint");
    this.found = { items: [], from: 0, hint: null };
    this.at = 0;
    this.commands = [];
    this.bot = "";
  }

  get open() {
    return !this.list.hidden;
  }

  refresh() {
    const before = this.text.value.slice(0, this.text.selectionStart);
    this.found = suggest(before, this.commands, this.bot);
    this.at = 0;
    this.show();
  }

  close() {
    this.found = { ...this.found, items: [] };
    this.show();
  }

  show() {
    const { items, hint } = this.found;
    this.list.hidden = items.length === 0;
    this.list.replaceChildren(...items.map((item, index) => this.row(item, index)));
    if (this.open) this.text.setAttribute("aria-activedescendant", `suggestion-${this.at}`);
    else this.text.removeAttribute("aria-activedescendant");
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
    this.hint.hidden = !hint;
    if (hint) this.showHint(hint);
  }

  showHint({ usage, option }) {
    const about = option ? el("span", {}, el("b", {}, option.name), ` ${option.description}`) : null;
    this.hint.replaceChildren(el("code", {}, usage), ...(about ? [about] : []));
  }

  row(item, index) {
    const row = el("li", { role: "option", id: `suggestion-${index}`, "aria-selected": String(index === this.at) },
      el("b", {}, item.label), el("span", {}, item.about));
    row.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the text box keeps the focus
      this.at = index;
      this.take();
    });
    return row;
  }

  move(step) {
    const count = this.found.items.length;
    this.at = (this.at + step + count) % count;
    this.show();
  }

  take() {
    const item = this.found.items[this.at];
    const after = this.text.value.slice(this.text.selectionStart);
    const head = this.text.value.slice(0, this.found.from) + item.insert;
    this.text.value = head + after.trimStart();
    this.text.setSelectionRange(head.length, head.length);
    this.taken();
  }

  // Whether the key was ours. Enter sends a command that is written in full, and completes any other.
  key(event) {
    if (!this.open || event.isComposing) return false;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Tab" && !event.shiftKey) this.take();
    else if (event.key === "Enter" && !event.shiftKey && !this.written()) this.take();
    else return false;
    event.preventDefault();
    return true;
  }

  written() {
    const item = this.found.items[this.at];
    const typed = this.text.value.trim();
    if (item.name) return item.whole && typed === `/${item.name}`;
    return this.text.value.endsWith(" ");
  }
}
