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
  return { open };
})();
