// Small helpers to build elements. Text always becomes text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes, listeners (`onclick`), properties (`.value`) and children. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith(".")) node[name.slice(1)] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Change the text only where it differs, so that screen readers and selections are left alone. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const $ = (selector, root = document) => root.querySelector(selector);

/** A number in words of en-US, with the minus sign that the bot writes. */
export const figure = (number, options) => number.toLocaleString("en-US", options).replace("-", "−");

/** "1 reply", "2 replies". */
export function count(number, one, many = `${one}s`) {
  return `${figure(number)} ${Math.abs(number) === 1 ? one : many}`;
}
