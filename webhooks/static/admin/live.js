// Keeps the page fresh while it is looked at; says so when it cannot, and what to do about it.

import { morph } from "./morph.js";

const EVERY = 5000;
const MOST = 60000;
const OVER = "Your session is over, so nothing here changes any more. Ask the bot for a new link with /admin dashboard.";
const AWAY = "The server cannot be reached, so these figures grow old. Trying again by itself.";
const MANY = "Too many requests came from your session, so these figures grow old. Please wait: the page asks again by itself in";
const FAILED = "The server had an error, so these figures grow old. Trying again by itself; its log says why. Status";
const OTHER = "The server did not give this page, so its figures grow old. Load it again. Status";
const ENDED = new Set([401, 403, 404]);
const TOO_MANY = 429;
const ERROR = 500;

let over = false;
let wait = EVERY;
let timer;

// Show what the address says now, and again in a while; the slower the answers, the more seldom. Gives whether it is shown.
export async function look(draw) {
  clearTimeout(timer);
  if (over || document.hidden) return false;
  const began = performance.now();
  const address = location.href;
  const { page, words, pause } = await load(address);
  if (over || address !== location.href) return false; // what was asked for since is on its way
  if (page) put(page, draw);
  say(page ? "" : words);
  wait = page ? Math.max(EVERY, 20 * (performance.now() - began)) : pause ?? Math.min(2 * wait, MOST);
  clearTimeout(timer);
  timer = setTimeout(look, wait, draw);
  return Boolean(page);
}

// Ask again while the page is seen. What the browser kept of an earlier visit is not shown again.
export function keepFresh(draw) {
  document.addEventListener("visibilitychange", () => look(draw));
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  timer = setTimeout(look, EVERY, draw);
}

// Whether there is somebody to show anything to.
export const ended = () => over;

// The page at an address as a document; or why it cannot be had, and for how long not to ask again where that is known.
async function load(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (ENDED.has(answer.status)) end();
    if (answer.ok && !answer.redirected) return { page: new DOMParser().parseFromString(await answer.text(), "text/html") };
    return refused(answer);
  } catch {
    return { words: AWAY };
  }
}

function refused(answer) {
  if (answer.status === TOO_MANY) {
    const seconds = Math.max(Number(answer.headers.get("Retry-After")) || 0, EVERY / 1000);
    return { words: `${MANY} ${seconds} seconds.`, pause: seconds * 1000 };
  }
  return { words: `${answer.status >= ERROR ? FAILED : OTHER} ${answer.status}.` };
}

// Take over what is different, place by place; whoever stands in a part keeps standing there.
function put(page, draw) {
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const old = document.getElementById(fresh.id);
    if (!old || old.isEqualNode(fresh)) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    morph(old, document.adoptNode(fresh), flash);
    draw(old);
    if (focused) stand(focused, old);
  }
}

function stand(focused, part) {
  if (focused === document.activeElement) return;
  const place = focused.isConnected ? focused : part;
  if (place === part) part.tabIndex = -1;
  place.focus({ preventScroll: true });
}

function end() {
  over = true;
  clearTimeout(timer);
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
