// One message on the page: made once, then changed in place as it grows.

import { avatar, el, safeAddress } from "./dom.js";
import { markdown } from "./markdown.js";

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const EYE =
  "M10 4C5.500 4 2.200 8 1.200 10c1 2 4.300 6 8.800 6s7.800-4 8.800-6C17.800 8 14.500 4 10 4zm0 9.500A3.500 3.500 0 1 1 10 6.500a3.500 3.500 0 0 1 0 7z";

export const isBusy = (message) => message.state === "thinking" || message.state === "writing";

// `on` has reply(message), press(message, action) and find(id), which jumps to a message.
export class MessageView {
  constructor(message, on) {
    this.on = on;
    this.text = el("div", { className: "text" });
    this.footer = el("p", { className: "footer" });
    this.buttons = el("div", { className: "buttons" });
    this.element = this.frame(message);
    this.update(message);
  }

  frame(message) {
    const { author, kind, id } = message;
    const content = el("div", { className: "content" },
      this.meta(message),
      message.reply_to ? this.quote(message.reply_to) : null,
      kind === "private" && author.bot ? whisper() : null,
      this.text, this.footer, this.buttons);
    const name = `message ${author.bot ? "bot" : "human"} ${kind}`;
    return el("li", { className: name, id: `m-${id}` }, avatar(author.name, author.bot), content, this.tools());
  }

  meta({ author, at }) {
    const when = new Date(at);
    return el("div", { className: "meta" },
      el("b", { className: "author" }, author.name),
      author.bot ? el("span", { className: "badge" }, author.demo ? "DEMO" : "BOT") : null,
      el("time", { dateTime: at, title: FULL.format(when) }, CLOCK.format(when)));
  }

  quote(id) {
    this.quoted = el("button", { type: "button", className: "quote" }, "a message");
    this.quoted.addEventListener("click", () => this.on.find(id));
    return this.quoted;
  }

  tools() {
    const reply = el("button", { type: "button", title: "Reply" }, "Reply");
    reply.addEventListener("click", () => this.on.reply(this.message));
    const copy = el("button", { type: "button", title: "Copy the text" }, "Copy");
    copy.addEventListener("click", () => navigator.clipboard?.writeText(this.message.text));
    return el("div", { className: "tools" }, reply, navigator.clipboard ? copy : null);
  }

  update(message) {
    const before = this.message;
    this.message = message;
    this.element.dataset.state = message.state;
    if (before?.text !== message.text || before?.state !== message.state) this.showText(message);
    this.footer.textContent = message.footer;
    this.footer.hidden = !message.footer;
    if (JSON.stringify(before?.buttons) !== JSON.stringify(message.buttons)) this.showButtons(message);
  }

  showText({ text, state }) {
    if (text) this.text.replaceChildren(markdown(text));
    else if (state === "thinking" || state === "writing") this.text.replaceChildren(dots());
    else this.text.replaceChildren();
  }

  showButtons(message) {
    this.buttons.replaceChildren(...message.buttons.map((button) => this.button(button)));
    this.buttons.hidden = message.buttons.length === 0;
  }

  button({ label, action, url, style }) {
    const className = `button ${style}`;
    if (url) {
      const href = safeAddress(url);
      return href ? el("a", { className, href, target: "_blank", rel: "noopener" }, label, el("span", { "aria-hidden": "true" }, "↗")) : null;
    }
    const pressed = el("button", { type: "button", className }, label);
    pressed.addEventListener("click", async () => {
      pressed.disabled = true;
      await this.on.press(this.message, action);
      pressed.disabled = false;
    });
    return pressed;
  }

  // What the message answers, in words; none where that stands right above it.
  setQuoted(words) {
    if (!this.quoted) return;
    this.quoted.textContent = words;
    this.quoted.hidden = !words;
  }
}

function whisper() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", EYE);
  svg.append(path);
  return el("p", { className: "whisper" }, svg, "Only you can see this");
}

function dots() {
  return el("span", { className: "dots", role: "img", "aria-label": "thinking" }, el("i"), el("i"), el("i"));
}
