// Every operation of the OpenAPI document as a form. What it sends and gets stays between this page and its own gateway.
"use strict";

const at = (id) => document.getElementById(id);

function make(name, text, parent) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function field(form, label, value) {
  const line = make("label", `${label} `, make("p", "", form));
  const input = make(value.includes("\n") || value.startsWith("{") ? "textarea" : "input", "", line);
  input.value = value;
  return input;
}

function operation(path, method, told) {
  const box = make("details", "", at("operations"));
  make("summary", `${method.toUpperCase()} ${path} — ${told.summary}`, box);
  const form = make("form", "", box);
  const inputs = (told.parameters || []).map((one) => ({ one, input: field(form, one.name, String(one.example ?? "")) }));
  const media = told.requestBody && told.requestBody.content["application/json"];
  const body = media && field(form, "body", JSON.stringify(media.example ?? {}));
  make("button", "Send", form).type = "submit";
  const answer = make("pre", "", box);
  answer.setAttribute("role", "status");
  answer.tabIndex = 0;
  form.onsubmit = async (event) => {
    event.preventDefault();
    const headers = {};
    let target = path;
    const query = new URLSearchParams();
    for (const { one, input } of inputs) {
      if (one.in === "path") target = target.replace(`{${one.name}}`, encodeURIComponent(input.value));
      else if (input.value && one.in === "query") query.set(one.name, input.value);
      else if (input.value) headers[one.name] = input.value;
    }
    if (at("venue").value) headers["X-Rialto-Key"] = at("venue").value;
    if (at("member").value) headers.Authorization = `Bearer ${at("member").value}`;
    if (body) headers["Content-Type"] = "application/json";
    const address = query.size ? `${target}?${query}` : target;
    try {
      const got = await fetch(address, { method: method.toUpperCase(), headers, body: body && body.value });
      answer.textContent = `${got.status} ${got.statusText}\n${await got.text()}`;
    } catch (error) {
      answer.textContent = String(error);
    }
  };
}

fetch("/api/v1/openapi.json").then((got) => got.json()).then((document) => {
  at("venue").value = sessionStorage.getItem("rialto-key") || "";
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, told] of Object.entries(methods)) operation(path, method, told);
  }
});
