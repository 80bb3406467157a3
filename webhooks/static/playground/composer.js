// Where a message is written: grows with its text, completes commands, keeps the text until it has arrived.

import { byId } from "./dom.js";
import { Completion } from "./completion.js";
import { excerpt } from "./timeline.js";

const TALLEST = 200;

export class Composer {
  // `send({text, reply_to, key})` resolves when the message has arrived.
  constructor(send) {
    this.deliver = send;
    this.text = byId("composer-text");
    this.button = byId("send");
    this.replyTo = null;
    this.place = "";
    this.drafts = new Map();
    this.completion = new Completion(this.text, () => this.changed());
    this.listen();
  }

  listen() {
    this.text.addEventListener("input", () => this.changed());
    this.text.addEventListener("click", () => this.completion.refresh());
    this.text.addEventListener("blur", () => this.completion.close());
    this.text.addEventListener("keydown", (event) => this.key(event));
    byId("stop-replying").addEventListener("click", () => this.reply(null));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  key(event) {
    if (this.completion.key(event)) return;
    if (event.key === "Escape" && this.replyTo) this.reply(null);
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.submit();
  }

  changed() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, TALLEST)}px`;
    this.button.disabled = !this.text.value.trim();
    this.tell("");
    this.attempt = null;
    this.completion.refresh();
  }

  fill(text) {
    this.text.value = text;
    this.text.focus();
    this.text.setSelectionRange(text.length, text.length);
    this.changed();
  }

  reply(message) {
    this.replyTo = message;
    byId("replying").hidden = !message;
    byId("replying-words").textContent = message ? `Replying to ${excerpt(message)}` : "";
    if (message) this.text.focus();
  }

  // Go to another place; each keeps what was begun there.
  enter(place) {
    if (place === this.place) return;
    this.drafts.set(this.place, this.text.value);
    this.place = place;
    this.text.value = this.drafts.get(place) ?? "";
    this.reply(null);
    this.changed();
    this.completion.close();
    if (matchMedia("(hover: hover)").matches) this.text.focus(); // elsewhere it would raise a keyboard
  }

  tell(trouble) {
    byId("trouble").textContent = trouble;
    byId("trouble").hidden = !trouble;
  }

  // The same key for the same text, so that sending again after a broken connection sends it once.
  async submit() {
    const text = this.text.value.trim();
    if (!text || this.sending) return;
    this.sending = true;
    this.attempt ??= crypto.randomUUID();
    try {
      await this.deliver({ text, reply_to: this.replyTo?.id ?? null, key: this.attempt });
      this.text.value = "";
      this.reply(null);
      this.changed();
    } catch (error) {
      this.tell(error.message);
    } finally {
      this.sending = false;
    }
  }
}
