// Playing hearts: one clock, one animation loop for the page, clips drawn from sprite sheets.
// A clip's place in its beat is a fraction: 0 at its first phase, the next beat at 1.

// The only place that reads the time; a test may put its own clock here.
const readClock = () => (globalThis.cineseekClock ? globalThis.cineseekClock() : performance.now());

const ROUNDING = 1e-6; // one whole beat later must be the first phase again, not the last

const stillPreferred = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

class Transport {
  // Time that can be held and moved, in milliseconds.
  constructor() {
    this.playing = !stillPreferred();
    this.held = 0;
    this.shift = 0;
  }

  time() {
    return this.playing ? readClock() - this.shift : this.held;
  }

  seek(time) {
    this.held = time;
    this.shift = readClock() - time;
  }

  play() {
    this.shift = readClock() - this.held;
    this.playing = true;
  }

  pause() {
    this.held = this.time();
    this.playing = false;
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
    pageLoop().wake();
  }
}

const fractionAt = (time, beat) => {
  const beats = time / beat + ROUNDING;
  return beats - Math.floor(beats);
};

const phaseAt = (starts, fraction) => {
  let phase = 0;
  while (phase + 1 < starts.length && starts[phase + 1] <= fraction + ROUNDING) phase += 1;
  return phase;
};

class Loop {
  // Draws every player that is on screen, once per display frame, and rests when none is.
  constructor() {
    this.players = new Set();
    this.scheduled = false;
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) entry.target.cineseekPlayer.seen = entry.isIntersecting;
      this.wake();
    });
  }

  add(player) {
    player.canvas.cineseekPlayer = player;
    this.players.add(player);
    this.observer.observe(player.canvas);
  }

  remove(player) {
    this.players.delete(player);
    this.observer.unobserve(player.canvas);
  }

  wake() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.tick());
  }

  tick() {
    this.scheduled = false;
    let moving = false;
    for (const player of this.players) {
      if (!player.seen) continue;
      player.draw();
      moving ||= player.transport.playing && player.ready && player.tile.phases > 1;
    }
    if (moving) this.wake();
  }
}

// Two components on one page share one loop.
const pageLoop = () => (globalThis.cineseekLoop ??= new Loop());

class Player {
  // One canvas that shows one clip. `tile` is what webui.sheets.tile says of it.
  constructor(canvas, tile, transport, { zoom = 1, beat = null, bar = null } = {}) {
    Object.assign(this, { canvas, tile, transport, zoom, bar });
    this.beat = beat ?? tile.beat;
    this.seen = false;
    this.ready = false;
    this.drawn = "";
    this.overlay = null;
    this.context = canvas.getContext("2d", { alpha: false });
    pageLoop().add(this);
  }

  show(bitmap) {
    this.bitmap = bitmap;
    this.ready = true;
    this.drawn = "";
    pageLoop().wake();
  }

  draw() {
    if (!this.ready) return;
    const fraction = fractionAt(this.transport.time(), this.beat);
    if (this.bar) this.bar.style.transform = `scaleX(${fraction.toFixed(4)})`;
    const scale = Math.min(globalThis.devicePixelRatio || 1, 2);
    const width = Math.max(1, Math.round(this.canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(this.canvas.clientHeight * scale));
    const phase = phaseAt(this.tile.starts, fraction);
    const wanted = `${phase} ${width} ${height}`;
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.paint(phase, width, height);
    this.canvas.dataset.phase = phase;
  }

  paint(phase, width, height) {
    const { size, columns } = this.tile;
    let across = size / this.zoom;
    let down = across;
    if (width > height) down = (across * height) / width;
    else across = (down * width) / height;
    const left = (phase % columns) * size + (size - across) / 2;
    const top = Math.floor(phase / columns) * size + (size - down) / 2;
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(this.bitmap, left, top, across, down, 0, 0, width, height);
    if (!this.overlay) return;
    const share = this.overlay.width / size; // it covers what one tile covers
    const [x, y] = [(size - across) / 2, (size - down) / 2];
    this.context.drawImage(this.overlay, x * share, y * share, across * share, down * share, 0, 0, width, height);
  }

  // Lay a picture of one tile's extent over every phase, or none.
  cover(overlay) {
    this.overlay = overlay;
    this.drawn = "";
    pageLoop().wake();
  }

  close() {
    pageLoop().remove(this);
  }
}

class Sheets {
  // Decoded sprite sheets by clip; one that stays on the page is decoded once.
  constructor() {
    this.bitmaps = new Map();
  }

  take(content, body) {
    for (const [clip, bitmap] of this.bitmaps) {
      if (clip in content.sheets) continue;
      this.bitmaps.delete(clip);
      bitmap.then((b) => b.close());
    }
    for (const [clip, [offset, length]] of Object.entries(content.sheets)) {
      if (this.bitmaps.has(clip)) continue;
      const jpeg = new Blob([body.slice(offset, offset + length)], { type: "image/jpeg" });
      this.bitmaps.set(clip, createImageBitmap(jpeg));
    }
  }

  get(clip) {
    return this.bitmaps.get(clip);
  }

  close() {
    for (const bitmap of this.bitmaps.values()) bitmap.then((b) => b.close());
    this.bitmaps.clear();
  }
}

const unpack = (message) => {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const end = 4 + view.getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(message.subarray(4, end)));
  return [content, message.subarray(end)];
};

// A picture with its labels. Returns [element, player or null].
const clipPicture = (tile, content, sheets, transport, options = {}) => {
  const canvas = el("canvas", { role: "img", "aria-label": options.alt ?? tile.label ?? "" });
  canvas.dataset.clip = tile.clip;
  const box = el("span", { class: "clip" }, canvas);
  const lost = content.lost[tile.clip];
  if (lost) {
    box.append(el("span", { class: "lost", title: lost }, "picture lost"));
    return [box, null];
  }
  let bar = null;
  if (options.bar) {
    bar = el("i");
    box.append(el("span", { class: "phase", "aria-hidden": "true" }, bar));
  }
  const player = new Player(canvas, tile, transport, { zoom: options.zoom, beat: options.beat, bar });
  sheets.get(tile.clip).then((bitmap) => player.show(bitmap));
  return [box, player];
};
