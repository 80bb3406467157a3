// Inline Markdown to nodes: code, emphasis, links and mentions.

import { el, safeAddress } from "./dom.js";

const PATTERN = new RegExp(
  [
    "\\\\(?<escaped>[\\\\`*_{}\\[\\]()#+.!|~>-])",
    "(?<ticks>`+)(?<code>[^\\n]+?)\\k<ticks>(?!`)",
    "\\*\\*(?=\\S)(?<bold>[^\\n]*?\\S)\\*\\*",
    "(?<!\\w)__(?=\\S)(?<bold2>[^\\n]*?\\S)__(?!\\w)",
    "\\*(?=[^\\s*])(?<italic>[^*\\n]*?[^\\s*])\\*(?!\\*)",
    "(?<!\\w)_(?=[^\\s_])(?<italic2>[^_\\n]*?[^\\s_])_(?!\\w)",
    "~~(?=\\S)(?<struck>[^\\n]*?\\S)~~",
    "\\[(?<label>[^\\]\\n]+)\\]\\((?<target>[^()\\s]+(?:\\([^()\\s]*\\)[^()\\s]*)*)\\)",
    "(?<bare>https?:\\/\\/[^\\s<>\"'`]*[^\\s<>\"'`.,;:!?)\\]*_])",
    "(?<![\\w@])(?<mention>@[A-Za-z][\\w-]*)",
  ].join("|"),
  "gu",
);

export function inline(text) {
  const fragment = document.createDocumentFragment();
  let at = 0;
  for (const match of text.matchAll(PATTERN)) {
    fragment.append(text.slice(at, match.index), node(match));
    at = match.index + match[0].length;
  }
  fragment.append(text.slice(at));
  return fragment;
}

function node(match) {
  const found = match.groups;
  if (found.escaped) return found.escaped;
  if (found.code) return el("code", {}, found.code.trim() || found.code);
  if (found.bold ?? found.bold2) return el("strong", {}, inline(found.bold ?? found.bold2));
  if (found.italic ?? found.italic2) return el("em", {}, inline(found.italic ?? found.italic2));
  if (found.struck) return el("s", {}, inline(found.struck));
  if (found.label) return link(found.target, inline(found.label), match[0]);
  if (found.bare) return link(found.bare, found.bare, match[0]);
  return el("span", { className: "mention" }, found.mention);
}

function link(target, label, written) {
  const address = safeAddress(target);
  if (address === null) return written;
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}
