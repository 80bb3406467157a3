// The dashboard's page: charts over its tables, changes without reload, and links that keep one's place.

import { draw, redraw } from "./charts.js";
import { follow } from "./swift.js";
import { keepFresh } from "./live.js";

document.documentElement.classList.add("swift");
draw(document);
follow(draw);
keepFresh(draw);
for (const query of ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)", "(max-width: 860px)"]) {
  matchMedia(query).addEventListener("change", redraw);
}

// On a phone the pages stand in a row that is longer than the screen: begin where one is.
const here = document.querySelector("#pages [aria-current]");
const row = document.getElementById("pages");
if (here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
