// Builds elements; text goes in as text nodes only, so nothing anybody wrote can become markup.

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

export function avatar(name, bot = false) {
  if (bot) {
    return el("span", { className: "avatar bot", "aria-hidden": "true" },
      el("img", { src: "/static/icon.svg", alt: "", width: 36, height: 36 }));
  }
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7) % 6;
  return el("span", { className: `avatar hue-${hue}`, "aria-hidden": "true" }, name.slice(0, 1).toUpperCase());
}

export function tierBadge(tier) {
  const name = tier ? tier[0].toUpperCase() + tier.slice(1) : "";
  return el("span", { className: `tier tier-${tier}`, hidden: !tier }, name);
}

// Addresses that a member may be led to: the web, mail, and this server itself.
export function safeAddress(text) {
  try {
    const address = new URL(text, location.origin);
    return ["http:", "https:", "mailto:"].includes(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}
