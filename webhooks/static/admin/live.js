// Keeps the page fresh while it is looked at; says so when it cannot, and what to do about it.

import { morph } from "./morph.js";

const EVERY = 5000;
const MOST = 60000;
const OVER = "Your session is over, so nothing here changes any more. Ask the bot for a new link with /admin dashboard.";
const AWAY = "The server cannot be reached, so these figures grow old. Trying again by itself.";

let over = false;

// The page at an address as a document; null if it cannot be had.
export async function load(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) end();
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

// Take over what is different, place by place.
export function put(page, draw) {
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const old = document.getElementById(fresh.id);
    if (!old || old.isEqualNode(fresh)) continue;
    morph(old, document.adoptNode(fresh), flash);
    draw(old);
  }
}

// Ask again while the page is seen; the slower the answers, the more seldom.
export function keepFresh(draw) {
  let wait = EVERY;
  let timer;

  async function look() {
    clearTimeout(timer);
    if (over || document.hidden) return;
    const began = performance.now();
    const address = location.href;
    const page = await load(address);
    if (over) return;
    if (page && address === location.href) put(page, draw);
    say(page ? "" : AWAY);
    wait = page ? Math.max(EVERY, 20 * (performance.now() - began)) : Math.min(2 * wait, MOST);
    timer = setTimeout(look, wait);
  }

  document.addEventListener("visibilitychange", look);
  timer = setTimeout(look, EVERY);
}

function end() {
  over = true;
  say(OVER, true);
}

function say(words, bad = false) {
  const state = document.getElementById("state");
  if (state.textContent !== words) state.textContent = words;
  state.classList.toggle("bad", bad);
}

function flash(element) {
  if (!("flash" in element.dataset)) return;
  element.classList.remove("fresh");
  requestAnimationFrame(() => element.classList.add("fresh"));
}
