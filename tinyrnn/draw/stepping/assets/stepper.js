// The position, and all that moves it.

let position = 0;
let revealed = true; // in predict mode: whether the numbers of this record are shown
let playing = null;
const LAST = records.length;
const hidden = () => find("predict").checked && !revealed && position > 0 && records[position - 1].kind !== "seed";

function draw() {
  const secret = hidden();
  find("card").replaceChildren(...card(position, secret), ...(secret ? [guess()] : []));
  find("spoken").textContent = sentence(position, secret);
  const [here, all] = [ordinal(position), total()];
  find("bar").value = here;
  find("bar").setAttribute("aria-valuetext", `record ${here} of ${all}`);
  find("count").textContent = `${here} / ${all}`;
  for (const id of ["start", "back"]) find(id).disabled = position === 0;
  for (const id of ["step", "end", "time"]) find(id).disabled = here === all && !secret;
  find("into").disabled = nextInto() === null;
  find("reveal").hidden = !find("predict").checked;
  find("reveal").disabled = !secret;
  find("play").textContent = playing === null ? "Play" : "Pause";
  drawTimes();
  drawLedger();
  drawTables();
  follow();
  drawPicture();
}

function go(k, shown = false) {
  const next = snapped(Math.max(0, Math.min(LAST, k)));
  if (next !== position) revealed = shown;
  position = next;
  clearTimeout(telling);
  telling = setTimeout(tell, 50); // a browser takes its time with it, and refuses when it comes too often
  draw();
}

let telling;
/** Say in the address where this is. */
function tell() {
  try { history.replaceState(null, "", `#${level === null ? "" : `${level.name}.`}${position}`); } catch { /* inside a notebook's frame there is no address */ }
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
  const truth = asked().first;
  const off = Math.abs(guessed - truth);
  const close = off <= 0.02 * Math.max(Math.abs(truth), 1e-9);
  return element("p", { class: "note", role: "status" }, `You said ${format(guessed)}, the engine has ${format(asked().first)}: ${
    close ? "right." : Math.sign(guessed) === Math.sign(truth) ? `the sign is right, off by ${format(off)}.` : `off by ${format(off)}.`}`);
}

const stepOn = () => (hidden() ? reveal() : go(positionOf(Math.min(ordinal(position) + 1, total()))));
const stepBack = () => go(positionOf(Math.max(ordinal(position) - 1, 0)));

/** Move to where the time step changes next, forwards or backwards. */
function otherTime(direction) {
  const stepOf = (k) => (k > 0 && k <= LAST ? place(records[k - 1].node) || null : null);
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
  if (ordinal(position) === total()) position = 0;
  playing = setInterval(() => (ordinal(position) < total() ? go(positionOf(ordinal(position) + 1), true) : play()), 700);
  draw();
}

/** Go to where a box of the picture is met: computed, or given a gradient. */
function pick(v, use) {
  const part = partOf(v);
  const n = mainOf(v);
  const came = into.get(n);
  const uses = use === null ? [] : crossing(...use);
  if (position > TURN && uses.length) go(uses[0]);
  else if (position > TURN && part?.inside.backward.length) go(part.inside.backward[0] + 1);
  else if (position > TURN && came !== undefined) go(came[came.length - 1] + 1);
  else if (computed.has(n)) go(computed.get(n));
}
