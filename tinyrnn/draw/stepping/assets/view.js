// What is shown at a position: position k means that the first k records have happened.

const data = JSON.parse(document.getElementById("data").textContent);
const { nodes, records, arrays, ledgers, times } = data;
const find = (id) => document.getElementById(id);
const arrayOf = (i) => arrays[i];
const label = (n) => nodes[n].label;
const grad = (n) => `∂${label(n)}`;
const TURN = records.findIndex((r) => r.kind !== "forward"); // how many records the forward pass has

// When each value was computed, and which records added to each gradient, in order.
const computed = new Map();
const into = new Map();
const sent = new Map();
records.forEach((r, i) => {
  if (r.kind === "forward") { computed.set(r.node, i + 1); return; }
  const target = r.kind === "seed" ? r.node : r.source;
  if (!into.has(target)) into.set(target, []);
  into.get(target).push(i);
  if (r.kind === "backward") sent.set(`${r.node}-${r.position}`, i + 1);
});

/** The gradient of a record after the first k records: an array, or null before anything came. */
function gradientAt(n, k) {
  const list = into.get(n) ?? [];
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < k) low = middle + 1; else high = middle;
  }
  return low ? arrayOf(records[list[low - 1]].after) : null;
}

const place = (n) => (nodes[n].step === null ? "" : `t = ${nodes[n].step}`);

/** The record as one sentence, for the live region. */
function sentence(k, hidden) {
  if (k === 0) return "Start. Nothing has been computed yet.";
  const r = records[k - 1];
  const at = place(r.node) ? `, ${place(r.node)}` : "";
  if (r.kind === "forward")
    return `Forward${at}: ${label(r.node)} = ${r.formula}${hidden ? "" : `, which is ${brief(arrayOf(nodes[r.node].value))}`}.`;
  if (r.kind === "seed") return `Backward begins: ${grad(r.node)} = ${brief(arrayOf(r.after))}.`;
  return `Backward${at}: ${grad(r.source)} gets ${r.formula}${hidden ? "" :
    ` = ${brief(arrayOf(r.part))}, and is ${brief(arrayOf(r.after))} so far`}.`;
}

function title(r, k) {
  const pass = r.kind === "forward" ? "forward" : "backward";
  return element("p", { class: `pass ${pass}` }, `${pass} pass`, element("span", {},
    `record ${k} of ${records.length}${place(r.node) ? ` · ${place(r.node)}` : ""} · ${nodes[r.node].op || "leaf"}`));
}

function card(k, hidden) {
  if (k === 0) {
    return [element("h2", {}, "Before the first record"),
      element("p", {}, "Each record is one operation of the forward pass, or one contribution of the backward pass, in the order in which the engine makes them. ",
        `First ${TURN} forward, then ${records.length - TURN} backward. In formulas, ∂h stands for ∂${label(data.root)}/∂h: the gradient of ${label(data.root)} with respect to h.`),
      element("p", {}, "Press Step, or the right arrow key.")];
  }
  const r = records[k - 1];
  const out = [title(r, k)];
  if (r.kind === "forward") {
    out.push(element("h2", { class: "formula" }, `${label(r.node)} = ${r.formula}`));
    const distinct = [...new Set(nodes[r.node].inputs)];
    out.push(element("div", { class: "equation" },
      ...distinct.map((n) => figure(label(n), arrayOf(nodes[n].value))),
      term("→", figure(label(r.node), arrayOf(nodes[r.node].value), hidden, "result"), nodes[r.node].op)));
    if (nodes[r.node].cut) out.push(element("p", { class: "note" }, "The value passes, the gradient does not: no record of the backward pass leads through here."));
    return out;
  }
  if (r.kind === "seed") {
    out.push(element("h2", { class: "formula" }, `${grad(r.node)} = ${brief(arrayOf(r.after))}`));
    out.push(element("div", { class: "equation" }, figure(grad(r.node), arrayOf(r.after), hidden, "result")));
    out.push(element("p", {}, `The reverse pass begins with the gradient of ${label(r.node)} with respect to itself.`));
    return out;
  }
  out.push(element("h2", { class: "formula" }, `${grad(r.source)} += ${r.formula}`));
  out.push(element("p", {}, `through ${label(r.node)} = ${nodes[r.node].formula}`));
  const chain = [figure(`upstream ${grad(r.node)}`, arrayOf(r.upstream))];
  const part = () => figure("contribution", arrayOf(r.part), hidden, "part");
  if (r.local !== undefined) {
    chain.push(term("×", figure(`local ∂${label(r.node)}/∂${label(r.source)} = ${r.localFormula}`, arrayOf(r.local))));
    if (r.product !== undefined) chain.push(term("=", figure("product", arrayOf(r.product), hidden)), term("→", part(), "summed over the broadcast axes"));
    else chain.push(term("=", part()));
  } else {
    chain.push(...r.needs.map((n) => figure(label(n), arrayOf(nodes[n].value))), term("→", part()));
  }
  out.push(element("div", { class: "equation" }, ...chain));
  out.push(element("h3", {}, `Added to ${grad(r.source)}`));
  out.push(element("div", { class: "equation" },
    r.before === undefined ? element("figure", {}, element("figcaption", {}, "before"), element("div", { class: "nothing" }, "nothing yet"))
      : figure("before", arrayOf(r.before)),
    term("+", part()), term("=", figure(`${grad(r.source)} after`, arrayOf(r.after), hidden, "result"))));
  return out;
}

/** An array that takes many lines, folded into one. */
function folded(array) {
  if (!("rows" in array) || array.rows.length <= 3) return matrix(array, false);
  return element("details", {}, element("summary", {}, `${array.shape.join("×")} numbers`), matrix(array, false));
}

/** The rows of a weight's ledger: one for each contribution, and their sum. */
function ledgerTable(ledger, k, hidden, jump) {
  const largest = Math.max(...ledger.rows.map((i) => finite(norm(arrayOf(records[i].part)))).filter(Number.isFinite), 0);
  const full = (i) => folded(arrayOf(i));
  const rows = ledger.rows.map((i) => {
    const r = records[i];
    const done = i < k;
    const secret = hidden && i === k - 1;
    const size = finite(norm(arrayOf(r.part)));
    const meter = element("span", { class: "meter" });
    meter.style.setProperty("--part", done && !secret && largest > 0 && Number.isFinite(size) ? (size / largest).toFixed(4) : "0");
    return element("tr", { class: `${done ? "done" : "open"}${i === k - 1 ? " now" : ""}`, "data-record": i + 1 },
      element("th", { scope: "row" }, element("button", { type: "button", class: "link", click: () => jump(i + 1) }, place(r.node) || "outside of time")),
      element("td", {}, label(r.node)),
      element("td", { class: "size" }, done ? (secret ? "?" : format(norm(arrayOf(r.part)))) : "·", meter),
      element("td", { class: "numbers" }, done ? (secret ? "?" : full(r.part)) : "not yet"));
  });
  const now = gradientAt(ledger.node, k);
  const secret = hidden && k > 0 && records[k - 1].source === ledger.node;
  const total = element("tr", { class: "sum" }, element("th", { scope: "row", colspan: "2" }, `sum = ${label(ledger.node)}.grad`),
    element("td", { class: "size" }, now === null ? "·" : secret ? "?" : format(norm(now))),
    element("td", { class: "numbers", id: "sum" }, now === null ? "nothing yet" : secret ? "?" : matrix(now, false)));
  return element("table", { class: "ledger" },
    element("thead", {}, element("tr", {}, ...["time step", "through", "norm", "contribution"].map((t) => element("th", { scope: "col" }, t)))),
    element("tbody", {}, ...rows), element("tfoot", {}, total));
}

/** Every gradient at this position, as a table. */
function gradientTable(k, hidden) {
  const rows = nodes.map((node, n) => {
    const now = gradientAt(n, k);
    if (now === null) return null;
    const secret = hidden && k > 0 && (records[k - 1].source ?? records[k - 1].node) === n;
    return element("tr", { "data-node": n }, element("th", { scope: "row" }, grad(n)), element("td", {}, place(n)),
      element("td", {}, node.op || node.role), element("td", { class: "numbers" }, secret ? "?" : matrix(now, false)));
  });
  return element("table", {}, element("thead", {}, element("tr", {}, ...["gradient", "time step", "of", "so far"].map((t) => element("th", { scope: "col" }, t)))),
    element("tbody", {}, ...rows.filter((row) => row !== null).reverse()));
}

/** Every record, as a table that needs no picture. */
function recordTable(k, limit) {
  const rows = records.map((r, i) => element("tr", { class: i + 1 === k ? "now" : "" },
    element("td", {}, element("a", { href: `#${i + 1}` }, String(i + 1))), element("td", {}, r.kind === "forward" ? "forward" : "backward"),
    element("td", {}, place(r.node)),
    element("td", {}, r.kind === "forward" ? `${label(r.node)} = ${r.formula}` : r.kind === "seed" ? `${grad(r.node)}` : `${grad(r.source)} += ${r.formula}`),
    element("td", {}, i + 1 > limit ? "hidden" : brief(arrayOf(r.kind === "forward" ? nodes[r.node].value : r.part ?? r.after)))));
  return element("table", {}, element("thead", {}, element("tr", {}, ...["record", "pass", "time step", "formula", "result"].map((t) => element("th", { scope: "col" }, t)))),
    element("tbody", {}, ...rows));
}
