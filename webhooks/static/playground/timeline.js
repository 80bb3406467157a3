// The messages of one room in order, with days between them and the newest in sight.

import { byId, el } from "./dom.js";
import { isBusy, MessageView } from "./message.js";

const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const TOGETHER = 5 * 60 * 1000;
const NEAR = 80;
const EXCERPT = 70;

export class Timeline {
  constructor(on) {
    this.on = { ...on, find: (id) => this.find(id) };
    this.list = byId("messages");
    this.scroll = byId("scroll");
    this.newest = byId("newest");
    this.views = new Map();
    this.atEnd = true;
    this.scroll.addEventListener("scroll", () => this.noticeScroll());
    this.newest.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(this.scroll);
  }

  // Show these messages, oldest first, in place of all that is shown.
  reset(messages) {
    this.views.clear();
    this.list.replaceChildren();
    for (const message of messages) this.put(message);
    this.toEnd();
  }

  // Show a message, or what has become of it.
  put(message) {
    const known = this.views.get(message.id);
    if (known) known.update(message);
    else this.add(message);
    byId("empty").hidden = this.views.size > 0;
    this.showTyping();
    if (this.atEnd) this.toEnd();
    else this.newest.hidden = false;
  }

  add(message) {
    const last = [...this.views.values()].at(-1)?.message;
    const view = new MessageView(message, this.on);
    const newDay = day(last) !== day(message);
    if (newDay) this.list.append(el("li", { className: "day" }, el("span", {}, dayName(message))));
    view.element.classList.toggle("compact", !newDay && goesWith(last, message));
    view.setQuoted(last?.id === message.reply_to ? "" : excerpt(this.views.get(message.reply_to)?.message));
    this.views.set(message.id, view);
    this.list.append(view.element);
  }

  showTyping() {
    const busy = [...this.views.values()].map((view) => view.message).filter(isBusy);
    const names = [...new Set(busy.map((message) => message.author.name))];
    byId("typing").textContent = names.length ? `${names.join(" and ")} is writing…` : "";
  }

  noticeScroll() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroll;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.atEnd) this.newest.hidden = true;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.atEnd = true;
    this.newest.hidden = true;
  }

  find(id) {
    const element = this.views.get(id)?.element;
    element?.scrollIntoView({ block: "center" });
    element?.classList.add("found");
    setTimeout(() => element?.classList.remove("found"), 1500);
  }
}

export function excerpt(message) {
  if (!message) return "an earlier message";
  const plain = message.text.replace(/[*_`#>|~]+|-{3,}/g, "").replace(/\s+/g, " ").trim();
  return `${message.author.name}: ${plain.length > EXCERPT ? `${plain.slice(0, EXCERPT)}…` : plain}`;
}

const day = (message) => (message ? new Date(message.at).toDateString() : "");

function dayName(message) {
  const yesterday = new Date();
  yesterday.setDate(yesterday.getDate() - 1);
  if (day(message) === new Date().toDateString()) return "Today";
  if (day(message) === yesterday.toDateString()) return "Yesterday";
  return DAY.format(new Date(message.at));
}

function goesWith(last, message) {
  return (
    last !== undefined && !message.reply_to && !last.buttons.length && last.author.name === message.author.name &&
    last.kind === message.kind && Date.parse(message.at) - Date.parse(last.at) < TOGETHER
  );
}
