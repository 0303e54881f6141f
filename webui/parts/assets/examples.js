// Questions to begin with. Trigger: "ask" with the words.

const EXAMPLE_ZOOM = 1.12;

const buildExample = (state, content, example) => {
  const [picture, player] = clipPicture(example.main, content, state.sheets, state.transport, { zoom: EXAMPLE_ZOOM });
  if (player) state.players.push(player);
  const link = el("a", { href: queryString(example.params) }, picture,
    el("span", { class: "say" }, el("b", {}, example.text),
      el("span", { class: "kind" }, example.kind), el("span", { class: "nearest" }, example.nearest)));
  link.addEventListener("click", (event) => {
    if (!isPlainClick(event)) return;
    event.preventDefault();
    state.trigger("ask", example.text);
  });
  return link;
};

export default function examples({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".examples");
  const state = keep(root, () => ({ sheets: new Sheets(), transport: new Transport(), players: [] }));
  const [content, body] = unpack(data);
  state.trigger = setTriggerValue;
  for (const player of state.players) player.close();
  state.players = [];
  state.sheets.take(content, body);
  root.replaceChildren(el("h2", {}, "Try one"),
    el("div", { class: "grid" }, ...content.examples.map((one) => buildExample(state, content, one))));
  return () => {
    for (const player of state.players) player.close();
    state.sheets.close();
    forget(root);
  };
}
