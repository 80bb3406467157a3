// Makes one element like another and leaves alone what is the same: focus, scrolling and open parts stay.

const KEEP = new Set(["open"]);

export function morph(old, fresh, changed = () => {}) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) {
      old.nodeValue = fresh.nodeValue;
      if (old.parentElement) changed(old.parentElement);
    }
    return;
  }
  attributes(old, fresh);
  if ("kept" in old.dataset && "kept" in fresh.dataset) {
    morphKept(old, fresh);
    return;
  }
  children(old, fresh, changed);
}

// A drawing stays in its canvas; only what is said of it may change.
function morphKept(old, fresh) {
  const [before, after] = [old.querySelector("canvas"), fresh.querySelector("canvas")];
  if (before && after) before.setAttribute("aria-label", after.getAttribute("aria-label"));
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !KEEP.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !KEEP.has(name)) old.setAttribute(name, value);
  }
}

// Children with a key are found again wherever they stand now; the others go by their place.
function children(old, fresh, changed) {
  const keyed = new Map();
  const wantedKeys = new Set([...fresh.children].map((child) => child.dataset.key));
  for (const child of [...old.children]) {
    if (!child.dataset.key) continue;
    if (wantedKeys.has(child.dataset.key)) keyed.set(child.dataset.key, child);
    else child.remove(); // first: else all that follow would be moved past it, and lose the focus
  }
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = wanted.dataset?.key;
    const found = key ? keyed.get(key) : place && !place.dataset?.key ? place : null;
    if (!found) {
      old.insertBefore(wanted, place);
      continue;
    }
    keyed.delete(key);
    if (found === place) place = place.nextSibling;
    else old.insertBefore(found, place);
    morph(found, wanted, changed);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}
