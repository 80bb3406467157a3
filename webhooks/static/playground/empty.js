// What an empty room says: where one is, and what to try.

import { avatar, byId, el } from "./dom.js";

// Demo models are asked what they can answer.
const TRIES = {
  general: (bot, demo) =>
    ["/ask What can you do?", `@${bot} ${demo ? "my name is Ada" : "write a haiku about rivers"}`, "/plans", "/help"],
  dm: (bot, demo) =>
    [demo ? "How do limits work?" : "Explain recursion with an example in Python", "/usage", "/model", "/upgrade"],
};

const WORDS = {
  general: (bot) => ["This is the beginning of #general", `Everybody here reads along. ${bot} answers when it is asked:`],
  dm: (bot) => [`Just you and ${bot}`, "Nobody else sees what is written here. Every message is answered:"],
};

export function showEmpty(room, bot, demo, fill) {
  const [title, words] = WORDS[room.id](bot);
  const tries = TRIES[room.id](bot, demo).map((text) => {
    const button = el("button", { type: "button", className: "try" }, el("span", {}, "Try"), ` ${text}`);
    button.addEventListener("click", () => fill(text));
    return button;
  });
  byId("empty").replaceChildren(
    room.id === "dm" ? avatar(bot, true) : el("span", { className: "hash big", "aria-hidden": "true" }, "#"),
    el("h2", {}, title), el("p", {}, words), el("div", { className: "tries" }, ...tries));
}
