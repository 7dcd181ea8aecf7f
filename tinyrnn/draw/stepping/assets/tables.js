// The ledger, the bars, and the two tables. Their rows are made once; a step changes only those that it concerns.

const AT_ONCE = 12; // rows that are put right before anything is drawn: about as many as are in sight

/** Put rows right where what they show is no longer what they showed: those around one at once, the others while nothing else is to do. */
function refresh(rows, keyOf, fill, around = 0) {
  const put = (first, stop) => {
    for (let i = Math.max(0, first); i < Math.min(stop, rows.length); i += 1) {
      const key = keyOf(i);
      if (rows[i].key === key) continue;
      rows[i].key = key;
      fill(rows[i].element, i);
    }
  };
  const from = Math.max(0, Math.min(around - AT_ONCE / 2, rows.length - AT_ONCE));
  put(from, from + AT_ONCE);
  clearTimeout(rows.later);
  const on = (first) => {
    put(first, first + AT_ONCE);
    rows.later = first + AT_ONCE < rows.length ? setTimeout(on, 0, first + AT_ONCE) : undefined;
  };
  if (rows.length > AT_ONCE) rows.later = setTimeout(on, 50, 0); // keys that are held down come faster
}

/** What is to be scrolled into the middle, of what. All places are asked for at once, since each question after a change lays the page out anew. */
const followed = [];
function follow() {
  const places = followed.splice(0).map(([frame, shown]) => {
    const [outer, inner] = [frame.getBoundingClientRect(), shown.getBoundingClientRect()];
    return [frame, inner.left - outer.left - (outer.width - inner.width) / 2, inner.top - outer.top - (outer.height - inner.height) / 2];
  });
  for (const [frame, left, top] of places) frame.scrollBy(left, top);
}

/** Rows of a long table, so many at once of which a browser decides whether they are in sight. */
const groups = (rows, many) => Array.from({ length: Math.ceil(rows.length / many) }, (_, i) => element("tbody", {}, ...rows.slice(i * many, (i + 1) * many).map((row) => row.element)));
const headed = (kind, heads, rows, many, foot = []) => element("table", { class: kind },
  element("thead", {}, element("tr", {}, ...heads.map((t) => element("th", { scope: "col" }, t)))), ...groups(rows, many), ...foot);
const emptyRows = (many, attributes) => Array.from({ length: many }, (_, i) => ({ key: null, element: element("tr", attributes(i)) }));

/** An array that takes many lines, folded into one, and worked out when it is opened. */
function folded(array) {
  if (!("rows" in array) || array.rows.length <= 3) return matrix(array, false);
  const made = element("details", { toggle: () => { if (made.open && made.children.length === 1) made.append(matrix(array, false)); } },
    element("summary", {}, `${array.shape.join("×")} numbers`));
  return made;
}

// The ledger: what each record adds to the gradient of a weight, and their sum.
let opened = null; // the ledger that is shown, with its rows
const shownBefore = new Map(); // by weight

function drawLedger() {
  if (ledgers.length === 0) return;
  const chosen = find("weight").value;
  const latest = (l) => { const many = arrived(l.node, position); return many ? l.rows[many - 1] : -1; };
  const ledger = ledgers.find((l) => String(l.node) === chosen) ?? ledgers.reduce((best, l) => (latest(l) > latest(best) ? l : best));
  if (opened?.ledger !== ledger) openLedger(ledger);
  const { rows, sum, largest } = opened;
  const here = ledger.rows.findIndex((i) => isNow(i));
  const secret = hidden();
  refresh(rows, (i) => `${ledger.rows[i] < position}${isNow(ledger.rows[i])}${secret && ledger.rows[i] === position - 1}`, (row, i) => {
    const r = records[ledger.rows[i]];
    const done = ledger.rows[i] < position;
    const now = isNow(ledger.rows[i]);
    const meter = element("span", { class: "meter" });
    const size = norm(arrayOf(r.part ?? r.after));
    meter.style.setProperty("--part", done && !(now && secret) && largest > 0 && Number.isFinite(size) ? (size / largest).toFixed(4) : "0");
    row.className = `${done ? "done" : "open"}${now ? " now" : ""}`;
    row.replaceChildren(
      element("th", { scope: "row" }, element("button", { type: "button", class: "link", click: () => go(ledger.rows[i] + 1) }, place(r.node) || "outside of time")),
      element("td", {}, label(r.node)),
      element("td", { class: "size" }, done ? (now && secret ? "?" : format(size)) : "·", meter),
      element("td", { class: "numbers" }, done ? (now && secret ? "?" : folded(arrayOf(r.part ?? r.after))) : "not yet"));
  }, here);
  const now = gradientAt(ledger.node, position);
  const mine = secret && records[position - 1].source === ledger.node;
  refresh([sum], () => `${now}${mine}`, (row) => row.replaceChildren(element("th", { scope: "row", colspan: "2" }, `sum = ${label(ledger.node)}.grad`),
    element("td", { class: "size" }, now === null ? "·" : mine ? "?" : format(norm(arrayOf(now)))),
    element("td", { class: "numbers", id: "sum" }, now === null ? "nothing yet" : mine ? "?" : matrix(arrayOf(now), false))));
  if (here >= 0) followed.push([find("rows"), rows[here].element]);
}

function openLedger(ledger) {
  if (!shownBefore.has(ledger)) shownBefore.set(ledger, madeLedger(ledger));
  opened = shownBefore.get(ledger);
  find("rows").replaceChildren(...opened.parts);
}

function madeLedger(ledger) {
  const rows = emptyRows(ledger.rows.length, (i) => ({ "data-record": ledger.rows[i] + 1 }));
  const sum = { key: null, element: element("tr", { class: "sum" }) };
  const largest = Math.max(0, ...ledger.rows.map((i) => norm(arrayOf(records[i].part ?? records[i].after))).filter(Number.isFinite));
  const table = headed("ledger", ["time step", "through", "norm", "contribution"], rows, 4, [element("tfoot", {}, sum.element)]);
  return { ledger, rows, sum, largest, parts: [element("p", { class: "which" }, `∂${label(ledger.node)}`), table] };
}

// The bars: how large the gradient of a state is, at each time step.
let bars = null;

/** Which state the bars show: the one chosen, or else that of the layer that is being stepped through. */
function stateShown() {
  const chosen = find("state").value;
  if (chosen !== "follow") return Number(chosen);
  const stop = stopAt(position);
  const row = stop === undefined ? undefined : stepsOfBPTT.get(stop.part);
  if (row !== undefined && level.name === "cell") return stateOf.get(row.state[0]) ?? times.length - 1;
  const owner = position ? stateOf.get(records[position - 1].kind === "backward" ? records[position - 1].source : records[position - 1].node) : undefined;
  return owner ?? bars?.state ?? times.length - 1;
}
const stateOf = new Map(times.flatMap(({ steps }, i) => steps.flatMap(([, all]) => all.map((n) => [n, i]))));

function drawTimes() {
  if (times.length === 0) return;
  const state = stateShown();
  if (bars?.state !== state) openBars(state);
  const { steps } = times[state];
  const r = position ? records[position - 1] : null;
  const at = r === null ? undefined : stopAt(position) === undefined ? r.node : level.parts[stopAt(position).part].main;
  const isHere = (time) => at !== undefined && nodes[at].time === time && (nodes[at].group ?? "") === bars.group;
  const place = steps.findIndex(([time]) => isHere(time));
  const secret = hidden();
  refresh(bars.rows, (i) => {
    const [time, all] = steps[i];
    const here = secret && r.kind === "backward" && all.includes(r.source);
    return `${all.map((n) => arrived(n, position))} ${isHere(time)} ${here}`;
  }, (button, i) => {
    const [time, all] = steps[i];
    const here = secret && r.kind === "backward" && all.includes(r.source);
    const size = here ? null : sizeAt(all, position);
    const open = position > TURN && size !== null && all.some((n) => arrived(n, position) < into.get(n)?.length);
    const bar = element("span", { class: `bar${open ? " open" : ""}` });
    const height = size === null || !(size > 0) ? 0 : Math.max(0.03, 1 + Math.log10(size / bars.top) / bars.decades);
    bar.style.setProperty("--height", Math.min(height, 1).toFixed(3));
    const text = size === null ? "·" : format(size);
    button.className = isHere(time) ? "now" : "";
    button.setAttribute("aria-label", `time step ${time}, gradient ${size === null ? "not yet known" : text}${open ? " so far, more is to come" : ""}`);
    if (isHere(time)) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
    button.replaceChildren(element("span", { class: "well" }, bar), element("small", {}, open ? `${text} …` : text), element("span", {}, `t=${time}`));
  }, place);
  if (place >= 0) followed.push([find("bars"), bars.rows[place].element]);
}

function sizeAt(all, k) {
  const sizes = all.map((n) => gradientAt(n, k)).filter((i) => i !== null).map((i) => norm(arrayOf(i)));
  return sizes.length ? (sizes.some(Number.isNaN) ? NaN : Math.hypot(...sizes)) : null;
}

function openBars(state) {
  if (!barsBefore.has(state)) barsBefore.set(state, madeBars(state));
  bars = barsBefore.get(state);
  find("times-title").textContent = `‖∂${label(data.root)}/∂${times[state].name}‖ at each time step, on a log scale; striped and with … while more is to come`;
  find("bars").replaceChildren(...bars.rows.map((row) => row.element));
}
const barsBefore = new Map(); // by state

function madeBars(state) {
  const { steps } = times[state];
  const group = nodes[steps[0][1][0]].group ?? "";
  const rows = steps.map(([time]) => ({ key: null, element: element("button", { type: "button", click: () => go(firstAt(time, group)) }) }));
  const final = steps.map(([, all]) => sizeAt(all, LAST)).filter((x) => x > 0 && Number.isFinite(x));
  const top = Math.max(...final);
  return { state, group, rows, top, decades: Math.log10(top / Math.min(...final)) * 1.2 + 0.3 };
}

/** Where a time step is first met in the pass that is being walked through. */
function firstAt(time, group) {
  const from = position > TURN ? TURN : 0;
  const i = records.findIndex((r, j) => j >= from && nodes[r.node].time === time && (nodes[r.node].group ?? "") === group);
  return i < 0 ? position : i + 1;
}

// Every gradient at this position, and every record, as tables that need no picture.
let gradientRows = null;
let recordRows = null;

function drawTables() {
  if (find("gradients").open) drawGradients();
  if (find("all").open) drawRecords(find("predict").checked ? position - (hidden() ? 1 : 0) : LAST);
}

function drawGradients() {
  const listed = [...into.keys()].sort((a, b) => b - a);
  if (gradientRows === null) {
    gradientRows = emptyRows(listed.length, (i) => ({ "data-node": listed[i], hidden: true }));
    const table = headed("long", ["gradient", "time step", "of", "so far"], gradientRows, 50);
    for (const group of table.tBodies) group.hidden = true;
    find("gradients").lastElementChild.replaceChildren(table);
  }
  const secret = hidden() ? (records[position - 1].source ?? records[position - 1].node) : null;
  refresh(gradientRows, (i) => `${gradientAt(listed[i], position)}${listed[i] === secret}`, (row, i) => {
    const n = listed[i];
    const now = gradientAt(n, position);
    row.hidden = now === null;
    if (row.parentElement.hidden !== row.hidden) row.parentElement.hidden = [...row.parentElement.children].every((other) => other.hidden);
    row.replaceChildren(...(now === null ? [] : [element("th", { scope: "row" }, grad(n)), element("td", {}, place(n)),
      element("td", {}, nodes[n].op ?? nodes[n].role), element("td", { class: "numbers" }, n === secret ? "?" : matrix(arrayOf(now), false))]));
  }, listed.indexOf(secret));
}

function drawRecords(limit) {
  if (recordRows === null) {
    recordRows = emptyRows(LAST, () => ({}));
    find("all").lastElementChild.replaceChildren(headed("long five", ["record", "pass", "time step", "formula", "result"], recordRows, 50));
  }
  refresh(recordRows, (i) => `${i + 1 === position}${i + 1 > limit}`, (row, i) => {
    const r = records[i];
    const formula = r.kind === "forward" ? `${label(r.node)} = ${r.formula}` : r.kind === "seed" ? grad(r.node) : `${grad(r.source)} += ${r.formula}`;
    row.className = i + 1 === position ? "now" : "";
    row.replaceChildren(
      element("td", {}, element("a", { href: `#${i + 1}` }, String(i + 1))), element("td", {}, r.kind === "forward" ? "forward" : "backward"),
      element("td", {}, place(r.node)), element("td", {}, formula),
      element("td", {}, i + 1 > limit ? "hidden" : briefly(r.kind === "forward" ? nodes[r.node].value : r.part ?? r.after)));
  }, position - 1);
}
