// The rooms with what is unread in each; what a person has read is remembered in this browser.

import { avatar, byId, el } from "./dom.js";

export class Rooms {
  constructor(choose) {
    this.choose = choose;
    this.all = [];
    this.current = "general";
    this.unread = new Map();
  }

  find(id) {
    return this.all.find((room) => room.id === id) ?? this.all[0];
  }

  // Count what the person has not read; the room in sight is read by being seen.
  count(person, messages) {
    for (const room of this.all) {
      const inside = messages.filter((message) => message.room === room.id);
      const newest = Math.max(0, ...inside.map((message) => Date.parse(message.at)));
      const key = `playground.read.${person}.${room.id}`;
      if (room.id === this.current && document.visibilityState === "visible") localStorage.setItem(key, newest);
      const read = Number(localStorage.getItem(key) ?? 0);
      const unread = inside.filter((message) => message.author.name !== person && Date.parse(message.at) > read);
      this.unread.set(room.id, unread.length);
    }
    this.show();
  }

  show() {
    byId("rooms").replaceChildren(...this.all.map((room) => el("li", {}, this.row(room))));
    const waiting = [...this.unread].some(([room, count]) => count > 0 && room !== this.current);
    byId("menu-dot").hidden = !waiting;
    const total = [...this.unread.values()].reduce((sum, count) => sum + count, 0);
    document.title = total ? `(${total}) Playground` : "Playground";
  }

  row(room) {
    const count = this.unread.get(room.id) ?? 0;
    const sign = room.id === "dm" ? avatar(room.name, true) : el("span", { className: "hash", "aria-hidden": "true" }, "#");
    const badge = el("span", { className: "unread", hidden: !count, "aria-label": `${count} unread` }, String(count));
    const row = el("button", { type: "button", className: "row", "aria-current": room.id === this.current ? "true" : null },
      sign, el("span", { className: "row-name" }, room.name), badge);
    row.addEventListener("click", () => this.choose(room.id));
    return row;
  }
}
