// The query box. Triggers: "search" with the words, "clear" when the example study is dropped.

const BUSY_AFTER_MS = 150;

const build = (root, setTriggerValue) => {
  const input = el("input", {
    type: "text", "aria-label": "Query", autocomplete: "off", spellcheck: "false", maxlength: "400",
    enterkeyhint: "search",
  });
  const clear = el("button", { class: "button plain", type: "button", "aria-label": "Clear the query" },
    icon("close"));
  const busy = el("span", { class: "busy", role: "status" });
  const name = el("span");
  const drop = el("button", { class: "button plain", type: "button", "aria-label": "Drop the example" },
    icon("close", true));
  const example = el("span", { class: "example", hidden: true }, name, drop);
  const box = el("label", { class: "box" }, icon("search"), example, input, busy, clear, el("kbd", {}, "/"));
  const go = el("button", { class: "button primary", type: "button" }, "Search");
  root.replaceChildren(box, go);

  const state = { input, example, name, busy, clear, sent: null, timer: 0, words: "" };
  const tidy = () => { clear.hidden = input.value === ""; };
  const search = () => {
    if (!input.value.trim()) return;
    clearTimeout(state.timer);
    state.timer = setTimeout(() => { busy.textContent = state.words; }, BUSY_AFTER_MS);
    setTriggerValue("search", input.value);
  };
  input.addEventListener("input", tidy);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) search();
    if (event.key === "Escape") input.blur();
  });
  clear.addEventListener("click", () => { input.value = ""; tidy(); input.focus(); });
  drop.addEventListener("click", () => setTriggerValue("clear", true));
  go.addEventListener("click", search);
  state.onKey = (event) => {
    if (event.key !== "/" || isTyping(event) || !isPlain(event)) return;
    event.preventDefault();
    input.focus();
    input.select();
  };
  document.addEventListener("keydown", state.onKey);
  state.tidy = tidy;
  return state;
};

export default function query({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".query");
  const state = keep(root, () => build(root, setTriggerValue));
  if (state.sent !== data.text) state.input.value = state.sent = data.text; // Back, or a link
  state.input.placeholder = data.placeholder;
  state.words = data.busy;
  state.example.hidden = !data.like;
  state.name.textContent = data.like ? `Like study ${data.like}` : "";
  clearTimeout(state.timer);
  state.busy.textContent = "";
  state.tidy();
  if (data.focus && !state.focused) state.input.focus({ preventScroll: true });
  state.focused = true;
  return () => {
    document.removeEventListener("keydown", state.onKey);
    clearTimeout(state.timer);
    forget(root);
  };
}
