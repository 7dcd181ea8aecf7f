// The position, and all that moves it.

let position = 0;
let revealed = true; // in predict mode: whether the numbers of this record are shown
let playing = null;
let scale = 1;
const LAST = records.length;
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const boxes = [...document.querySelectorAll("#picture .box")].map((part) => ({
  part,
  n: Number(part.dataset.node),
  use: part.id.startsWith("c") ? part.id.slice(1) : null, // a copy beside its use
  value: part.querySelector(".value"),
  gradient: part.querySelector(".grad"),
}));
const edges = [...document.querySelectorAll("#picture .edge")].map((part) => {
  const use = part.id.slice(1);
  const [end, slot] = use.split("-").map(Number);
  return { part, use, end, slot };
});
const hidden = () => find("predict").checked && !revealed && position > 0 && records[position - 1].kind !== "seed";

/** Change a part of the picture, if there is anything to change: a long picture has thousands of parts. */
function update(item, states, value = "", gradient = "") {
  const look = JSON.stringify([states, value, gradient]);
  if (item.look === look) return;
  item.look = look;
  for (const [name, on] of Object.entries(states)) item.part.classList.toggle(name, on);
  if (item.value) item.value.textContent = value;
  if (item.gradient) item.gradient.textContent = gradient;
}

function drawPicture() {
  const r = position ? records[position - 1] : null;
  const secret = hidden();
  for (const box of boxes) {
    const { n, use } = box;
    const came = use === null ? gradientAt(n, position) : null;
    const lit = use === null ? came !== null : (sent.get(use) ?? Infinity) <= position;
    const now = r !== null && use === null && r.node === n;
    const target = r !== null && r.kind === "backward" && (use === null ? r.source === n : use === `${r.node}-${r.position}`);
    const input = r !== null && r.kind === "forward" && (use === null ? nodes[r.node].inputs.includes(n) : use.split("-")[0] === String(r.node));
    const done = nodes[n].op === "" || (computed.get(n) ?? 0) <= position;
    let [value, gradient] = ["", ""];
    if (use !== null) {
      value = !lit ? brief(arrayOf(nodes[n].value)) : target && secret ? "+∂ ?" : `+∂ ${brief(arrayOf(records[sent.get(use) - 1].part))}`;
    } else {
      if (done) value = now && r.kind === "forward" && secret ? "?" : brief(arrayOf(nodes[n].value));
      if (came !== null) gradient = target && secret ? "∂ ?" : `∂ ${brief(came)}`;
    }
    const odd = came !== null && (typeof norm(came) === "string" || norm(came) === 0);
    update(box, { done, lit, now, target, input, odd }, value, gradient);
  }
  for (const edge of edges) {
    const now = r !== null && r.node === edge.end && (r.kind === "forward" || r.position === edge.slot);
    const lit = (sent.get(edge.use) ?? Infinity) <= position;
    update(edge, { done: (computed.get(edge.end) ?? 0) <= position, lit, now, backward: now && r.kind === "backward" });
  }
  const at = r === null ? null : find(`n${r.node}`);
  const canvas = find("canvas");
  if (at !== null) {
    const inner = at.getBoundingClientRect();
    const outer = canvas.getBoundingClientRect();
    const left = canvas.scrollLeft + inner.left + inner.width / 2 - outer.left - outer.width / 2;
    const top = canvas.scrollTop + inner.top + inner.height / 2 - outer.top - outer.height / 2;
    canvas.scrollTo({ left, top, behavior: calm.matches || playing !== null ? "auto" : "smooth" });
  } else canvas.scrollTo(0, canvas.scrollHeight);
}

/** Sizes of the gradient of the state, a bar for each time step, on a log scale. */
function drawTimes() {
  find("times").hidden = times.steps.length === 0;
  const sizeAt = (nodesOfStep, k) => {
    const sizes = nodesOfStep.map((n) => gradientAt(n, k)).filter((a) => a !== null).map((a) => finite(norm(a)));
    return sizes.length ? Math.hypot(...sizes) : null;
  };
  const final = times.steps.map((s) => sizeAt(s.nodes, LAST)).filter((x) => x !== null && x > 0 && Number.isFinite(x));
  const top = Math.max(...final);
  const decades = Math.log10(top / Math.min(...final)) * 1.2 + 0.3;
  const current = position ? nodes[records[position - 1].node].step : null;
  find("bars").replaceChildren(...times.steps.map((s) => {
    const target = position && records[position - 1].kind === "backward" ? records[position - 1].source : null;
    const size = hidden() && s.nodes.includes(target) ? null : sizeAt(s.nodes, position);
    const bar = element("span", { class: "bar" });
    const height = size === null || !(size > 0) ? 0 : Math.max(0.03, 1 + Math.log10(size / top) / decades);
    bar.style.setProperty("--height", Math.min(height, 1).toFixed(3));
    const text = size === null ? "·" : Number.isNaN(size) ? "NaN" : format(size);
    return element("button", { type: "button", class: s.step === current ? "now" : "", click: () => go(firstAt(s.step)),
      "aria-label": `time step ${s.step}, gradient ${size === null ? "not yet known" : text}`, "aria-current": s.step === current ? "step" : null },
    element("span", { class: "well" }, bar), element("small", {}, text), element("span", {}, `t=${s.step}`));
  }));
}

/** Where a time step is first met in the pass that is being walked through. */
function firstAt(step) {
  const from = position > TURN ? TURN : 0;
  const i = records.findIndex((r, j) => j >= from && nodes[r.node].step === step);
  return i < 0 ? position : i + 1;
}

function drawLedger() {
  const r = position ? records[position - 1] : null;
  const chosen = find("weight").value;
  let ledger = ledgers.find((l) => String(l.node) === chosen);
  if (ledger === undefined) { // the weight that was added to last
    const latest = (l) => l.rows.filter((i) => i < position).pop() ?? -1;
    ledger = ledgers.reduce((best, l) => (latest(l) > latest(best) ? l : best), ledgers[0]);
  }
  find("rows").replaceChildren(...(ledger ? [element("p", { class: "which" }, `∂${label(ledger.node)}`, r ? "" : " (not begun)"),
    ledgerTable(ledger, position, hidden(), go)] : []));
}

function drawTables() {
  if (find("gradients").open) find("gradients").lastElementChild.replaceChildren(gradientTable(position, hidden()));
  if (find("all").open) find("all").lastElementChild.replaceChildren(recordTable(position, find("predict").checked ? position - (hidden() ? 1 : 0) : LAST));
}

function draw() {
  const secret = hidden();
  find("card").replaceChildren(...card(position, secret), ...(secret ? [guess()] : []));
  find("spoken").textContent = sentence(position, secret);
  find("bar").value = position;
  find("bar").setAttribute("aria-valuetext", `record ${position} of ${LAST}`);
  find("count").textContent = `${position} / ${LAST}`;
  for (const id of ["start", "back"]) find(id).disabled = position === 0;
  for (const id of ["step", "end", "time"]) find(id).disabled = position === LAST && !secret;
  find("into").disabled = nextInto() === null;
  find("reveal").hidden = !find("predict").checked;
  find("reveal").disabled = !secret;
  find("play").textContent = playing === null ? "Play" : "Pause";
  drawPicture();
  drawTimes();
  drawLedger();
  drawTables();
}

function go(k, shown = false) {
  const next = Math.max(0, Math.min(LAST, k));
  if (next !== position) revealed = shown;
  position = next;
  try { history.replaceState(null, "", `#${position}`); } catch { /* inside a notebook's frame there is no address */ }
  draw();
}

function reveal() {
  const field = find("guess");
  const guessed = field === null || field.value.trim() === "" ? null : Number(field.value.replace(MINUS, "-").replace(",", "."));
  revealed = true;
  draw();
  if (guessed !== null) find("card").append(verdict(guessed));
}

/** The number that the reader is asked for: the first of the result. */
function asked() {
  const r = records[position - 1];
  const array = arrayOf(r.kind === "forward" ? nodes[r.node].value : r.part);
  return { of: r.kind === "forward" ? label(r.node) : "the contribution", first: "all" in array ? array.all : array.rows[0]?.[0], single: count(array) === 1 };
}

function guess() {
  const { of, single } = asked();
  return element("p", { class: "guess" }, element("label", { for: "guess" }, `Your guess for ${single ? of : `the first number of ${of}`} (may be left empty): `),
    element("input", { id: "guess", inputmode: "decimal", autocomplete: "off", size: "8" }),
    element("button", { type: "button", class: "main", click: reveal }, "Reveal"));
}

function verdict(guessed) {
  const truth = finite(asked().first);
  const off = Math.abs(guessed - truth);
  const close = off <= 0.02 * Math.max(Math.abs(truth), 1e-9);
  return element("p", { class: "note", role: "status" }, `You said ${format(guessed)}, the engine has ${format(asked().first)}: ${
    close ? "right." : Math.sign(guessed) === Math.sign(truth) ? `the sign is right, off by ${format(off)}.` : `off by ${format(off)}.`}`);
}

const stepOn = () => (hidden() ? reveal() : go(position + 1));

/** Move to where the time step changes next, forwards or backwards. */
function otherTime(direction) {
  const stepOf = (k) => (k > 0 && k <= LAST ? nodes[records[k - 1].node].step : null);
  let k = position;
  const from = stepOf(k);
  do k += direction; while (k > 0 && k < LAST && (stepOf(k) === from || stepOf(k) === null));
  go(k);
}

function nextInto() {
  const chosen = find("weight").value;
  const rows = ledgers.filter((l) => chosen === "any" || String(l.node) === chosen).flatMap((l) => l.rows);
  const later = rows.filter((i) => i >= position);
  return later.length ? Math.min(...later) + 1 : null;
}

function play() {
  if (playing !== null) { clearInterval(playing); playing = null; draw(); return; }
  if (position === LAST) position = 0;
  playing = setInterval(() => (position < LAST ? go(position + 1, true) : play()), 700);
  draw();
}

function zoom(factor) {
  const picture = find("picture");
  const width = picture.viewBox.baseVal.width;
  scale = factor === null ? Math.min(1.4, (find("canvas").clientWidth - 4) / width) : Math.max(0.15, Math.min(3, scale * factor));
  picture.setAttribute("width", width * scale);
  picture.setAttribute("height", picture.viewBox.baseVal.height * scale);
  drawPicture();
}
