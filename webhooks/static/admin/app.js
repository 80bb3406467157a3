// The dashboard's page: charts over its tables, changes without reload, and links that keep one's place.

import { draw, redraw } from "./charts.js";
import { follow } from "./swift.js";
import { keepFresh } from "./live.js";

document.documentElement.classList.add("swift");
draw(document);
follow(draw);
keepFresh(draw);
for (const query of ["(prefers-color-scheme: dark)", "(max-width: 860px)"]) {
  matchMedia(query).addEventListener("change", redraw);
}
