// The console: shows pictures of the market as they come, or one of the past, and sends orders.
"use strict";

const at = (id) => document.getElementById(id);
const TAPE_ROWS = 40;
const LADDER_ROWS = 10; // a side, filled or not, so that nothing jumps

const state = {
  key: "",
  live: null, // the newest picture
  past: null, // the picture that is shown instead of it
  orders: [],
  symbol: null,
  playing: null,
  wanted: null, // the sequence number that is being asked for
  rates: { time: 0, commands: 0, messages: 0 },
  places: {}, // decimals of each instrument
  drawn: false,
  socket: null,
  undrawn: 0, // pictures that came since the last drawing
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
  else if (state.past) goLive();
  plan();
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
    if (told.picture) {
      takePicture(told.picture);
      state.undrawn++;
    }
    if (told.orders) {
      state.orders = told.orders;
      plan();
    }
  };
  state.socket = socket;
  state.undrawn = 0;
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
  picture.instruments.forEach((one) => Chart.add(picture.seq, one));
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
    chartPast(picture);
    at("scrub").value = picture.seq;
    at("place").textContent = picture.seq;
    say("past", `at ${picture.seq}`);
    writeAddress(picture.seq);
    plan();
  }
  state.leave = false;
}

// A step on is a column more; after a leap the exchange is asked for the way to there.
const STEP_MAX = 500;
async function chartPast(picture) {
  const one = picture.instruments.find((one) => one.symbol === state.symbol) || picture.instruments[0];
  if (!one || Chart.step(picture.seq, one, STEP_MAX)) return;
  const got = await fetch(`/api/v1/at/${picture.seq}/chart/${encodeURIComponent(one.symbol)}`).catch(() => null);
  if (!got || !got.ok || !state.past) return;
  const told = await got.json();
  if (state.past && state.past.seq >= told.seq && state.past.seq <= told.seq + STEP_MAX && state.symbol === told.symbol) Chart.load(told);
  plan();
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
    // The exchange sends no more than is drawn.
    for (; state.undrawn > 0; state.undrawn--) {
      if (state.socket.readyState === WebSocket.OPEN) state.socket.send('{"drawn":1}');
    }
  });
}

// As many decimals as the instrument's prices need.
function decimals(one) {
  const finer = (units) => units % 100 !== 0;
  return finer(one.last || 0) || one.bids.some((level) => finer(level[0])) || one.asks.some((level) => finer(level[0])) ? 4 : 2;
}

const price = (units, places = state.places[state.symbol] || 2) => (units / 10000).toFixed(places);

// A limit as it was asked for: with all its decimals, and no fewer than the instrument's.
function asked(limit, places) {
  const own = (String(limit).split(".")[1] || "").length;
  return Number(limit).toFixed(Math.max(own, places));
}

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function tell(element, text, kind = "") {
  text = String(text);
  if (element.textContent !== text) element.textContent = text;
  if (element.className !== kind) element.className = kind;
}

// Rows are made once and changed in place: what has the focus keeps it, and nothing is left for the collector. A cell is a text,
// or a text and its class.
function fill(body, rows) {
  rows.forEach((cells, index) => {
    const row = body.rows[index] || body.insertRow();
    cells.forEach((one, column) => {
      const made = row.cells[column] || row.insertCell();
      if (Array.isArray(one)) tell(made, one[0], one[1]);
      else tell(made, one);
    });
  });
  while (body.rows.length > rows.length) body.deleteRow(-1);
}

function draw() {
  const picture = state.past || state.live;
  if (!picture || !picture.instruments.length) return;
  if (!picture.instruments.some((one) => one.symbol === state.symbol)) state.symbol = picture.instruments[0].symbol;
  for (const one of picture.instruments) state.places[one.symbol] = decimals(one);
  const one = picture.instruments.find((one) => one.symbol === state.symbol);
  tell(at("seq"), picture.seq);
  if (state.live) {
    tell(at("day"), state.live.day);
    tell(at("sessions"), state.live.sessions_up);
    tell(at("gaps"), `${state.live.feed.gaps} / ${state.live.feed.lost}`);
  }
  drawInstruments(picture);
  drawAuction(one);
  drawLadder(one);
  drawTape(picture);
  drawOrders();
  drawTicket();
  if (state.live) drawVenue(state.live);
  tell(at("ladder-title"), `Depth of ${state.symbol}`);
  Chart.draw(at("chart"), state.symbol, state.places[state.symbol], state.past !== null);
}

function drawInstruments(picture) {
  const body = at("instruments");
  picture.instruments.forEach((one, index) => {
    const row = body.rows[index] || instrumentRow(body);
    const [name, bid, ask, last, changed] = row.cells;
    const [button, badge] = name.children;
    const places = state.places[one.symbol];
    row.dataset.symbol = one.symbol;
    row.setAttribute("aria-selected", one.symbol === state.symbol);
    tell(button, one.symbol);
    tell(badge, one.phase === "trading" ? "" : one.phase, one.phase === "trading" ? "" : "badge");
    tell(bid, one.bids.length ? price(one.bids[0][0], places) : "–", "bid");
    tell(ask, one.asks.length ? price(one.asks[0][0], places) : "–", "ask");
    tell(last, one.last === null ? "–" : price(one.last, places));
    const change = one.change || 0;
    tell(changed, one.change === null ? "–" : (change > 0 ? "+" : "") + price(change, places), change > 0 ? "up" : change < 0 ? "down" : "");
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

function drawAuction(one) {
  at("auction").hidden = !one.auction;
  if (!one.auction) return;
  const { price: at_price, paired, imbalance, side } = one.auction;
  const left = side ? `${imbalance} to ${side} left over` : "no imbalance";
  tell(at("auction-said"), paired ? `Would cross ${paired} at ${price(at_price)}, ${left}` : "Nothing would cross yet");
  const share = (shares) => `${100 * shares / Math.max(1, paired + imbalance)}%`;
  at("auction-paired").style.width = share(paired);
  at("auction-left").style.width = share(imbalance);
  tell(at("auction-left"), "", side === "buy" ? "bid" : "ask");
}

function drawVenue(picture) {
  fill(at("doors"), picture.doors.map((door) =>
    [door.door, door.sessions_up, door.frames_in, door.frames_out, door.commands, door.rejects, door.held_back]));
  fill(at("subscribers"), picture.subscribers.map((one) =>
    [one.user, one.full ? "full" : "conflated", one.behind, one.conflated, one.resyncs, one.missed_trades, `${Math.ceil(one.memory_bytes / 1024)} kB`]));
  at("no-subscribers").hidden = picture.subscribers.length > 0;
}

// What rests of one's own at each price, and how much stands before the first of it.
function ownLevels(symbol) {
  const own = new Map();
  for (const order of state.past ? [] : state.orders) {
    if (order.symbol !== symbol || order.open === 0 || order.price === null || order.state !== "live") continue;
    const name = order.side + Math.round(Number(order.price) * 10000);
    const level = own.get(name) || { open: 0, ahead: null };
    level.open += order.open;
    if (order.ahead !== null) level.ahead = Math.min(level.ahead ?? Infinity, order.ahead);
    own.set(name, level);
  }
  return own;
}

function ladderRow(body) {
  const row = body.insertRow();
  for (let column = 0; column < 5; column++) row.insertCell();
  for (const column of [1, 3]) {
    const bar = document.createElement("span"), size = document.createElement("span");
    bar.className = "bar";
    size.className = "size";
    row.cells[column].append(bar, size);
  }
  row.onclick = () => { if (row.dataset.price) at("price").value = row.dataset.price; };
  return row;
}

function drawLadder(one) {
  const own = ownLevels(one.symbol);
  const bids = one.bids.slice(0, LADDER_ROWS), asks = one.asks.slice(0, LADDER_ROWS);
  const most = Math.max(1, ...bids.map((level) => level[1]), ...asks.map((level) => level[1]));
  const body = at("ladder");
  while (body.rows.length < 2 * LADDER_ROWS + 1) {
    if (body.rows.length !== LADDER_ROWS) ladderRow(body);
    else {
      const middle = body.insertRow();
      middle.className = "spread";
      middle.insertCell().colSpan = 5;
    }
  }
  const line = (row, level, side) => {
    const [ownBid, bid, middle, ask, ownAsk] = row.cells;
    const mine = level && own.get((side === "bid" ? "buy" : "sell") + level[0]);
    const said = mine ? `${mine.open} / ${mine.ahead ?? "–"}` : "";
    row.dataset.price = level ? price(level[0]) : "";
    tell(ownBid, side === "bid" ? said : "", "own");
    tell(ownAsk, side === "ask" ? said : "", "own");
    tell(middle, level ? price(level[0]) : "", level ? `price ${side}` : "");
    for (const [here, name] of [[bid, "bid"], [ask, "ask"]]) {
      const shown = level && side === name;
      const kind = `depth ${name}`;
      if (here.className !== kind) here.className = kind;
      here.children[0].style.width = shown ? `${100 * level[1] / most}%` : "0";
      tell(here.children[1], shown ? level[1] : "", "size");
    }
  };
  for (let index = 0; index < LADDER_ROWS; index++) {
    line(body.rows[LADDER_ROWS - 1 - index], asks[index], "ask");
    line(body.rows[LADDER_ROWS + 1 + index], bids[index], "bid");
  }
  tell(body.rows[LADDER_ROWS].cells[0], bids.length && asks.length ? `spread ${price(asks[0][0] - bids[0][0])}` : "one side is empty");
}

function clock(ns) {
  const ms = Math.floor(ns / 1e6);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(Math.floor(ms / 3600000))}:${two(Math.floor(ms / 60000) % 60)}:${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`;
}

function drawTape(picture) {
  fill(at("tape"), picture.trades.slice(-TAPE_ROWS).reverse().map((trade) => [
    clock(trade.time_ns), trade.symbol, [price(trade.price, state.places[trade.symbol]), trade.taker === "buy" ? "up" : trade.taker ? "down" : ""], trade.shares,
  ]));
}

function orderRow(body) {
  const row = body.insertRow();
  for (let column = 0; column < 7; column++) row.insertCell();
  const number = document.createElement("button"), cancel = document.createElement("button");
  number.type = cancel.type = "button";
  number.title = "The journey of this order";
  number.onclick = () => { number.blur(); Office.open({ session: row.dataset.session, user_ref: Number(row.dataset.order) }); };
  cancel.textContent = "×";
  cancel.onclick = () => { cancel.blur(); ask("DELETE", `/api/v1/orders/${row.dataset.order}`); };
  row.cells[0].append(number);
  row.cells[6].append(cancel);
  return row;
}

function drawOrders() {
  const body = at("orders");
  const orders = state.orders.slice().reverse();
  at("no-orders").hidden = orders.length > 0;
  orders.forEach((order, index) => {
    const row = body.rows[index] || orderRow(body);
    const [number, what, limit, ahead, done, how, last] = row.cells;
    row.dataset.order = order.order;
    row.dataset.session = order.session;
    tell(number.children[0], order.order);
    tell(what, `${order.side} ${order.quantity} ${order.symbol}`, order.side === "buy" ? "bid" : "ask");
    tell(limit, order.price === null ? "any" : asked(order.price, state.places[order.symbol] || 2));
    // Nothing of a rejected order is ahead or done: the reason has their room.
    const reason = order.state === "rejected" && order.reason ? `rejected: ${order.reason}` : "";
    ahead.colSpan = reason ? 4 : 1;
    done.hidden = how.hidden = last.hidden = reason !== "";
    tell(ahead, reason || (order.open > 0 && order.ahead !== null ? order.ahead : "–"), reason ? "reason" : "");
    if (ahead.title !== reason) ahead.title = reason;
    tell(done, order.executed);
    tell(how, order.state);
    last.children[0].hidden = order.open === 0;
    last.children[0].setAttribute("aria-label", `Cancel order ${order.order}`);
  });
  while (body.rows.length > orders.length) body.deleteRow(-1);
}

function drawTicket() {
  const side = new FormData(at("ticket")).get("side");
  tell(at("send"), `${side === "buy" ? "Buy" : "Sell"} ${state.symbol}`, side === "buy" ? "bid" : "ask");
}

// --- what a person does ---

function choose(symbol) {
  state.symbol = symbol;
  writeAddress(state.past ? state.past.seq : null);
  if (state.past) chartPast(state.past);
  plan();
}

async function ask(method, path, body) {
  const answer = at("answer");
  answer.className = "";
  answer.textContent = "sent";
  const begun = performance.now();
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
  if (method === "POST" && got.ok) Panes.took(performance.now() - begun);
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
  else if (event.key === "v") venue();
  else if (event.key === "t") theme(document.documentElement.dataset.theme !== "dark");
  else if (event.key === "?") at("keys").showModal();
  else return;
  event.preventDefault();
});

// Opens every pane of the venue, or closes all of them where all are open.
function venue() {
  const panes = [...document.querySelectorAll("details")];
  const open = panes.some((one) => !one.open);
  for (const one of panes) one.open = open;
}

const kept = localStorage.getItem("rialto-theme");
theme(kept ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
addEventListener("resize", plan);
addEventListener("hashchange", readAddress);
readAddress();
connect();
