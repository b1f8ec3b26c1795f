// The console: shows pictures of the market as they come, or one of the past, and sends orders.
"use strict";

const at = (id) => document.getElementById(id);
const DECIMALS = 2;
const TAPE_ROWS = 40;

const state = {
  key: "",
  live: null, // the newest picture
  past: null, // the picture that is shown instead of it
  orders: [],
  symbol: null,
  playing: null,
  wanted: null, // the sequence number that is being asked for
  rates: { time: 0, commands: 0, messages: 0 },
  drawn: false,
};

// --- the address: the key goes into the session, the rest stays ---

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.get("key")) sessionStorage.setItem("rialto-key", given.get("key"));
  state.key = sessionStorage.getItem("rialto-key") || "";
  state.symbol = given.get("symbol") || state.symbol;
  const seq = Number(given.get("seq"));
  writeAddress(seq > 0 ? seq : null);
  if (seq > 0) rewind(seq);
}

function writeAddress(seq) {
  const said = new URLSearchParams();
  if (state.symbol) said.set("symbol", state.symbol);
  if (seq) said.set("seq", seq);
  history.replaceState(null, "", said.size ? "#" + said : location.pathname);
}

// --- the stream ---

function connect() {
  const socket = new WebSocket(`ws://${location.host}/api/v1/stream`);
  socket.onopen = () => state.key && socket.send(JSON.stringify({ key: state.key }));
  socket.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (told.picture) takePicture(told.picture);
    if (told.orders) {
      state.orders = told.orders;
      plan();
    }
  };
  socket.onclose = () => {
    say("broken", "no connection, trying again");
    setTimeout(connect, 1000);
  };
}

function takePicture(picture) {
  const now = performance.now();
  const seconds = (now - state.rates.time) / 1000;
  if (seconds >= 1) {
    if (state.rates.time) {
      at("commands-rate").textContent = Math.round((picture.commands - state.rates.commands) / seconds);
      at("messages-rate").textContent = Math.round((picture.feed.messages - state.rates.messages) / seconds);
    }
    state.rates = { time: now, commands: picture.commands, messages: picture.feed.messages };
  }
  state.live = picture;
  picture.instruments.forEach(Chart.add);
  at("scrub").max = picture.seq;
  if (!state.past) {
    at("scrub").value = picture.seq;
    say(picture.feed.trouble ? "broken" : "live", picture.feed.trouble || "live");
  }
  plan();
}

function say(kind, text) {
  at("state").className = kind;
  if (at("state").textContent !== text) at("state").textContent = text;
}

// --- the past ---

async function rewind(seq) {
  const busy = state.wanted !== null;
  state.wanted = seq;
  if (busy) return; // the newest wish is served when the answer under way has come
  while (state.wanted !== null) {
    const asked = state.wanted;
    const answer = await fetch(`/api/v1/at/${asked}`).catch(() => null);
    if (state.wanted === asked) state.wanted = null;
    if (!answer) return say("broken", "the past does not answer");
    const picture = await answer.json();
    if (!answer.ok) {
      stop();
      return say("broken", picture.detail);
    }
    if (state.leave) continue;
    state.past = picture;
    at("scrub").value = picture.seq;
    at("place").textContent = picture.seq;
    say("past", `at ${picture.seq}`);
    writeAddress(picture.seq);
    plan();
  }
  state.leave = false;
}

function goLive() {
  stop();
  state.leave = state.wanted !== null;
  state.past = null;
  at("place").textContent = "live";
  writeAddress(null);
  if (state.live) takePicture(state.live);
}

function stepBy(direction) {
  const here = state.past ? state.past.seq : state.live ? state.live.seq : 1;
  const last = state.live ? state.live.seq : here;
  const next = Math.min(last, Math.max(1, here + direction * Number(at("pace").value)));
  if (next >= last && direction > 0) return goLive();
  rewind(next);
}

function stop() {
  clearInterval(state.playing);
  state.playing = null;
  at("play").textContent = "Play";
}

function play() {
  if (state.playing) return stop();
  if (!state.past) stepBy(-10);
  at("play").textContent = "Pause";
  state.playing = setInterval(() => state.wanted === null && stepBy(1), 200);
}

// --- drawing: at most once a frame, whatever came meanwhile ---

function plan() {
  if (state.drawn) return;
  state.drawn = true;
  requestAnimationFrame(() => {
    state.drawn = false;
    draw();
  });
}

const price = (units) => (units / 10000).toFixed(DECIMALS);

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function draw() {
  const picture = state.past || state.live;
  if (!picture || !picture.instruments.length) return;
  if (!picture.instruments.some((one) => one.symbol === state.symbol)) state.symbol = picture.instruments[0].symbol;
  const one = picture.instruments.find((one) => one.symbol === state.symbol);
  at("seq").textContent = picture.seq;
  if (state.live) {
    at("day").textContent = state.live.day;
    at("sessions").textContent = state.live.sessions_up;
    at("gaps").textContent = `${state.live.feed.gaps} / ${state.live.feed.lost}`;
  }
  drawInstruments(picture);
  drawAuction(one);
  drawLadder(one);
  drawTape(picture);
  drawOrders();
  drawTicket();
  if (state.live) drawVenue(state.live);
  at("ladder-title").textContent = `Depth of ${state.symbol}`;
  Chart.draw(at("chart"), state.symbol, DECIMALS);
}

// Rows are made once and changed in place, so that what has the focus keeps it.
function drawInstruments(picture) {
  const body = at("instruments");
  picture.instruments.forEach((one, index) => {
    const row = body.rows[index] || instrumentRow(body);
    const [name, bid, ask, last, changed] = row.cells;
    const [button, badge] = name.children;
    row.dataset.symbol = one.symbol;
    row.setAttribute("aria-selected", one.symbol === state.symbol);
    tell(button, one.symbol);
    tell(badge, one.phase === "trading" ? "" : one.phase, one.phase === "trading" ? "" : "badge");
    tell(bid, one.bids.length ? price(one.bids[0][0]) : "–", "bid");
    tell(ask, one.asks.length ? price(one.asks[0][0]) : "–", "ask");
    tell(last, one.last === null ? "–" : price(one.last));
    const change = one.change || 0;
    tell(changed, one.change === null ? "–" : (change > 0 ? "+" : "") + price(change), change > 0 ? "up" : change < 0 ? "down" : "");
  });
  while (body.rows.length > picture.instruments.length) body.deleteRow(-1);
}

function instrumentRow(body) {
  const row = body.insertRow();
  const button = document.createElement("button");
  button.type = "button";
  row.insertCell().append(button, document.createElement("span"));
  for (let column = 1; column < 5; column++) row.insertCell();
  row.onclick = () => choose(row.dataset.symbol);
  return row;
}

function tell(element, text, kind = "") {
  if (element.textContent !== text) element.textContent = text;
  if (element.className !== kind) element.className = kind;
}

function drawAuction(one) {
  const line = at("auction");
  line.hidden = !one.auction;
  if (!one.auction) return;
  const { price: at_price, paired, imbalance, side } = one.auction;
  const left = side ? `${imbalance} to ${side} left over` : "no imbalance";
  const text = paired ? `Would cross ${paired} at ${price(at_price)}, ${left}` : "Nothing would cross yet";
  if (line.textContent !== text) line.textContent = text;
}

function drawVenue(picture) {
  const doors = at("doors");
  doors.replaceChildren();
  for (const door of picture.doors) {
    const row = doors.insertRow();
    for (const text of [door.door, door.sessions_up, door.frames_in, door.frames_out, door.commands, door.rejects, door.held_back]) cell(row, text);
  }
  const body = at("subscribers");
  body.replaceChildren();
  for (const one of picture.subscribers) {
    const row = body.insertRow();
    for (const text of [one.user, one.full ? "full" : "conflated", one.behind, one.conflated, one.resyncs, one.missed_trades, `${Math.ceil(one.memory_bytes / 1024)} kB`]) cell(row, text);
  }
  if (!picture.subscribers.length) {
    const none = cell(body.insertRow(), "nobody: try rialto md tail --via quic", "quiet");
    none.colSpan = 7;
  }
}

function drawLadder(one) {
  const own = new Map();
  for (const order of state.past ? [] : state.orders) {
    if (order.symbol === one.symbol && order.open > 0 && order.price !== null) {
      const name = order.side + Math.round(Number(order.price) * 10000);
      own.set(name, (own.get(name) || 0) + order.open);
    }
  }
  const most = Math.max(1, ...one.bids.map((l) => l[1]), ...one.asks.map((l) => l[1]));
  const body = at("ladder");
  body.replaceChildren();
  const line = ([units, shares], side) => {
    const row = body.insertRow();
    const mine = own.get((side === "bid" ? "buy" : "sell") + units) || "";
    cell(row, side === "bid" ? mine : "", "own");
    const bid = cell(row, "", side === "bid" ? "bid" : "");
    cell(row, price(units), "price " + side);
    const ask = cell(row, "", side === "ask" ? "ask" : "");
    cell(row, side === "ask" ? mine : "", "own");
    const here = side === "bid" ? bid : ask;
    const bar = document.createElement("span");
    bar.className = "bar";
    bar.style.width = `${100 * shares / most}%`;
    const size = document.createElement("span");
    size.className = "size";
    size.textContent = shares;
    here.append(bar, size);
    row.onclick = () => { at("price").value = price(units); };
  };
  one.asks.slice().reverse().forEach((level) => line(level, "ask"));
  const row = body.insertRow();
  row.className = "spread";
  const middle = row.insertCell();
  middle.colSpan = 5;
  middle.textContent = one.bids.length && one.asks.length ? `spread ${price(one.asks[0][0] - one.bids[0][0])}` : "one side is empty";
  one.bids.forEach((level) => line(level, "bid"));
}

function clock(ns) {
  const ms = Math.floor(ns / 1e6);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(Math.floor(ms / 3600000))}:${two(Math.floor(ms / 60000) % 60)}:${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`;
}

function drawTape(picture) {
  const body = at("tape");
  body.replaceChildren();
  for (const trade of picture.trades.slice(-TAPE_ROWS).reverse()) {
    const row = body.insertRow();
    cell(row, clock(trade.time_ns));
    cell(row, trade.symbol);
    cell(row, price(trade.price), trade.taker === "buy" ? "up" : "down");
    cell(row, trade.shares);
  }
}

function drawOrders() {
  const body = at("orders");
  if (!state.orders.length || body.contains(document.activeElement)) return;
  body.replaceChildren();
  for (const order of state.orders.slice().reverse()) {
    const row = body.insertRow();
    const number = document.createElement("button");
    number.type = "button";
    number.textContent = order.order;
    number.title = "The journey of this order";
    number.onclick = () => { number.blur(); Office.open({ session: order.session, user_ref: order.order }); };
    row.insertCell().append(number);
    cell(row, order.side, order.side === "buy" ? "bid" : "ask");
    cell(row, order.quantity);
    cell(row, order.symbol);
    cell(row, order.price === null ? "any" : Number(order.price).toFixed(DECIMALS));
    cell(row, order.executed);
    cell(row, order.reason && order.state === "rejected" ? `rejected: ${order.reason}` : order.state);
    const last = row.insertCell();
    if (order.open > 0) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Cancel";
      button.setAttribute("aria-label", `Cancel order ${order.order}`);
      button.onclick = () => { button.blur(); ask("DELETE", `/api/v1/orders/${order.order}`); };
      last.append(button);
    }
  }
}

function drawTicket() {
  const side = new FormData(at("ticket")).get("side");
  const text = `${side === "buy" ? "Buy" : "Sell"} ${state.symbol}`;
  if (at("send").textContent !== text) at("send").textContent = text;
  at("send").className = side === "buy" ? "bid" : "ask";
}

// --- what a person does ---

function choose(symbol) {
  state.symbol = symbol;
  writeAddress(state.past ? state.past.seq : null);
  plan();
}

async function ask(method, path, body) {
  const answer = at("answer");
  answer.className = "";
  answer.textContent = "sent";
  const got = await fetch(path, {
    method,
    headers: { "X-Rialto-Key": state.key, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  }).catch(() => null);
  if (!got) {
    answer.className = "bad";
    answer.textContent = "the exchange does not answer";
    return;
  }
  const told = await got.json();
  answer.className = got.ok ? "good" : "bad";
  answer.textContent = got.ok ? `order ${told.order}: ${told.state}${told.executed ? `, ${told.executed} done` : ""}` : `${told.detail}: ${told.mend}`;
}

at("ticket").onsubmit = (event) => {
  event.preventDefault();
  const form = new FormData(at("ticket"));
  const limit = String(form.get("price")).trim();
  ask("POST", "/api/v1/orders", {
    symbol: state.symbol,
    side: form.get("side"),
    quantity: Number(form.get("quantity")),
    price: limit === "" ? null : limit,
    tif: form.get("tif"),
  });
};
at("ticket").onchange = plan;
at("scrub").oninput = () => { stop(); state.leave = false; rewind(Number(at("scrub").value)); };
at("live").onclick = goLive;
at("play").onclick = play;
at("help").onclick = () => at("keys").showModal();

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  localStorage.setItem("rialto-theme", dark ? "dark" : "light");
  plan();
}
at("theme").onclick = () => theme(document.documentElement.dataset.theme !== "dark");

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "range" && event.target.type !== "radio";
  if (event.key === "Escape" && !at("keys").open && !at("journey").open) { event.target.blur(); return goLive(); }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || at("keys").open || at("journey").open) return;
  const picture = state.past || state.live;
  const side = { b: "buy", s: "sell" }[event.key];
  if (/^[1-9]$/.test(event.key) && picture && picture.instruments[event.key - 1]) choose(picture.instruments[event.key - 1].symbol);
  else if (side) {
    document.querySelector(`input[name="side"][value="${side}"]`).checked = true;
    at("quantity").focus();
    at("quantity").select();
    plan();
  } else if (event.key === "ArrowLeft") stepBy(-1);
  else if (event.key === "ArrowRight") { if (state.past) stepBy(1); }
  else if (event.key === " " && event.target.tagName !== "BUTTON") play();
  else if (event.key === "j") Office.open(null);
  else if (event.key === "t") theme(document.documentElement.dataset.theme !== "dark");
  else if (event.key === "?") at("keys").showModal();
  else return;
  event.preventDefault();
});

const kept = localStorage.getItem("rialto-theme");
theme(kept ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
addEventListener("resize", plan);
readAddress();
connect();
