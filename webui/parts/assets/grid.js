// The result cards. Triggers: "open" and "like" with a study, "page" with a number.

const CARD_ZOOM = 1.12; // of the 200 mm a sheet shows, so that the heart fills the picture

const NOTE_ICONS = { against: "warning", open: "help", agrees: "check" };

const noteOf = ({ note, evidence }) =>
  el("span", { class: `evidence ${note.kind ?? ""}`, title: evidence },
    ...(note.kind ? [icon(NOTE_ICONS[note.kind], true)] : []),
    el("span", { class: "words" }, note.text ?? evidence));

const READ = "How well images tell this on this archive, measured on its own reports";

const beliefOf = (belief) => {
  const fill = el("span", { class: "fill", style: `width:${(belief.share * 100).toFixed(1)}%` });
  return el("span", { class: "belief", title: belief.title },
    el("span", { class: "name" }, belief.word), belief.percent, el("span", { class: "bar" }, fill));
};

const badgeOf = (belief) =>
  el("span", { class: "steps", role: "img", title: `${READ}: ${belief.badge}`, "aria-label": `images: ${belief.badge}` },
    ...[1, 2, 3].map((step) => el("span", { class: step <= belief.steps ? "step on" : "step" })));

// Repeat scans: a button on the card that unfolds what lies under it. It and what it shows stand
// beside the card's link, never inside, so that each can be reached and named by itself.
const buildFurther = (state, card) => {
  const ones = card.further.map((one) => {
    const row = el("a", { class: "one", href: queryString(one.params), title: one.title }, one.text);
    row.addEventListener("click", (event) => {
      if (!isPlainClick(event)) return;
      event.preventDefault();
      state.trigger("open", one.study);
    });
    return row;
  });
  const list = el("div", { class: "further", role: "group", "aria-label": card.furtherNote, hidden: true }, ...ones);
  const mark = icon("expand_more", true);
  const unfold = el("button", {
    class: "unfold", type: "button", tabindex: "-1", title: `${card.furtherNote} (U)`, "aria-expanded": "false",
    "aria-label": `${card.furtherNote}, under result ${card.rank}`,
  }, card.furtherName, mark);
  unfold.addEventListener("click", () => {
    list.hidden = !list.hidden;
    unfold.setAttribute("aria-expanded", String(!list.hidden));
    mark.textContent = list.hidden ? "expand_more" : "expand_less";
  });
  return [unfold, list];
};

const buildCard = (state, card, content) => {
  const picture = (tile, options) => {
    const [box, player] = clipPicture(tile, content, state.sheets, state.transport,
      { zoom: CARD_ZOOM, ...options });
    if (player) state.players.push(player);
    return box;
  };
  const main = picture(card.main, { bar: true, alt: `${card.main.label}, study ${card.name}` });
  const phases = card.main.phases === 1 ? "still" : `${card.main.phases} phases`;
  const rate = card.main.bpm ? `${card.main.bpm} bpm` : card.main.phases > 1 ? "rate not given" : "";
  main.append(
    el("span", { class: "label" }, card.main.label),
    el("span", { class: "label low" }, rate),
    el("span", { class: "label low right" }, phases),
  );
  const strip = card.strip.map((slot) => {
    if (!slot.clip) {
      return el("span", { class: "clip" },
        el("span", { class: "label none" }, slot.label, el("br"), "none"));
    }
    const box = picture(slot, {});
    box.append(el("span", { class: "label" }, slot.label));
    return box;
  });
  const like = el("button", {
    class: "button like", type: "button", tabindex: "-1", title: "More like this (L)",
    "aria-label": `More like study ${card.name}`,
  }, icon("search", true), "More like this");
  like.addEventListener("click", () => state.trigger("like", card.study));
  const [unfold, further] = card.further.length ? buildFurther(state, card) : [null, null];
  const link = el("a", {
    class: "card", href: queryString(card.params), tabindex: "-1", title: card.belief ? `Study ${card.name}` : null,
    "aria-label": `${card.rank}. Study ${card.name}, ${card.belief ? `${card.belief.word}, ${card.belief.percent}` : card.score || card.source}. ${card.facts}. ${card.impression ?? "No report"}`,
  },
    el("span", { class: "media" }, main, el("span", { class: "strip" }, ...strip)),
    el("span", { class: "text", style: "display:block" },
      el("span", { class: "line" },
        el("span", { class: "rank" }, `${card.rank}`),
        card.belief ? beliefOf(card.belief) : el("span", { class: "name" }, card.name),
        el("span", { class: "gap" }),
        ...(card.belief ? [badgeOf(card.belief)] : []),
        el("span", { class: "score", title: "Cosine between the words and the images; not a probability" },
          [card.belief ? "" : card.score, card.source].filter(Boolean).join(" · "))),
      el("span", { class: unfold ? "facts beside" : "facts", style: "display:block" }, card.facts),
      el("span", { class: card.impression ? "impression" : "impression missing" },
        card.impression ?? "No report"),
      noteOf(card)));
  link.dataset.study = card.study;
  link.addEventListener("click", (event) => {
    if (!isPlainClick(event)) return;
    event.preventDefault();
    state.trigger("open", card.study);
  });
  const face = el("div", { class: "face" }, link, unfold, like);
  const cell = el("div", { class: "cell" }, face, further);
  cell.addEventListener("focusin", () => select(state, link));
  return { cell, link, unfold };
};

// One card is a tab stop, and with it its button, if it has one.
const select = (state, link) => {
  for (const { link: other, unfold } of state.cards) {
    other.tabIndex = other === link ? 0 : -1;
    if (unfold) unfold.tabIndex = other.tabIndex;
  }
};

const buildPages = (state, { page, pages }) => {
  if (pages < 2) return [];
  const turn = (to, label, name) => {
    const button = el("button", { class: "button", type: "button", disabled: to < 1 || to > pages },
      icon(name, true), label);
    button.addEventListener("click", () => state.trigger("page", to));
    return button;
  };
  return [
    turn(page - 1, "Previous", "chevron_left"),
    el("span", {}, `Page ${page.toLocaleString("en")} of ${pages.toLocaleString("en")}`),
    turn(page + 1, "Next", "chevron_right"),
  ];
};

const columnsOf = (grid) => getComputedStyle(grid).gridTemplateColumns.split(" ").length;

const STEPS = {
  ArrowLeft: () => -1, ArrowRight: () => 1,
  ArrowUp: (grid) => -columnsOf(grid), ArrowDown: (grid) => columnsOf(grid),
};

const onKey = (state, event) => {
  if (isTyping(event) || !isPlain(event) || !state.links.length) return;
  const path = event.composedPath();
  const here = state.links.indexOf(path[0]);
  const onCard = here >= 0;
  const within = onCard ? null : state.cards.find(({ cell }) => path.includes(cell));
  if (within && event.key === "Escape") {
    within.link.focus();
    event.preventDefault();
    return;
  }
  const onPage = onCard || path[0] === document.body;
  if (!onPage) return;
  if (event.key in STEPS) {
    const to = onCard ? here + STEPS[event.key](state.grid) : 0;
    if (state.links[to]) state.links[to].focus();
  } else if (event.key === " ") {
    state.transport.toggle();
  } else if ((event.key === "l" || event.key === "L") && onCard) {
    state.trigger("like", state.links[here].dataset.study);
  } else if ((event.key === "u" || event.key === "U") && onCard) {
    state.cards[here].unfold?.click();
  } else if (event.key === "Escape" && onCard) {
    state.links[here].blur();
    return;
  } else {
    return;
  }
  event.preventDefault();
};

const start = (root, trigger) => {
  const grid = el("div", { class: "grid", "aria-label": "Results" });
  const pages = el("nav", { class: "pages", "aria-label": "Pages" });
  root.replaceChildren(grid, pages);
  const state = {
    grid, pages, trigger, sheets: new Sheets(), transport: new Transport(), players: [], cards: [], links: [],
  };
  state.onKey = (event) => onKey(state, event);
  document.addEventListener("keydown", state.onKey);
  return state;
};

export default function results({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".results");
  const state = keep(root, () => start(root, setTriggerValue));
  const [content, body] = unpack(data);
  for (const player of state.players) player.close();
  state.players = [];
  state.sheets.take(content, body);
  state.cards = content.cards.map((card) => buildCard(state, card, content));
  state.links = state.cards.map(({ link }) => link);
  state.grid.replaceChildren(...state.cards.map(({ cell }) => cell));
  state.pages.replaceChildren(...buildPages(state, content));
  const chosen = state.links.find((link) => link.dataset.study === content.selected);
  select(state, chosen ?? state.links[0]);
  if (chosen) chosen.focus();
  else if (state.page && state.page !== content.page) root.scrollIntoView({ block: "start" });
  state.page = content.page;
  return () => {
    document.removeEventListener("keydown", state.onKey);
    for (const player of state.players) player.close();
    state.sheets.close();
    forget(root);
  };
}
