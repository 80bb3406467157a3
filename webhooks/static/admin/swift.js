// Sorts, narrows and turns tables without leaving the page: the address changes, everything else keeps its place.

import { ended, look } from "./live.js";

export function follow(draw) {
  // The address comes first: if the server is away just now, the page comes to it by itself later on.
  async function go(address, part, typed = false) {
    if (ended()) {
      location.assign(address);
      return;
    }
    if (typed) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    if (await look(draw)) hear(part);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swift]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.href, partOf(link));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-swift]");
    if (!form) return;
    event.preventDefault();
    clearTimeout(timer);
    go(addressOf(form), partOf(form));
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest("select") && event.target.closest("form[data-swift]");
    if (form) form.requestSubmit();
  });

  let timer;
  document.addEventListener("input", (event) => {
    const form = event.target.closest("input[type=search]") && event.target.closest("form[data-swift]");
    if (!form) return;
    clearTimeout(timer);
    timer = setTimeout(() => go(addressOf(form), partOf(form), true), 300);
  });

  addEventListener("popstate", () => location.reload());
}

const partOf = (element) => element.closest("section").id;

function addressOf(form) {
  const address = new URL(form.getAttribute("action") ?? "", location.href);
  const fields = [...new FormData(form)].filter(([, value]) => value);
  address.search = new URLSearchParams(fields);
  return address.href;
}

// What came of it, for those who do not see the rows change.
function hear(id) {
  const part = document.getElementById(id);
  const [title, rows] = [part.querySelector("h2"), part.querySelector(".pages span, .empty")];
  const sorted = part.querySelector("th[aria-sort=ascending], th[aria-sort=descending]");
  const order = sorted ? `, by ${sorted.textContent.trim()}, ${sorted.getAttribute("aria-sort")}` : "";
  document.getElementById("heard").textContent = `${title.textContent}: ${rows.firstChild.textContent.trim()}${order}`;
}
