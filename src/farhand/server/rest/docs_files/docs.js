// Renders openapi.json as a list of operations. No libraries; all text is set as text, never as HTML.
"use strict";

function element(tag, content = "", className = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const part of [content].flat()) made.append(part);
  return made;
}

function typeOf(schema = {}) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.type === "array") return `${typeOf(schema.items)}[]`;
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  return schema.type ?? "any";
}

function exampleOf(content = {}) {
  const media = content["application/json"] ?? Object.values(content)[0];
  return media?.example ?? Object.values(media?.examples ?? {})[0]?.value;
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function curlLine(method, path, operation) {
  const base = new URL(".", document.baseURI).href.replace(/\/$/, "");
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  if ((operation.security ?? [{}]).length > 0) parts.push("-H", "\"Authorization: Bearer $FARHAND_TOKEN\"");
  const body = exampleOf(operation.requestBody?.content);
  if (body !== undefined) parts.push("-H", "'Content-Type: application/json'", "-d", quoted(JSON.stringify(body)));
  parts.push(quoted(base + path));
  return parts.join(" ");
}

function parameterTable(parameters) {
  const rows = parameters.map((one) =>
    element("tr", [
      element("td", element("code", one.name)),
      element("td", one.in),
      element("td", element("code", typeOf(one.schema))),
      element("td", one.description ?? ""),
    ]),
  );
  const head = element("tr", ["name", "in", "type", ""].map((word) => element("th", word)));
  return element("table", [element("thead", head), element("tbody", rows)]);
}

function shown(title, value) {
  return [element("h4", title), element("pre", element("code", JSON.stringify(value, null, 2)))];
}

function operationBox(path, method, operation) {
  const inside = element("div");
  if (operation.description) inside.append(element("p", operation.description));
  if (operation.parameters?.length) inside.append(parameterTable(operation.parameters));
  const body = exampleOf(operation.requestBody?.content);
  if (body !== undefined) inside.append(...shown("Body", body));
  for (const [status, answer] of Object.entries(operation.responses ?? {})) {
    if (!status.startsWith("2")) continue;
    const example = exampleOf(answer.content);
    if (example === undefined) inside.append(element("h4", `${status} ${answer.description}`));
    else inside.append(...shown(status, example));
  }
  inside.append(element("h4", "curl"), element("pre", element("code", curlLine(method, path, operation))));
  const title = element("summary", [
    element("span", method, "method"),
    element("code", path),
    ` ${operation.summary ?? ""}`,
  ]);
  const box = element("details", [title, inside]);
  box.dataset.words = `${method} ${path} ${operation.summary ?? ""}`.toLowerCase();
  return box;
}

function render(api) {
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "Other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operationBox(path, method.toUpperCase(), operation));
    }
  }
  document.getElementById("version").textContent = api.info.version;
  const sections = [...groups].map(([tag, boxes]) => element("section", [element("h2", tag), ...boxes]));
  document.getElementById("operations").replaceChildren(...sections);
}

function find(event) {
  const word = event.target.value.trim().toLowerCase();
  for (const box of document.querySelectorAll("details")) box.hidden = !box.dataset.words.includes(word);
  for (const part of document.querySelectorAll("section")) {
    part.hidden = part.querySelector("details:not([hidden])") === null;
  }
}

document.getElementById("find").addEventListener("input", find);
fetch("openapi.json")
  .then((answer) => answer.json())
  .then(render)
  .catch((error) => {
    document.getElementById("operations").replaceChildren(element("p", `openapi.json: ${error}`));
  });
