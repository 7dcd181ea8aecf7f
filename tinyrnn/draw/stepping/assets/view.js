// What is shown at a position: position k means that the first k records have happened.

const data = unpack(JSON.parse(document.getElementById("data").textContent));
const arrayOf = reader(data.arrays);
const { nodes, records, times } = data;
const find = (id) => document.getElementById(id);
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
const ledgers = data.ledgers.map((node) => ({ node, rows: into.get(node) }));

/** How many of the records that add to a gradient are among the first k. */
function arrived(n, k) {
  const list = into.get(n) ?? [];
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < k) low = middle + 1; else high = middle;
  }
  return low;
}

/** The number of the gradient of a record after the first k records, or null before anything came. */
function gradientAt(n, k) {
  const many = arrived(n, k);
  return many ? records[into.get(n)[many - 1]].after : null;
}

const briefs = new Map();
/** One short line for the array of a number. */
function briefly(i) {
  if (!briefs.has(i)) briefs.set(i, brief(arrayOf(i)));
  return briefs.get(i);
}

const place = (n) => (nodes[n].time === undefined ? "" : `${nodes[n].group ? `${nodes[n].group} ` : ""}t = ${nodes[n].time}`);

/** The record as one sentence, for the live region. */
function sentence(k, hidden) {
  if (k === 0) return "Start. Nothing has been computed yet.";
  if (stopAt(k) !== undefined) return partSentence(stopAt(k));
  const r = records[k - 1];
  const at = place(r.node) ? `, ${place(r.node)}` : "";
  if (r.kind === "forward")
    return `Forward${at}: ${label(r.node)} = ${r.formula}${hidden ? "" : `, which is ${briefly(nodes[r.node].value)}`}.`;
  if (r.kind === "seed") return `Backward begins: ${grad(r.node)} = ${briefly(r.after)}.`;
  return `Backward${at}: ${grad(r.source)} gets ${r.formula}${hidden ? "" :
    ` = ${briefly(r.part)}, and is ${briefly(r.after)} so far`}.`;
}

function title(r, k) {
  const pass = r.kind === "forward" ? "forward" : "backward";
  return element("p", { class: `pass ${pass}` }, `${pass} pass`, element("span", {},
    `record ${k} of ${records.length}${place(r.node) ? ` · ${place(r.node)}` : ""} · ${nodes[r.node].op ?? "leaf"}`));
}

function card(k, hidden) {
  if (k === 0) {
    return [element("h2", {}, "Before the first record"),
      element("p", {}, level === null ? "Each record is one operation of the forward pass, or one contribution of the backward pass, in the order in which the engine makes them. "
        : `Each record is one of the ${NAMES[level.name]}, on the way forward and on the way back; open it to go through its operations. `,
        `First ${ordinal(TURN)} forward, then ${total() - ordinal(TURN)} backward. In formulas, ∂h stands for ∂${label(data.root)}/∂h: the gradient of ${label(data.root)} with respect to h.`),
      element("p", {}, "Press Step, or the right arrow key.")];
  }
  if (stopAt(k) !== undefined) return partCard(stopAt(k));
  const r = records[k - 1];
  const out = [title(r, k), ...closing(r)];
  if (r.kind === "forward") {
    out.push(element("h2", { class: "formula" }, `${label(r.node)} = ${r.formula}`));
    const distinct = [...new Set(nodes[r.node].inputs)];
    out.push(element("div", { class: "equation" },
      ...distinct.map((n) => figure(label(n), arrayOf(nodes[n].value))),
      term("→", figure(label(r.node), arrayOf(nodes[r.node].value), hidden, "result"), nodes[r.node].op)));
    if (nodes[r.node].op === "detach") out.push(element("p", { class: "note" }, "The value passes, the gradient does not: no record of the backward pass leads through here."));
    return out;
  }
  if (r.kind === "seed") {
    out.push(element("h2", { class: "formula" }, `${grad(r.node)} = ${briefly(r.after)}`));
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
