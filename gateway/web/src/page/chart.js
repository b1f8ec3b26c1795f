// Trades as a line over a heat map of resting shares. Keeps a bounded history for each instrument and draws it on a canvas.
"use strict";

const Chart = (() => {
  const COLUMNS_MAX = 900; // pictures kept for each instrument: a minute and a half
  const NEAR = 12; // steps of price from the best that are shown
  const histories = new Map();

  function history(symbol) {
    if (!histories.has(symbol)) histories.set(symbol, []);
    return histories.get(symbol);
  }

  // Takes one picture's instrument into the history.
  function add(instrument) {
    const columns = history(instrument.symbol);
    columns.push({ bids: instrument.bids, asks: instrument.asks, last: instrument.last });
    if (columns.length > COLUMNS_MAX) columns.splice(0, columns.length - COLUMNS_MAX);
  }

  function clear() {
    histories.clear();
  }

  // The prices that are shown: those near the touch, so that one far order does not flatten the rest.
  function range(columns, step) {
    let low = Infinity, high = -Infinity, most = 1;
    for (const column of columns) {
      for (const side of [column.bids, column.asks]) {
        for (const [price, shares] of side) {
          if (Math.abs(price - side[0][0]) > NEAR * step) break;
          low = Math.min(low, price);
          high = Math.max(high, price);
          most = Math.max(most, shares);
        }
      }
      if (column.last) {
        low = Math.min(low, column.last);
        high = Math.max(high, column.last);
      }
    }
    return { low, high, most };
  }

  function tick(columns) {
    let smallest = Infinity;
    const column = columns[columns.length - 1];
    for (const side of [column.bids, column.asks]) {
      for (let at = 1; at < side.length; at++) smallest = Math.min(smallest, Math.abs(side[at][0] - side[at - 1][0]));
    }
    return Number.isFinite(smallest) ? smallest : 100;
  }

  function draw(canvas, symbol, decimals) {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = colour("--ground");
    context.fillRect(0, 0, width, height);
    const right = width - 62;
    const columns = history(symbol).slice(-Math.max(1, Math.floor(right / 2)));
    const step = columns.length ? tick(columns) : 100;
    const { low, high, most } = range(columns, step);
    if (!(high > low)) {
      context.fillStyle = colour("--quiet");
      context.fillText("no book yet", 12, 22);
      return;
    }
    const y = (price) => 8 + (high + step - price) / (high - low + 2 * step) * (height - 16);
    const wide = right / Math.max(columns.length, 60);
    const tall = Math.max(2, y(low) - y(low + step) - 1);
    columns.forEach((column, at) => {
      for (const [side, name] of [[column.bids, "--bid"], [column.asks, "--ask"]]) {
        context.fillStyle = colour(name);
        for (const [price, shares] of side) {
          if (price < low || price > high) continue;
          context.globalAlpha = 0.08 + 0.6 * Math.sqrt(shares / most);
          context.fillRect(at * wide, y(price) - tall / 2, Math.ceil(wide), tall);
        }
      }
    });
    context.globalAlpha = 1;
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.5;
    context.beginPath();
    let drawn = false;
    columns.forEach((column, at) => {
      if (!column.last) return;
      if (drawn) context.lineTo((at + 0.5) * wide, y(column.last));
      else context.moveTo((at + 0.5) * wide, y(column.last));
      drawn = true;
    });
    context.stroke();
    context.fillStyle = colour("--quiet");
    context.font = "11px system-ui, sans-serif";
    const lines = 5;
    for (let line = 0; line <= lines; line++) {
      const price = low + Math.round((high - low) * line / lines / step) * step;
      context.fillText((price / 10000).toFixed(decimals), right + 8, y(price) + 4);
    }
  }

  return { add, clear, draw };
})();
