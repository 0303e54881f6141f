// Why this study: a clip that plays under a map of what mattered, its views, its phases.
// Triggers: "why" with a clip to look into, or with "" to leave.

const WHY_ZOOM = 1.2;
const BYTE = 127;

// A map as a small picture that the player stretches over its own: colour says for or against,
// cover says how much.
const heatOf = ({ map, size, colours, strongest }) => {
  const canvas = el("canvas", { width: size, height: size });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(size, size);
  map.forEach((value, i) => {
    picture.data.set(colours[value > 0 ? 0 : 1], 4 * i);
    picture.data[4 * i + 3] = Math.round((255 * strongest * Math.abs(value)) / BYTE);
  });
  context.putImageData(picture, 0, 0);
  return canvas;
};

// Bars below the beat: each as wide as its phases are long.
const phaseBars = (why) => {
  const edge = (phase) => (phase < why.tile.starts.length ? why.tile.starts[phase] : 1);
  return why.groups.map((group) => {
    const bar = el("i", {
      class: group.share < 0 ? "against" : "for", title: group.title,
      style: `left:${100 * edge(group.from)}%;width:${100 * (edge(group.to) - edge(group.from))}%`,
    });
    bar.append(el("b", { style: `height:${Math.round(100 * Math.abs(group.share))}%` }));
    return bar;
  });
};

const whyViews = (state, why) => el("table", { class: "whyviews" },
  el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "View"), el("th", {}), el("th", { scope: "col" }, "Match"))),
  el("tbody", {}, ...why.views.map((view) => {
    const look = el("button", {
      type: "button", class: "look", "aria-pressed": view.on ? "true" : "false",
      title: `Look into the best of ${view.count}`,
    }, view.label);
    look.addEventListener("click", () => state.trigger("why", view.clip));
    return el("tr", { class: view.on ? "on" : null },
      el("th", { scope: "row" }, look),
      el("td", {}, el("span", { class: "bar" }, el("i", { style: `width:${100 * view.share}%` }))),
      el("td", {}, view.score));
  })));

// The signs are those of a card's note.
const SAID_ICONS = { against: "warning", open: "help", agrees: "check" };

const whySaid = (said) => el("div", { class: "said" }, el("h3", {}, "Report"),
  ...said.map((one) => el("p", { class: one.kind }, icon(SAID_ICONS[one.kind], true),
    el("span", {}, el("b", {}, one.text), one.sentence ? ` \u201c${one.sentence}\u201d` : ""))));

const buildWhy = (state, content) => {
  const { why } = content;
  const [box, player] = clipPicture(why.tile, content, state.sheets, state.transport, {
    zoom: WHY_ZOOM, beat: content.beat, alt: `${why.tile.label}, with what mattered`,
  });
  box.append(el("span", { class: "label" }, why.tile.label));
  const map = why.map.length && player ? heatOf(why) : null;
  const cover = el("input", { type: "checkbox", checked: true });
  if (player) {
    player.overlay = map;
    state.players.push(player);
    cover.addEventListener("change", () => player.cover(cover.checked ? map : null));
  }
  const leave = el("button", { class: "button plain", type: "button", "aria-label": "Close why" }, icon("close", true));
  leave.addEventListener("click", () => state.trigger("why", ""));
  const bars = phaseBars(why);
  return el("section", { class: "panel why", "aria-label": "Why this study" },
    el("div", { class: "top" }, el("h2", {}, "Why this study"),
      el("span", { class: "quiet" }, why.carried), el("span", { class: "gap" }), leave),
    el("div", { class: "reasons" },
      el("div", { class: "seen" }, box,
        bars.length ? el("div", { class: "phases", role: "img", "aria-label": "What each group of phases mattered" }, ...bars) : null,
        bars.length ? el("span", { class: "quiet" }, "Phases of the beat: what hiding them costs") : null),
      el("div", { class: "told" },
        why.views.length ? whyViews(state, why)
          : el("p", { class: "quiet" }, "This encoder reads studies as a whole: its views have no match of their own."),
        map ? el("label", { class: "quiet" }, cover, " Map over the clip") : null,
        el("p", { class: "quiet" }, why.trouble || `${why.signs} ${why.scale}.`),
        why.said.length ? whySaid(why.said) : null)));
};
