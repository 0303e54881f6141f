// Small helpers that every component shares. Text goes in as text, never as markup.

const el = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};

const icon = (name, small = false) =>
  el("span", { class: small ? "icon small" : "icon", "aria-hidden": "true" }, name);

const queryString = (params) => {
  const pairs = Object.entries(params).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, one]));
  return `?${new URLSearchParams(pairs)}`;
};

// Keys belong to whoever types: targets inside shadow roots show only in the composed path.
const isTyping = (event) => {
  const target = event.composedPath()[0];
  if (!(target instanceof Element)) return false;
  const boxes = ["checkbox", "range", "button"];
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName)
    || (target.tagName === "INPUT" && !boxes.includes(target.type));
};

// A click that asks for no new tab or window.
const isPlainClick = (event) =>
  !(event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0);

const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.altKey);

// State that outlives one call of a component, for as long as its element is there.
const kept = new WeakMap();
const keep = (element, make) => {
  if (!kept.has(element)) kept.set(element, make());
  return kept.get(element);
};
const forget = (element) => kept.delete(element);
