// Trades as a line over a heat map of resting shares, with what was traded below. Keeps a bounded history for each instrument,
// in arrays that are made once, and draws it on a canvas.
"use strict";

const Chart = (() => {
  const COLUMNS_MAX = 900; // pictures kept for each instrument: a minute and a half
  const LEVELS = 12; // a side, of each picture
  const INSTRUMENTS_MAX = 64; // beyond it whoever was added first is forgotten
  const NEAR = 12; // steps of price from the best that are shown
  const VOLUMES = 0.16; // of the height

  // A ring of columns. A level without shares is none.
  class History {
    constructor() {
      this.seqs = new Float64Array(COLUMNS_MAX);
      this.times = new Float64Array(COLUMNS_MAX); // when it came to this page, in milliseconds
      this.lasts = new Uint32Array(COLUMNS_MAX);
      this.volumes = new Float64Array(COLUMNS_MAX);
      this.prices = new Uint32Array(COLUMNS_MAX * LEVELS * 2); // bids, then asks
      this.shares = new Float32Array(COLUMNS_MAX * LEVELS * 2);
      this.first = 0;
      this.length = 0;
    }

    place(index) {
      return (this.first + index) % COLUMNS_MAX;
    }

    push(seq, one) {
      if (this.length === COLUMNS_MAX) this.first = (this.first + 1) % COLUMNS_MAX;
      else this.length++;
      const at = this.place(this.length - 1);
      this.seqs[at] = seq;
      this.times[at] = performance.now();
      this.lasts[at] = one.last || 0;
      this.volumes[at] = one.volume;
      const levels = at * LEVELS * 2;
      for (let level = 0; level < LEVELS; level++) {
        const bid = one.bids[level], ask = one.asks[level];
        this.prices[levels + level] = bid ? bid[0] : 0;
        this.shares[levels + level] = bid ? bid[1] : 0;
        this.prices[levels + LEVELS + level] = ask ? ask[0] : 0;
        this.shares[levels + LEVELS + level] = ask ? ask[1] : 0;
      }
    }

    newest() {
      return this.length ? this.seqs[this.place(this.length - 1)] : 0;
    }
  }

  const live = new Map();
  const past = { symbol: null, history: new History() };

  // Takes one picture's instrument into the history of now.
  function add(seq, one) {
    let history = live.get(one.symbol);
    if (!history) {
      if (live.size === INSTRUMENTS_MAX) live.delete(live.keys().next().value);
      live.set(one.symbol, history = new History());
    }
    history.push(seq, one);
  }

  // The way to a place in the past, as the exchange tells it.
  function load(told) {
    past.symbol = told.symbol;
    past.history.length = 0;
    told.columns.forEach((one) => past.history.push(one.seq, one));
  }

  // A step on from there; false where the way to it is not known.
  function step(seq, one, most) {
    const from = past.history.newest();
    if (past.symbol !== one.symbol || seq < from || seq > from + most) return false;
    if (seq > from) past.history.push(seq, one);
    return true;
  }

  // The prices that are shown: those near the touch, so that one far order does not flatten the rest.
  function range(history, from, step) {
    let low = Infinity, high = -Infinity, most = 1;
    for (let index = from; index < history.length; index++) {
      const at = history.place(index);
      for (let side = 0; side < 2; side++) {
        const levels = at * LEVELS * 2 + side * LEVELS;
        const best = history.prices[levels];
        for (let level = levels; level < levels + LEVELS && history.shares[level]; level++) {
          const price = history.prices[level];
          if (Math.abs(price - best) > NEAR * step) break;
          low = Math.min(low, price);
          high = Math.max(high, price);
          most = Math.max(most, history.shares[level]);
        }
      }
      const last = history.lasts[at];
      if (last) {
        low = Math.min(low, last);
        high = Math.max(high, last);
      }
    }
    return { low, high, most };
  }

  function tick(history) {
    const levels = history.place(history.length - 1) * LEVELS * 2;
    let smallest = Infinity;
    for (let level = levels; level < levels + 2 * LEVELS - 1; level++) {
      if (level === levels + LEVELS - 1 || !history.shares[level] || !history.shares[level + 1]) continue;
      smallest = Math.min(smallest, Math.abs(history.prices[level + 1] - history.prices[level]));
    }
    return Number.isFinite(smallest) && smallest > 0 ? smallest : 100;
  }

  // A step between labels of 1, 2 or 5 times a power of ten ticks, so that at most `most` of them fit.
  function labelStep(span, tick, most) {
    for (let unit = tick; ; unit *= 10) {
      for (const times of [1, 2, 5]) if (span / (unit * times) <= most) return unit * times;
    }
  }

  const NONE = new History();

  function draw(canvas, symbol, decimals, rewound) {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = colour("--ground");
    context.fillRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    const right = width - 58;
    const history = rewound ? (past.symbol === symbol ? past.history : NONE) : live.get(symbol) || NONE;
    const from = rewound ? 0 : Math.max(0, history.length - Math.floor(right / 2));
    const count = history.length - from;
    const step = count ? tick(history) : 100;
    const { low, high, most } = range(history, from, step);
    if (!(high >= low)) {
      context.fillStyle = colour("--quiet");
      context.fillText(rewound ? "reading the journal" : "no book yet", 12, 22);
      return;
    }
    // Now goes by time, the past by sequence number.
    const begun = history.seqs[history.place(from)], span = Math.max(1, history.newest() - begun);
    const x = rewound && count > 1
      ? (index) => (history.seqs[history.place(index)] - begun) / span * right * count / (count + 1)
      : (index) => (index - from) * right / Math.max(count, 60);
    const end = (index) => index + 1 < history.length ? x(index + 1) : x(index) + right / Math.max(count + 1, 60);
    const tall = height * (1 - VOLUMES) - 12;
    const y = (price) => 6 + (high + step - price) / (high - low + 2 * step) * tall;
    const thick = Math.max(2, y(low) - y(low + step) - 1);

    const unit = labelStep(high - low + 2 * step, step, Math.max(2, Math.floor(tall / 34)));
    const labels = [];
    for (let price = Math.ceil((low - step / 2) / unit) * unit; price <= high + step / 2; price += unit) labels.push(price);
    context.strokeStyle = colour("--line");
    context.lineWidth = 1;
    context.beginPath();
    for (const price of labels) {
      context.moveTo(0, Math.round(y(price)) + 0.5);
      context.lineTo(right, Math.round(y(price)) + 0.5);
    }
    context.stroke();

    for (const [side, name] of ["--bid", "--ask"].entries()) {
      context.fillStyle = colour(name);
      for (let index = from; index < history.length; index++) {
        const levels = history.place(index) * LEVELS * 2 + side * LEVELS;
        const left = Math.round(x(index)), wide = Math.max(1, Math.round(end(index)) - left);
        for (let level = levels; level < levels + LEVELS && history.shares[level]; level++) {
          const price = history.prices[level];
          if (price < low || price > high) continue;
          context.globalAlpha = 0.1 + 0.6 * Math.sqrt(history.shares[level] / most);
          context.fillRect(left, y(price) - thick / 2, wide, thick);
        }
      }
    }
    context.globalAlpha = 1;
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.beginPath();
    let before = 0;
    for (let index = from; index < history.length; index++) {
      const last = history.lasts[history.place(index)];
      if (!last) continue;
      if (before) context.lineTo(x(index), y(last));
      else context.moveTo(x(index), y(last));
      context.lineTo(end(index), y(last));
      before = last;
    }
    context.stroke();
    volumes(context, history, from, { x, end, height, colour });

    context.fillStyle = colour("--quiet");
    for (const price of labels) context.fillText((price / 10000).toFixed(decimals), right + 8, y(price) + 4);
    const seconds = Math.round((history.times[history.place(history.length - 1)] - history.times[history.place(from)]) / 1000);
    context.fillText(`${rewound ? "" : `last ${seconds} s: `}command ${begun} to ${history.newest()}`, 6, 14);
    const last = history.lasts[history.place(history.length - 1)];
    if (!last) return;
    context.fillStyle = colour("--accent");
    context.fillRect(right + 2, y(last) - 9, width - right - 2, 18);
    context.fillStyle = colour("--panel");
    context.fillText((last / 10000).toFixed(decimals), right + 8, y(last) + 4);
  }

  // What was traded between two pictures.
  function volumes(context, history, from, { x, end, height, colour }) {
    const traded = (index) => Math.max(0, history.volumes[history.place(index)] - history.volumes[history.place(index - 1)]);
    let most = 1;
    for (let index = from + 1; index < history.length; index++) most = Math.max(most, traded(index));
    context.fillStyle = colour("--quiet");
    context.globalAlpha = 0.7;
    for (let index = from + 1; index < history.length; index++) {
      const tall = traded(index) / most * (height * VOLUMES - 4);
      if (tall > 0) context.fillRect(x(index), height - tall, Math.max(1, end(index) - x(index) - 0.5), tall);
    }
    context.globalAlpha = 1;
  }

  return { add, load, step, draw, past: () => past };
})();
