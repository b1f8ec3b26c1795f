// Panes that are asked for while they are open: how long orders took to each stage, members and their limits, flags, and a canary.
"use strict";

const Panes = (() => {
  const at = (id) => document.getElementById(id);
  const TOOK_MAX = 1000;
  const took = []; // milliseconds from the button to the answer, the newest last; the oldest go

  // The further right, the rarer: each factor of ten that are slower has as much room as half of all.
  const across = (percent) => 100 * Math.min(4.6, -Math.log10(1 - Math.min(percent, 99.999) / 100)) / 4.6;
  const TOLD = [50, 90, 99, 99.9, 100];

  // How long orders took to each stage, measured by the exchange: those of the last seconds, or all where there are none.
  async function latency() {
    const told = await (await fetch("/api/v1/stages")).json();
    const which = told.recent_orders ? "recent" : "all";
    at("latency-said").textContent = told.orders
      ? `${told.recent_orders} of the last ${told.recent_seconds} s, ${told.orders} in all${which === "all" ? ": these" : ""}`
      : "none has come by a door yet";
    const rows = told.stages.filter((one) => one[which].after_ns.length);
    fill(at("latency-rows"), rows.map((one) => [Office.STAGES[one.stage],
      ...TOLD.map((percent) => Office.took(one[which].after_ns[told.percentiles.indexOf(percent)]))]));
    [...at("latency-rows").rows].forEach((row, index) => { row.cells[0].className = `stage-${rows[index].stage}`; });
    plot(rows.map((one) => [one.stage, one[which].after_ns]), told.percentiles);
    if (took.length) own();
  }

  // Both axes are logarithmic; a line for each power of ten.
  function plot(lines, percentiles) {
    const all = lines.flatMap(([, ns]) => ns);
    if (!all.length) return;
    const low = Math.floor(Math.log10(Math.max(100, Math.min(...all)))), high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...all))));
    const down = (ns) => 100 - 100 * (Math.log10(Math.max(ns, 10 ** low)) - low) / (high - low);
    const box = at("latency-plot"), svg = box.querySelector("svg");
    const make = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const label = (text, side, place) => {
      const made = document.createElement("span");
      made.textContent = text;
      made.className = side;
      made.style[side === "y" ? "top" : "left"] = `${place}%`;
      return made;
    };
    const labels = [], drawn = [];
    for (let power = low; power <= high; power++) {
      drawn.push(make("line", { x1: 0, x2: 100, y1: down(10 ** power), y2: down(10 ** power) }));
      labels.push(label(Office.took(10 ** power).replace(".0", ""), "y", down(10 ** power)));
    }
    for (const percent of [0, ...TOLD.slice(0, -1), 99.99]) {
      drawn.push(make("line", { y1: 0, y2: 100, x1: across(percent), x2: across(percent) }));
      if (percent) labels.push(label(`p${percent}`, "x", across(percent)));
    }
    for (const [stage, ns] of lines) {
      const points = ns.map((one, index) => `${across(percentiles[index]).toFixed(2)},${down(one).toFixed(2)}`);
      drawn.push(make("polyline", { class: `stage-${stage}`, points: points.join(" ") }));
    }
    svg.replaceChildren(...drawn);
    box.replaceChildren(svg, ...labels);
  }

  // From the button to the answer, by this page's own clock.
  function own() {
    const sorted = [...took].sort((a, b) => a - b);
    const of = (share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
    at("latency-own").textContent = `orders of this page, ${sorted.length}, to the answer: ` +
      [["p50", 0.5], ["p90", 0.9], ["p99", 0.99], ["max", 1]].map(([name, share]) => `${name} ${of(share).toFixed(1)}`).join(", ") + " ms";
  }

  async function members() {
    const firms = await Office.ask({ ask: "member", about: { what: "list", kind: "firms" } });
    const limits = await Office.ask({ ask: "member", about: { what: "limits", firm: null } });
    fill(at("member-rows"), firms.map((firm) => {
      // Worth is kept in ten-thousandths of the currency.
      const told = (name, bound) => bound === true ? "" : ` ${["credit", "order_notional"].includes(name) ? (bound / 10000).toLocaleString("en") : bound}`;
      const own = limits.filter((one) => one.firm === firm.firm);
      const said = own.flatMap((one) => Object.entries(one.limits).filter(([, bound]) => bound).map(([name, bound]) =>
        `${one.account ? `account ${one.account} ` : ""}${name.replaceAll("_", " ")}${told(name, bound)}`));
      return [firm.mpid, firm.name, firm.killed ? "killed" : "trading", firm.service, said.join(", ") || "none"];
    }));
  }

  async function flags() {
    const all = await Office.ask({ ask: "flag_ls", seq: state.past ? state.past.seq : null });
    fill(at("flag-rows"), all.map((flag) => [flag.key, String(flag.default), String(flag.rules.length), flag.for, flag.expires]));
  }

  const FACTS = [["compared", "compared"], ["agreed", "agreed up to"], ["behind", "behind"], ["routed", "instruments by its word"],
    ["released_by_its_word", "events by its word"], ["silences", "silences"], ["longest_wait_ms", "longest wait, ms"]];

  const difference = (one) => !one ? "no difference" : one.blue && one.green
    ? `they differ at command ${one.seq}: ${one.blue} of blue, ${one.green} of green` : `they differ: ${JSON.stringify(one)}`;

  async function canary() {
    const [deployment] = await Office.ask({ ask: "deploy", act: { act: "status" } });
    const report = await Office.ask({ ask: "canary", act: { act: "report" } }).then((lines) => lines[0], () => null);
    const run = report && report.canary;
    const phase = run ? run.phase.replaceAll("_", " ") : "there was none";
    const step = run && run.step ? `, step ${run.step} of ${run.steps.join(", ")}` : "";
    const returned = deployment.last_return;
    at("canary-said").textContent = `${phase}${step}${run && run.why ? `: ${run.why}` : ""}` +
      (returned ? `; back to this build's own word in ${returned.ms.toFixed(2)} ms: ${returned.why}` : "");
    at("canary-builds").textContent = `blue ${deployment.build}, green ${deployment.green ? deployment.green.build : "none"}: ` +
      difference(deployment.difference);
    fill(at("canary-rows"), FACTS.map(([name, said]) => [said, deployment.green ? deployment[name] : "–"]));
    at("canary-back").disabled = !run || !deployment.green;
  }

  const shown = { latency, members, flags, canary };
  async function show(name) {
    if (!at(name).open || document.hidden) return;
    try {
      await shown[name]();
    } catch (error) {
      at(`${name}-said`).textContent = error.message;
    }
  }
  for (const name of Object.keys(shown)) at(name).ontoggle = () => show(name);
  // One question at a time, each when the last is answered.
  async function follow(name, every) {
    await show(name);
    setTimeout(() => follow(name, every), every);
  }
  follow("canary", 500);
  follow("latency", 1000);
  follow("members", 5000);
  follow("flags", 5000);

  at("canary-back").onclick = async () => {
    try {
      await Office.ask({ ask: "canary", act: { act: "rollback" } });
    } catch (error) {
      at("canary-said").textContent = error.message;
    }
  };

  return {
    took(milliseconds) {
      took.push(milliseconds);
      if (took.length > TOOK_MAX) took.shift();
      show("latency");
    },
  };
})();
