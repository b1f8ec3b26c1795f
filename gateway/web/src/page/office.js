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

  function step(body, one) {
    const row = body.insertRow();
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = one.seq;
    button.title = "Rewind to here";
    button.onclick = () => { at("journey").close(); rewind(one.seq); };
    row.insertCell().append(button);
    const time = new Date(one.stamp / 1e6);
    cell(row, time.toISOString().slice(11, 23));
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
    at("journey-said").textContent = "reading the journal";
    try {
      const order = find.order || (await ask({ ask: "find", ...find }))[0].order;
      at("journey-order").value = order;
      const steps = await ask({ ask: "explain", order });
      steps.forEach((one) => step(body, one));
      at("journey-said").textContent = `${steps.length} ${steps.length === 1 ? "change" : "changes"}`;
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
  return { open, ask };
})();
