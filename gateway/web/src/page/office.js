// What needs the key beside orders: the journey of an order, and the operator's acts.
"use strict";

const Office = (() => {
  const at = (id) => document.getElementById(id);

  // Asks as the administration socket is asked; the lines of the answer, or throws what is wrong.
  async function ask(question) {
    const got = await fetch("/api/v1/ask", {
      method: "POST",
      headers: { "X-Rialto-Key": sessionStorage.getItem("rialto-key") || "", "Content-Type": "application/json" },
      body: JSON.stringify(question),
    }).catch(() => null);
    if (!got) throw new Error("the exchange does not answer");
    const told = await got.json();
    if (!got.ok) throw new Error(told.detail);
    return told.lines;
  }

  const STAGES = { gateway: "Gateway in", sequenced: "Sequenced", journaled: "Journaled", matched: "Matched", released: "Released", published: "Published" };

  // A time to two digits at least.
  function took(ns) {
    const [unit, size] = ns < 1e3 ? ["ns", 1] : ns < 1e6 ? ["µs", 1e3] : ns < 1e9 ? ["ms", 1e6] : ["s", 1e9];
    return `${(ns / size).toFixed(size > 1 && ns / size < 10 ? 1 : 0)} ${unit}`;
  }

  // When a command was at each stage, with what it took as bars behind one another.
  function stages(one) {
    at("journey-command").textContent = `Command ${one.seq} through the stages`;
    const all = one.stages[one.stages.length - 1].after_ns || 1;
    const body = at("journey-stages");
    body.replaceChildren();
    let before = 0;
    for (const { stage, at_ns, after_ns } of one.stages) {
      const row = body.insertRow();
      cell(row, STAGES[stage] || stage);
      cell(row, `${new Date(at_ns / 1e6).toISOString().slice(11, 19)}.${String(Math.floor(at_ns / 1e3) % 1e6).padStart(6, "0")}`);
      cell(row, row.rowIndex === 1 ? "–" : took(after_ns));
      cell(row, row.rowIndex === 1 ? "–" : took(after_ns - before));
      const bar = document.createElement("span");
      bar.style.marginLeft = `${98 * before / all}%`;
      bar.style.width = `${Math.max(0.5, 98 * (after_ns - before) / all)}%`;
      cell(row, "", "bar").append(bar);
      before = after_ns;
    }
  }

  function step(body, one) {
    const row = body.insertRow();
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = one.seq;
    button.title = "Rewind to here";
    button.onclick = () => { at("journey").close(); rewind(one.seq); };
    row.insertCell().append(button);
    const time = new Date(one.stamp / 1e6).toISOString().slice(11, 23);
    if (one.stages) {
      const times = document.createElement("button");
      times.type = "button";
      times.textContent = time;
      times.title = "Its times at the stages";
      times.onclick = () => stages(one);
      row.insertCell().append(times);
    } else cell(row, time);
    cell(row, one.event);
    cell(row, `${one.by} (${one.command})`);
    cell(row, one.leaves);
    const why = cell(row, one.why, "why");
    for (const because of one.because) {
      const line = document.createElement("div");
      line.className = "because";
      line.textContent = because;
      why.append(line);
    }
  }

  async function journey(find) {
    const body = at("journey-steps");
    body.replaceChildren();
    at("journey-times").hidden = true;
    at("journey-said").textContent = "reading the journal";
    try {
      const order = find.order || (await ask({ ask: "find", ...find }))[0].order;
      at("journey-order").value = order;
      const steps = await ask({ ask: "explain", order });
      steps.forEach((one) => step(body, one));
      const timed = steps.find((one) => one.stages);
      at("journey-times").hidden = !timed;
      if (timed) stages(timed);
      const kept = timed ? "" : "; when it was at each stage is no longer kept: only of the newest batches, and not over a restart";
      at("journey-said").textContent = `${steps.length} ${steps.length === 1 ? "change" : "changes"}${kept}`;
    } catch (error) {
      at("journey-said").textContent = error.message;
    }
  }

  function open(find) {
    if (!at("journey").open) at("journey").showModal();
    if (find) journey(find);
    else at("journey-order").focus();
  }

  async function operate(symbol, phase) {
    at("operated").textContent = "sent";
    try {
      const [told] = await ask({ ask: "operate", act: { act: "phase", symbol, phase } });
      at("operated").textContent = `command ${told.seq}: ${told.events.join(", ")}`;
    } catch (error) {
      at("operated").textContent = error.message;
    }
  }

  // What is broken on purpose, each with a button that mends it.
  async function faults(method, path, body) {
    try {
      const send = (method, path, body) => fetch(`/api/v1/faults${path}`, {
        method,
        headers: { "X-Rialto-Key": sessionStorage.getItem("rialto-key") || "", "Content-Type": "application/json" },
        body: body && JSON.stringify(body),
      }).then(async (got) => ({ ok: got.ok, told: await got.json() }));
      if (method !== "GET") {
        const { ok, told } = await send(method, path, body);
        if (!ok) throw new Error(told.detail);
        at("fault-said").textContent = told.lines[0].events.join(", ");
      }
      const { told } = await send("GET", "");
      at("fault-list").replaceChildren(...told.lines.map((one) => {
        const item = document.createElement("li");
        const mend = document.createElement("button");
        mend.type = "button";
        mend.textContent = `Mend ${one.name}`;
        mend.onclick = () => faults("DELETE", `/${encodeURIComponent(one.name)}`);
        item.append(`${one.kind}${one.session ? ` of ${one.session}` : ""}${one.symbol ? ` of ${one.symbol}` : ""}, struck ${one.struck ?? 0} times `, mend);
        return item;
      }));
    } catch (error) {
      at("fault-said").textContent = error.message;
    }
  }
  at("faults").ontoggle = () => at("faults").open && faults("GET", "");
  at("fault-form").onsubmit = (event) => {
    event.preventDefault();
    const kind = at("fault-kind").value;
    const fault = { name: kind, kind, seed: 1 };
    if (["drop", "duplicate", "reorder", "disconnect", "reject", "multicast-gap"].includes(kind)) fault.chance = Math.round(at("fault-chance").value * 10000);
    if (["latency", "reorder", "slow-disk", "clock-step"].includes(kind)) fault.delay_us = Math.round(at("fault-delay").value * 1000);
    if (kind === "halted-symbol") fault.symbol = state.symbol;
    faults("POST", "", fault);
  };

  at("journey-form").onsubmit = (event) => {
    event.preventDefault();
    const order = Number(at("journey-order").value);
    if (order > 0) journey({ order });
    else at("journey-said").textContent = "give the number of the command that entered it";
  };
  at("open-journey").onclick = () => open(null);
  for (const button of document.querySelectorAll("[data-phase]")) {
    button.onclick = () => operate(state.symbol, button.dataset.phase);
  }
  return { open, ask, took, STAGES };
})();
