// Sorts, narrows and turns tables without leaving the page: the address changes, everything else keeps its place.

import { load, put } from "./live.js";

export function follow(draw) {
  async function go(address) {
    const page = await load(address);
    if (!page) {
      location.assign(address);
      return;
    }
    history.pushState(null, "", address);
    put(page, draw);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swift]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.href);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-swift]");
    if (!form) return;
    event.preventDefault();
    go(addressOf(form));
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
    timer = setTimeout(() => form.requestSubmit(), 300);
  });

  addEventListener("popstate", () => location.reload());
}

function addressOf(form) {
  const address = new URL(form.getAttribute("action") ?? "", location.href);
  const fields = [...new FormData(form)].filter(([, value]) => value);
  address.search = new URLSearchParams(fields);
  return address.href;
}
