// Panes that are asked for while they are open: how long orders took, members and their limits, flags, and a canary.
"use strict";

const Panes = (() => {
  const at = (id) => document.getElementById(id);
  const TOOK_MAX = 1000;
  const took = []; // milliseconds from the button to the answer, the newest last; the oldest go

  // By percentile, the slowest on the right; the scale ends at the slowest.
  function latency() {
    const sorted = [...took].sort((a, b) => a - b);
    if (!sorted.length) return;
    const of = (share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
    at("latency-said").textContent = `${sorted.length} ${sorted.length === 1 ? "order" : "orders"}, ms: ` +
      [["p50", 0.5], ["p90", 0.9], ["p99", 0.99], ["max", 1]].map(([name, share]) => `${name} ${of(share).toFixed(1)}`).join(", ");
    const points = [];
    for (let percent = 0; percent <= 100; percent += 2) points.push(`${percent * 3},${(78 - 74 * of(percent / 100) / of(1)).toFixed(1)}`);
    at("latency-line").setAttribute("points", points.join(" "));
  }

  async function members() {
    const firms = await Office.ask({ ask: "member", about: { what: "list", kind: "firms" } });
    const limits = await Office.ask({ ask: "member", about: { what: "limits", firm: null } });
    fill(at("member-rows"), firms.map((firm) => {
      const own = limits.filter((one) => one.firm === firm.firm);
      const said = own.flatMap((one) => Object.entries(one.limits).filter(([, bound]) => bound).map(([name, bound]) =>
        `${one.account ? `account ${one.account} ` : ""}${name.replaceAll("_", " ")}${bound === true ? "" : ` ${bound}`}`));
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
