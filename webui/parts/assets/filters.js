// The filter panel. Trigger: "change" with the URL parameters of all filters chosen.

const chosen = (state) => {
  const params = {};
  for (const { name, boxes } of state.groups) {
    const values = boxes.filter((box) => box.checked).map((box) => box.value);
    if (values.length) params[name] = values;
  }
  for (const { name, low, high } of state.ranges) {
    const from = Number(low.value) > Number(low.min) ? low.value : "";
    const to = Number(high.value) < Number(high.max) ? high.value : "";
    if (from || to) params[name] = [`${from}-${to}`];
  }
  return params;
};

const buildChoices = (state, group) => {
  const boxes = group.options.map((option) => {
    const box = el("input", { type: "checkbox", value: option.value, checked: option.on });
    box.addEventListener("change", () => state.trigger("change", chosen(state)));
    return box;
  });
  state.groups.push({ name: group.name, boxes });
  const rows = group.options.map((option, i) =>
    el("label", { class: option.count ? "choice" : "choice none" },
      boxes[i], el("span", {}, option.label), el("span", { class: "n" }, option.count.toLocaleString("en"))));
  return el("div", { class: "group", role: "group", "aria-label": group.title },
    el("h3", {}, group.title), ...rows);
};

const rangeText = (range, low, high) => {
  const top = (value) => (value === range.max && range.open ? `${value}+` : `${value}`);
  return low === range.min && high === range.max ? "any" : `${low} to ${top(high)}`;
};

const buildRange = (state, range) => {
  const handle = (value, label) => el("input", {
    type: "range", min: range.min, max: range.max, step: 1, value, "aria-label": `${range.title}, ${label}`,
  });
  const low = handle(range.low, "from");
  const high = handle(range.high, "to");
  const words = el("span");
  const fill = el("i");
  const most = Math.max(1, ...range.bars.map((bar) => bar.count));
  const bars = range.bars.map((bar) =>
    el("i", { style: `height:${(100 * bar.count) / most}%`, title: `${bar.title}: ${bar.count}` }));
  const paint = () => {
    const [a, b] = [Number(low.value), Number(high.value)];
    const place = (value) => (100 * (value - range.min)) / Math.max(1, range.max - range.min);
    words.textContent = rangeText(range, a, b);
    fill.style.left = `${place(a)}%`;
    fill.style.right = `${100 - place(b)}%`;
    range.bars.forEach((bar, i) => bars[i].classList.toggle("on", bar.to >= a && bar.from <= b));
  };
  low.addEventListener("input", () => {
    if (Number(low.value) > Number(high.value)) low.value = high.value;
    paint();
  });
  high.addEventListener("input", () => {
    if (Number(high.value) < Number(low.value)) high.value = low.value;
    paint();
  });
  for (const one of [low, high]) {
    one.addEventListener("change", () => state.trigger("change", chosen(state)));
  }
  paint();
  state.ranges.push({ name: range.name, low, high });
  return el("div", { class: "group", role: "group", "aria-label": range.title },
    el("h3", {}, range.title, words),
    el("div", { class: "bars", "aria-hidden": "true" }, ...bars),
    el("div", { class: "range" }, el("div", { class: "track" }, fill), low, high),
    range.note ? el("div", { class: "note" }, range.note) : null);
};

export default function filters({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".filters");
  const state = keep(root, () => ({}));
  const focused = root.getRootNode().activeElement?.getAttribute("aria-label");
  Object.assign(state, { groups: [], ranges: [], trigger: setTriggerValue });
  const reset = el("button", { class: "reset", type: "button", hidden: !data.any }, "Reset");
  reset.addEventListener("click", () => setTriggerValue("change", {}));
  const parts = data.parts.map((part) =>
    part.options ? buildChoices(state, part) : buildRange(state, part));
  root.replaceChildren(el("div", { class: "head" }, el("h2", {}, "Filters"), reset), ...parts);
  if (focused) root.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  return () => forget(root);
}
