// What the query was understood as. Triggers: "change" with the lines of all chips, and "edit"
// with those lines, the place of one chip, and the words that are to stand in its place.

const nameOf = (chip, reword) => {
  const box = el("span", { class: "name" });
  const button = el("button", { class: "words", type: "button", title: "Say it in other words" }, chip.label);
  const show = () => box.replaceChildren(button);
  button.addEventListener("click", () => {
    const input = el("input", { class: "edit", type: "text", "aria-label": `${chip.label}, in other words` });
    input.value = chip.label;
    input.size = Math.max(12, chip.label.length + 4);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && input.value.trim()) reword(input.value.trim());
      else if (event.key === "Escape") { show(); button.focus(); }
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    input.addEventListener("blur", show);
    box.replaceChildren(input);
    input.select();
  });
  show();
  return box;
};

const chipOf = (chip, change, reword) => {
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
    sign, nameOf(chip, reword), el("span", { class: "source" }, chip.source), toggle);
};

export default function chips({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".chips");
  const lines = data.chips.map((chip) => chip.line);
  const change = (at) => (line) =>
    setTriggerValue("change", lines.map((old, i) => (i === at ? line : old)));
  const reword = (at) => (text) => setTriggerValue("edit", { lines, at, text });
  const shown = data.chips.map((chip, at) => chipOf(chip, change(at), reword(at)));
  if (data.free) {
    shown.push(el("span", { class: "chip free", title: data.freeNote },
      el("span", { class: "name" }, data.free), el("span", { class: "source" }, data.freeNote)));
  }
  root.replaceChildren(
    ...(shown.length ? [el("span", { class: "lead" }, data.lead), ...shown] : []),
    ...(data.note ? [el("span", { class: "note" }, data.note)] : []),
  );
}
