// The player of one study: every clip at the same fraction of the beat, whatever its frame count
// or heart rate. Triggers: "back"; "open" and "like" with a study; "why" as why.js says.

const STUDY_ZOOM = 1.2;
const SCRUB_STEPS = 1000;
const BAR_MM = 50;

const buildClip = (state, content, item) => {
  const [box, player] = clipPicture(item, content, state.sheets, state.transport, {
    zoom: STUDY_ZOOM, beat: content.beat, alt: item.alt,
  });
  if (player) state.players.push(player);
  box.append(el("span", { class: "label" }, item.label));
  if (item.right) box.append(el("span", { class: "label right" }, item.right));
  if (item.driving) {
    box.classList.add("driving");
    box.title = "Best-matching clip";
  }
  return box;
};

const addScale = (state, box, item) => {
  const bar = el("span", { class: "scale" }, `${BAR_MM} mm`);
  box.append(bar);
  const size = () => {
    const side = Math.max(box.clientWidth, box.clientHeight);
    const shown = (item.size * item.mm) / STUDY_ZOOM; // millimetres along the longer side
    bar.style.width = `${(side * BAR_MM) / shown}px`;
  };
  state.resize = new ResizeObserver(size);
  state.resize.observe(box);
};

const acrossFor = (count) => (count <= 3 ? count : count <= 6 ? 3 : count <= 16 ? 4 : 5);

const buildViews = (state, content, { long, short }) => {
  const boxes = { long: long.map((i) => buildClip(state, content, i)), short: short.map((i) => buildClip(state, content, i)) };
  boxes.short.forEach((box, i) => {
    box.tabIndex = -1;
    box.addEventListener("click", () => choose(state, i));
  });
  const across = acrossFor(short.length || long.length);
  const views = el("div", { class: long.length && short.length ? "views both" : "views alone", style: `--across:${across}` },
    long.length ? el("div", { class: "long" }, ...boxes.long) : null,
    short.length ? el("div", { class: "short" }, ...boxes.short) : null);
  return [views, boxes];
};

const choose = (state, slice) => {
  state.chosen = slice;
  state.slices.forEach((box, i) => box.classList.toggle("chosen", i === slice));
  paint(state);
};

const lead = (state) => state.content.cine.short[state.chosen ?? -1]
  ?? state.content.cine.short[0] ?? state.content.cine.long[0] ?? null;

const paint = (state) => {
  // The controls follow the clock; called by the loop through a player of no picture.
  const { content, transport } = state;
  const fraction = fractionAt(transport.time(), content.beat);
  if (!state.dragging) state.scrub.value = Math.round(fraction * SCRUB_STEPS);
  state.scrub.style.setProperty("--done", `${(fraction * 100).toFixed(1)}%`);
  const clip = lead(state);
  if (!clip) return;
  const phase = phaseAt(clip.starts, fraction);
  const at = content.known ? ` · ${Math.round(clip.starts[phase] * content.beat)} ms` : "";
  const slice = state.chosen === null ? "" : `slice ${state.chosen + 1} · `;
  const words = `${slice}phase ${phase + 1} of ${clip.phases}${at}`;
  if (state.readout.textContent !== words) state.readout.textContent = words;
};

const step = (state, by) => {
  const clip = lead(state);
  if (!clip) return;
  state.transport.pause();
  const { beat } = state.content;
  const phase = phaseAt(clip.starts, fractionAt(state.transport.held, beat));
  const next = (phase + by + clip.phases) % clip.phases;
  state.transport.seek(clip.starts[next] * beat);
  refresh(state);
};

const refresh = (state) => {
  const { playing } = state.transport;
  state.play.replaceChildren(icon(playing ? "pause" : "play_arrow"));
  state.play.setAttribute("aria-label", playing ? "Pause" : "Play");
  paint(state);
  pageLoop().wake();
};

const toggle = (state) => {
  state.transport.toggle();
  refresh(state);
};

const buildControls = (state, content) => {
  const button = (name, label, act, kind) => {
    const made = el("button", { class: `button ${kind}`, type: "button", "aria-label": label }, icon(name));
    made.addEventListener("click", act);
    return made;
  };
  state.play = button("pause", "Pause", () => toggle(state), "primary");
  state.scrub = el("input", { type: "range", min: 0, max: SCRUB_STEPS, value: 0, "aria-label": "Phase of the beat" });
  state.scrub.addEventListener("input", () => {
    state.dragging = true;
    state.transport.pause();
    state.transport.seek((Math.min(state.scrub.value, SCRUB_STEPS - 1) / SCRUB_STEPS) * content.beat);
    refresh(state);
  });
  state.scrub.addEventListener("change", () => { state.dragging = false; });
  state.readout = el("span", { class: "readout", role: "status", "aria-live": "off" });
  const mark = el("span", { class: "mark", style: "left:6px" }, el("span", {}, "ED"));
  return el("div", { class: "controls" },
    state.play,
    button("skip_previous", "Previous phase", () => step(state, -1), "plain"),
    button("skip_next", "Next phase", () => step(state, 1), "plain"),
    el("span", { class: "scrub" }, mark, state.scrub),
    state.readout,
    el("span", { class: "quiet", title: content.rateNote }, content.rate));
};

const buildPlayer = (state, content) => {
  const { cine, stills } = content;
  const parts = [];
  state.slices = [];
  if (cine.long.length + cine.short.length) {
    const [views, boxes] = buildViews(state, content, cine);
    state.slices = boxes.short;
    const scaled = boxes.short.length ? [boxes.short[0], cine.short[0]] : [boxes.long[0], cine.long[0]];
    addScale(state, ...scaled);
    parts.push(views, buildControls(state, content));
  }
  for (const group of stills) {
    const [views] = buildViews(state, content, group);
    parts.push(el("div", { class: "title" }, group.title), views);
  }
  return el("section", { class: "panel", "aria-label": "Player" }, ...parts);
};

const buildNear = (state, content) => {
  const cases = content.near.map((one) => {
    const [picture, player] = clipPicture(one.main, content, state.sheets, state.others, { zoom: STUDY_ZOOM, alt: one.main.label });
    if (player) state.players.push(player);
    const link = el("a", { href: queryString(one.params) }, picture, el("span", {},
      el("b", {}, one.name), el("span", {}, one.facts),
      el("span", { class: "quiet" }, one.score),
      el("span", { class: "quiet", title: one.impression ?? "" }, one.impression ?? "No report")));
    link.addEventListener("click", (event) => {
      if (!isPlainClick(event)) return;
      event.preventDefault();
      state.trigger("open", one.study);
    });
    return link;
  });
  const all = el("button", { class: "button plain", type: "button" }, "More like this ", el("kbd", {}, "L"));
  all.addEventListener("click", () => state.trigger("like", content.study));
  return el("section", { class: "panel", "aria-label": "Nearest cases" },
    el("div", { class: "top" }, el("h2", {}, "Nearest cases"),
      el("span", { class: "quiet" }, content.nearNote), el("span", { class: "gap" }), all),
    cases.length ? el("div", { class: "near" }, ...cases)
      : el("div", { class: "hint" }, "No other study is indexed."));
};

const ARROWS = {
  ArrowLeft: (state) => step(state, -1),
  ArrowRight: (state) => step(state, 1),
  ArrowUp: (state) => choose(state, Math.max(0, (state.chosen ?? 0) - 1)),
  ArrowDown: (state) => choose(state, Math.min(state.slices.length - 1, (state.chosen ?? -1) + 1)),
};

const onKey = (state, event) => {
  const target = event.composedPath()[0];
  if (isTyping(event) || !isPlain(event)) return;
  if (target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key)) return;
  if (event.key === "Escape") state.trigger("back", true);
  else if (event.key === "l" || event.key === "L") state.trigger("like", state.content.study);
  else if (!state.play) return;
  else if (event.key === " ") toggle(state);
  else if (event.key in ARROWS && (state.slices.length || !/Up|Down/.test(event.key))) ARROWS[event.key](state);
  else return;
  event.preventDefault();
};

// Keeps the controls moving with the pictures, drawn by the same loop.
class Controls extends Player {
  constructor(canvas, state) {
    super(canvas, { phases: 2, starts: [0, 0.5] }, state.transport, { beat: state.content.beat });
    this.state = state;
    this.ready = true;
  }

  draw() {
    paint(this.state);
  }
}

const begin = (root) => {
  const state = { sheets: new Sheets(), players: [] };
  state.onKey = (event) => onKey(state, event);
  document.addEventListener("keydown", state.onKey);
  return state;
};

const close = (state) => {
  for (const player of state.players) player.close();
  state.players = [];
  state.resize?.disconnect();
};

export default function player({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".player");
  const state = keep(root, () => begin(root));
  const [content, body] = unpack(data);
  close(state);
  Object.assign(state, {
    content, trigger: setTriggerValue, transport: new Transport(), others: new Transport(),
    chosen: null, play: null, dragging: false,
  });
  state.sheets.take(content, body);
  root.replaceChildren(...(content.why ? [buildWhy(state, content)] : []),
    buildPlayer(state, content), buildNear(state, content));
  if (state.play) {
    const spot = el("canvas", { style: "position:absolute;width:1px;height:1px;opacity:0", "aria-hidden": "true" });
    state.play.after(spot);
    state.players.push(new Controls(spot, state));
    refresh(state);
  }
  return () => {
    document.removeEventListener("keydown", state.onKey);
    close(state);
    state.sheets.close();
    forget(root);
  };
}
