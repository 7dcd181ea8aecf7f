// The record of a part: a cell with its step of backpropagation through time, or a gate.

const join = (texts) => (texts.length === 1 ? texts[0] : `(${texts.join(", ")})`);
const subscript = (n) => [...String(n)].map((d) => String.fromCharCode(0x2080 + Number(d))).join("");
const state = (ns) => join(ns.map(label));

/** A singular value, of which the page knows the decimal logarithm. */
function power(log) {
  if (log === "0") return "0";
  if (log === null) return "not finite";
  if (Math.abs(log) < 4) return format(10 ** log);
  const whole = Math.floor(log);
  return `${(10 ** (log - whole)).toFixed(2)}e${whole}`.replace("-", MINUS);
}

/** A matrix with the names of what stands in its rows and columns. */
function spread(caption, [array, largest, smallest], rows, columns, note) {
  const names = (ns) => ns.flatMap((n) => {
    const size = count(arrayOf(nodes[n].value)) / note.rows;
    const own = label(n).split(".").at(-1);
    return Array.from({ length: size }, (_, i) => (size === 1 ? own : `${own}[${i}]`));
  });
  const made = figure(caption, { ...arrayOf(array), heads: [names(rows), names(columns)] });
  const said = `largest singular value ${power(largest)}, smallest ${power(smallest)}${note.rows > 1 ? `; of the first of ${note.rows} rows` : ""}`;
  made.append(element("p", { class: "singular" }, said));
  return made;
}

/** δ_t = ∂L_t/∂h_t + (∂h_{t+1}/∂h_t)ᵀ δ_{t+1}, in words and numbers. */
function equation(row) {
  const [now, next] = [nodes[row.state[0]].time, row.following.length ? nodes[row.following[0]].time : null];
  const [here, after] = [state(row.state), row.following.length ? state(row.following) : ""];
  const [delta, loss] = [`δ${subscript(now)}`, `${label(data.root)}${subscript(now)}`];
  const direct = `∂${loss}/∂${here}`;
  const through = `(∂${after}/∂${here})ᵀ δ${next === null ? "" : subscript(next)}`;
  const alone = row.direct === undefined;
  const beyond = row.beyond === undefined ? "" : " + what skips it";
  const out = [element("h2", { class: "formula" }, `${delta} = ${direct}${alone ? "" : ` + ${through}`}${beyond}`)];
  out.push(element("p", { class: "why" }, row.cut ? `A detach stands between ${here} and ${after}: nothing comes back from there.`
    : alone ? `${delta} is the gradient of ${label(data.root)} at ${here}. No later step follows.`
    : `${delta} is the gradient of ${label(data.root)} at ${here}; ∂${loss} is all of it that does not come through ${after}: from losses, and from layers that read ${here}.`));
  row.state.forEach((n, i) => {
    const own = row.state.length > 1 ? `, at ${label(n)}` : "";
    const result = figure(`${delta}${own}`, arrayOf(row.delta[i]), false, "result");
    if (alone && beyond === "") { out.push(element("div", { class: "equation" }, result)); return; }
    out.push(element("div", { class: "equation" },
      ...(alone ? [] : [figure(`∂${loss}/∂${label(n)}`, arrayOf(row.direct[i])), term("+", figure(`${through}${own}`, arrayOf(row.through[i])))]),
      ...(beyond === "" ? [] : [term("+", figure("through later states", arrayOf(row.beyond[i])))]),
      term("=", result)));
  });
  if (row.jacobian) out.push(element("h3", {}, "The Jacobian of the step"), spread(`∂${after}/∂${here}`, row.jacobian, row.following, row.state, row));
  const end = ends.get(row);
  if (row.product && end !== row && end.state[0] !== row.following[0])
    out.push(element("h3", {}, `From t = ${nodes[end.state[0]].time} down to t = ${now}: the product of the Jacobians`), spread(`∂${state(end.state)}/∂${here}`, row.product, end.state, row.state, row));
  return out;
}
const ends = new Map(); // for each step of BPTT that with which its recurrence ends
data.bptt.forEach((row, i) => {
  const before = data.bptt[i - 1];
  ends.set(row, before !== undefined && row.following[0] === before.state[0] ? ends.get(before) : row);
});

/** What makes the result of a part, as a function: the cell without its state, ``LSTM`` of ``LSTM (h, c)₂``. */
function made({ label: text, kind }) {
  const name = text.replace(/[₀-₉]+$/, "");
  return level.name === "cell" && kind === "cell" ? name.replace(/ (\([^()]*\)|\S+)$/, "") : name;
}

const isWeight = (n) => nodes[n].role === "weight";

/** The record of a part, as the card of one operation is that of an operation. */
function partCard(stop) {
  const part = level.parts[stop.part];
  const back = stop.pass === "backward";
  const out = [element("p", { class: `pass ${stop.pass}` }, `${stop.pass} pass`, element("span", {},
    `record ${ordinal(stop.at)} of ${total()}${place(part.main) ? ` · ${place(part.main)}` : ""} · ${part.label}`))];
  const users = part.members.filter((m) => m === data.root || outside.get(level).has(m));
  if (!back) {
    const used = [...new Set(part.members.flatMap(inputsOf))].filter((n) => level.of[n] !== stop.part && !plain(n));
    const [weights, values] = [used.filter(isWeight), used.filter((n) => !isWeight(n))];
    out.push(element("h2", { class: "formula" }, part.members.length === 1 ? `${label(part.main)} = ${nodes[part.main].formula}` : `${join(users.map(label))} = ${made(part)}(${values.map(label).join(", ")})`));
    out.push(several(values, label, (n) => figure(label(n), arrayOf(nodes[n].value))), element("div", { class: "equation" },
      ...users.map((n, i) => { const made = figure(label(n), arrayOf(nodes[n].value), false, "result"); return i ? made : term("→", made); })));
    if (weights.length) out.push(later(`With the weights ${weights.map(label).join(", ")}`, () => [element("div", { class: "equation" }, ...weights.map((n) => figure(label(n), arrayOf(nodes[n].value))))]));
  } else {
    const row = level.name === "cell" ? stepsOfBPTT.get(stop.part) : undefined;
    if (row !== undefined) out.push(...equation(row));
    else {
      if (level.name === "cell" && part.members.some((m) => stateOf.has(m))) out.push(element("p", { class: "why" }, "The equation of this step was not worked out: some rule in it cannot be sent many gradients at once."));
      out.push(element("h2", { class: "formula" }, `${part.label}: from ${users.map(grad).join(", ")}`));
      out.push(element("div", { class: "equation" }, ...users.filter((n) => gradientAt(n, stop.at) !== null).map((n) => figure(grad(n), arrayOf(gradientAt(n, stop.at))))));
    }
    const targets = [...new Set(sendings(part).map((i) => (entries.has(records[i].node) ? records[i].node : records[i].source)))].filter((n) => entries.has(n) || level.of[n] !== stop.part);
    const sentTo = (n) => (level.of[n] === stop.part ? entries.get(n) : [n]).map(grad).join(", ");
    const made = (n) => figure(`to ${sentTo(n)}`, arrayOf(partSent(part, stop.part, n)), false, "part");
    if (targets.length) out.push(element("h3", {}, row === undefined ? "and sends on" : `The cell at t = ${nodes[row.state[0]].time} sends on`));
    const [values, weights] = [targets.filter((n) => !isWeight(n)), targets.filter(isWeight)];
    if (values.length) out.push(several(values, sentTo, made));
    if (weights.length) out.push(later(`To the weights: ${weights.map(grad).join(", ")}`, () => [element("div", { class: "equation" }, ...weights.map(made))]));
  }
  const inside = part.inside[stop.pass];
  out.push(later(`Inside: ${inside.length} ${inside.length === 1 ? "record" : "records"}`, () => [element("ol", { class: "inside" }, ...inside.map((i) => element("li", {},
    element("button", { type: "button", class: "link", click: () => { openedFrom = level.name; setLevel("op", i + 1); } },
      records[i].kind === "forward" ? `${label(records[i].node)} = ${records[i].formula}` : `${grad(records[i].source)} += ${records[i].formula}`))))]));
  out.push(element("p", {}, element("button", { type: "button", id: "open", "aria-keyshortcuts": "o", click: openOrClose }, "Open: go through its operations")));
  return out;
}

/** For each level the operations whose results are used in another part. */
const outside = new Map([...levels.values()].map((each) => [each, new Set(nodes.flatMap((node, n) => node.inputs.filter((s) => each.of[s] >= 0 && each.of[s] !== each.of[n])))]));

/** Figures beside each other; those of a whole sequence are folded into one line. */
function several(ns, name, make) {
  const figures = () => element("div", { class: "equation" }, ...ns.map(make));
  return ns.length <= AT_A_GLANCE ? figures() : later(`${ns.length} arrays: ${name(ns[0])}, …, ${name(ns.at(-1))}`, () => [figures()]);
}
const AT_A_GLANCE = 8;

/** Something that is made when it is unfolded. */
function later(caption, make) {
  const made = element("details", { toggle: () => { if (made.open && made.children.length === 1) made.append(...make()); } }, element("summary", {}, caption));
  return made;
}

/** Among operations: the part that this one belongs to, and the way back to it. */
function closing(r) {
  const home = levels.get(openedFrom);
  const part = home === undefined || r.kind === "seed" ? undefined : home.parts[home.of[r.node]];
  return part === undefined ? [] : [element("p", {}, element("button", { type: "button", id: "close", "aria-keyshortcuts": "o", click: openOrClose }, `Close: back to ${home.stops.some((stop) => stop.part === home.of[r.node]) ? part.label : NAMES[home.name]}`))];
}

/** A part as one sentence, for the live region. */
function partSentence(stop) {
  const part = level.parts[stop.part];
  const at = place(part.main) ? `, ${place(part.main)}` : "";
  if (stop.pass === "forward") return `Forward${at}: ${part.label}, which is ${briefly(nodes[part.main].value)}.`;
  const row = level.name === "cell" ? stepsOfBPTT.get(stop.part) : undefined;
  return `Backward${at}: through ${part.label}${row === undefined ? "" : `, ${row.state.map((n, i) => `δ at ${label(n)} = ${briefly(row.delta[i])}`).join(", ")}`}.`;
}
