// Who one can speak as: a list with tiers, and a dialog for somebody new.

import { avatar, byId, el, tierBadge } from "./dom.js";

const KEPT = "playground.people";

export class People {
  // `choose(name)` is called when somebody is picked.
  constructor(choose) {
    this.choose = choose;
    this.names = [];
    this.tiers = new Map();
    this.current = "";
    this.listen();
  }

  listen() {
    const dialog = byId("person-dialog");
    byId("add-person").addEventListener("click", () => dialog.showModal());
    byId("person-cancel").addEventListener("click", () => dialog.close());
    byId("person-name").addEventListener("input", ({ target }) => (target.value = target.value.toLowerCase()));
    byId("person-form").addEventListener("submit", () => {
      const name = byId("person-name").value;
      byId("person-form").reset();
      this.add([name]);
      localStorage.setItem(KEPT, JSON.stringify(this.names));
      this.choose(name);
    });
  }

  add(names) {
    this.names = [...new Set([...this.names, ...names])];
    this.show();
  }

  kept() {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
  }

  // Note a person's tier; whether it is another than the one known before.
  note({ name, tier }) {
    const before = this.tiers.get(name);
    this.tiers.set(name, tier);
    if (before !== tier) this.show();
    return before !== undefined && before !== tier;
  }

  select(name) {
    this.current = name;
    this.add([name]);
  }

  show() {
    byId("people").replaceChildren(...this.names.map((name) => el("li", {}, this.row(name))));
    const tier = this.tiers.get(this.current);
    byId("self").replaceChildren(avatar(this.current), el("b", {}, this.current), tierBadge(tier));
  }

  row(name) {
    const row = el("button", { type: "button", className: "row", "aria-current": name === this.current ? "true" : null },
      avatar(name), el("span", { className: "row-name" }, name), tierBadge(this.tiers.get(name)));
    row.addEventListener("click", () => this.choose(name));
    return row;
  }
}
