// Common Markdown to nodes, also while it is still being written: an open fence or table is shown as far as it goes.

import { el } from "./dom.js";
import { inline } from "./inline.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const ITEM = /^(\s*)(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const DEEPEST = 6;

export function markdown(text, depth = 0) {
  const fragment = document.createDocumentFragment();
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  let at = 0;
  while (at < lines.length) {
    const [node, next] = block(lines, at, depth);
    if (node) fragment.append(node);
    at = next;
  }
  return fragment;
}

function block(lines, at, depth) {
  const line = lines[at];
  if (!line.trim()) return [null, at + 1];
  if (FENCE.test(line)) return fence(lines, at);
  const heading = HEADING.exec(line);
  if (heading) return [el(`h${Math.min(heading[1].length + 2, 6)}`, {}, inline(heading[2])), at + 1];
  if (RULE.test(line)) return [el("hr"), at + 1];
  if (depth < DEEPEST && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, depth);
  if (startsTable(lines, at)) return table(lines, at);
  return paragraph(lines, at, depth);
}

function fence(lines, at) {
  const [, mark, language] = FENCE.exec(lines[at]);
  const close = new RegExp(`^ {0,3}${mark[0] === "`" ? "`" : "~"}{${mark.length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end])) end += 1;
  return [codeBlock(lines.slice(at + 1, end).join("\n"), language), end + 1];
}

function codeBlock(code, language) {
  const copy = el("button", { type: "button", className: "copy" }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
  const head = el("figcaption", {}, el("span", {}, language || "text"), navigator.clipboard ? copy : null);
  return el("figure", { className: "code" }, head, el("pre", { tabIndex: 0 }, el("code", {}, code)));
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => QUOTE.exec(line)[1]).join("\n");
  return [el("blockquote", {}, markdown(inner, depth + 1)), end];
}

// An item goes on with everything that is indented deeper than its mark.
function list(lines, at, depth) {
  const [, indent, bullet, number] = ITEM.exec(lines[at]);
  const items = el(bullet ? "ul" : "ol", bullet ? {} : { start: Number(number) });
  while (at < lines.length) {
    const found = ITEM.exec(lines[at]);
    if (!found || found[1].length !== indent.length || Boolean(found[2]) !== Boolean(bullet)) break;
    const content = lines[at].length - found[4].length;
    let end = at + 1;
    while (end < lines.length && belongs(lines, end, indent.length)) end += 1;
    const rest = lines.slice(at + 1, end).map((line) => line.slice(Math.min(content, depthOf(line))));
    items.append(item([found[4], ...rest].join("\n"), depth));
    at = end;
  }
  return [items, at];
}

const depthOf = (line) => line.length - line.trimStart().length;

function belongs(lines, at, indent) {
  if (lines[at].trim()) return depthOf(lines[at]) > indent;
  const next = lines.slice(at).find((line) => line.trim());
  return next !== undefined && (depthOf(next) > indent || (ITEM.test(next) && depthOf(next) === indent));
}

function item(text, depth) {
  const nodes = markdown(text, depth + 1);
  const [first] = nodes.children;
  if (first?.tagName === "P") first.replaceWith(...first.childNodes);
  return el("li", {}, nodes);
}

const startsTable = (lines, at) => lines[at].includes("|") && TABLE_RULE.test(lines[at + 1] ?? "");

function table(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim()) end += 1;
  const rows = lines.slice(at + 2, end).map((line) => row(line, "td"));
  const whole = el("table", {}, el("thead", {}, row(lines[at], "th")), el("tbody", {}, ...rows));
  return [el("div", { className: "table", tabIndex: 0, role: "group", "aria-label": "Table" }, whole), end];
}

function row(line, tag) {
  const cells = line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/);
  return el("tr", {}, ...cells.map((cell) => el(tag, {}, inline(cell.trim()))));
}

function paragraph(lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !interrupts(lines, end, depth)) end += 1;
  const whole = el("p");
  lines.slice(at, end).forEach((line, index) => whole.append(...(index ? [el("br")] : []), inline(line.trim())));
  return [whole, end];
}

function interrupts(lines, at, depth) {
  const line = lines[at];
  const nests = depth < DEEPEST && (QUOTE.test(line) || ITEM.test(line));
  return nests || FENCE.test(line) || HEADING.test(line) || RULE.test(line) || startsTable(lines, at);
}
