// What the query was understood as. Trigger: "change" with the lines of all chips.

const chipOf = (chip, change) => {
  const sign = el("button", {
    class: "sign", type: "button", disabled: !chip.flips,
    title: chip.flips ? (chip.absent ? "Ask for its presence" : "Ask for its absence") : null,
    "aria-label": `${chip.label}: ${chip.absent ? "absent" : "present"}`,
  }, chip.absent ? "\u2212" : "+");
  sign.addEventListener("click", () => change(chip.flipped));
  const toggle = el("button", {
    class: "toggle", type: "button", title: chip.on ? "Leave it out" : "Take it back",
    "aria-label": `${chip.on ? "Leave out" : "Take back"} ${chip.label}`,
  }, icon(chip.on ? "close" : "add", true));
  toggle.addEventListener("click", () => change(chip.toggled));
  return el("span", { class: `chip${chip.on ? "" : " off"}${chip.absent ? " absent" : ""}` },
    sign, el("span", { class: "name" }, chip.label), el("span", { class: "source" }, chip.source), toggle);
};

export default function chips({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".chips");
  const lines = data.chips.map((chip) => chip.line);
  const change = (at) => (line) =>
    setTriggerValue("change", lines.map((old, i) => (i === at ? line : old)));
  const shown = data.chips.map((chip, at) => chipOf(chip, change(at)));
  if (data.free) {
    shown.push(el("span", { class: "chip free", title: data.freeNote },
      el("span", { class: "name" }, data.free), el("span", { class: "source" }, data.freeNote)));
  }
  root.replaceChildren(
    ...(shown.length ? [el("span", { class: "lead" }, data.lead), ...shown] : []),
    ...(data.note ? [el("span", { class: "note" }, data.note)] : []),
  );
}
