// The picture: only the columns in sight are drawn, whatever the number of time steps.

const HEIGHT = 48; // of a box
const TOP = 30; // room for the titles of the columns
const HUES = 7; // those of the style sheet; further weights get colours from around the wheel
const NAME = 20; // letters of a name that are shown
const picture = find("picture");
const canvas = find("canvas");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const columns = data.picture.columns;
const columnOf = new Map(); // of each operation
const drawn = new Map(); // the columns that are drawn: their parts
const starting = columns.map(() => new Set()); // for each column those in which an edge from it ends
let scale = 1;

columns.forEach((column, c) => {
  const { boxes } = data.picture.templates[column.template];
  boxes.forEach((box, i) => { if (box.length === 3) columnOf.set(column.nodes[i], c); });
});
columns.forEach((column, c) => {
  for (const [, , box, position] of data.picture.templates[column.template].edges) {
    const from = columnOf.get(nodes[column.nodes[box]].inputs[position]);
    if (from !== undefined && from !== c) starting[from].add(c);
  }
});

/** An element of the picture. */
function shape(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const short = (text) => (text.length <= NAME ? text : `${text.slice(0, NAME - 1)}…`);

/** One box: a record, or its copy beside a use. */
function drawBox(column, template, i) {
  const [x, y, width, end, slot] = template.boxes[i];
  const n = column.nodes[i];
  const node = nodes[n];
  const copy = end !== undefined;
  const use = copy ? `${column.nodes[end]}-${slot}` : null;
  const [left, top] = [column.left + x - width / 2, y - HEIGHT / 2];
  const kind = `box${copy ? " copy" : ""}${node.hue === undefined ? "" : " hue"}${node.op === "detach" ? " detach" : ""}`;
  const size = arrayOf(node.value).shape.join(", ");
  const value = shape("text", copy ? { class: "value middle", x: left + width / 2, y: top + 36 } : { class: "value", x: left + 8, y: top + 29 });
  const name = shape("text", copy ? { class: "name middle", x: left + width / 2, y: top + 20 } : { class: "name", x: left + 8, y: top + 16 }, short(node.label));
  const part = shape("g", { class: kind, id: copy ? `c${use}` : `n${n}`, "data-node": n },
    shape("title", {}, `${node.label}: ${node.role}, shape (${size})${node.op ? `, ${node.op}` : ""}`),
    shape("rect", { x: left, y: top, width, height: HEIGHT, rx: copy ? HEIGHT / 2 : 7 }), name, value);
  let gradient = null;
  if (!copy) {
    gradient = shape("text", { class: "grad", x: left + 8, y: top + 42 });
    part.append(shape("text", { class: "op", x: left + width - 8, y: top + 16 }, node.sign ?? ""), gradient);
  }
  if (node.hue !== undefined) part.style.setProperty("--hue", node.hue < HUES ? `var(--hue${node.hue})` : `hsl(${node.hue * 137.5} 65% 50%)`);
  part.addEventListener("click", () => pick(n, use));
  return { part, n, use, value, gradient };
}

/** Draw a column: its band, its boxes, and the edges that end in it. */
function drawColumn(c) {
  const column = columns[c];
  const template = data.picture.templates[column.template];
  const height = data.picture.height + TOP;
  const band = shape("g", {}, shape("rect", { class: c % 2 ? "band" : "band odd", x: column.left, y: 0, width: column.width, height }),
    shape("text", { class: "time", x: column.left + column.width / 2, y: 20 }, column.title));
  const edges = template.edges.map(([path, kind, box, slot]) => {
    const end = column.nodes[box];
    const part = shape("path", { class: kind, id: `e${end}-${slot}`, d: path, transform: `translate(${column.left} 0)` });
    return { part, use: `${end}-${slot}`, end, slot, from: columnOf.get(nodes[end].inputs[slot]) ?? c };
  });
  const boxes = template.boxes.map((_, i) => drawBox(column, template, i));
  return { band, edges, boxes };
}

/** Draw what has come into sight, and take away what has left it. */
function look() {
  const left = canvas.scrollLeft / scale - 300;
  const right = (canvas.scrollLeft + canvas.clientWidth) / scale + 300;
  const seen = new Set(columns.flatMap((column, c) => (column.left < right && column.left + column.width > left ? [c] : [])));
  for (const [c, parts] of drawn) {
    if (seen.has(c)) continue;
    parts.band.remove();
    for (const { part } of [...parts.edges, ...parts.boxes]) part.remove();
    drawn.delete(c);
  }
  let fresh = false;
  for (const c of seen) {
    if (drawn.has(c)) continue;
    fresh = true;
    const parts = drawColumn(c);
    drawn.set(c, parts);
    find("bands").append(parts.band);
    find("edges").append(...parts.edges.map((e) => e.part));
    find("boxes").append(...parts.boxes.map((b) => b.part));
  }
  lookAfar(seen);
  if (fresh) paint();
}

/** Edges that begin in sight and end out of it. */
const afar = new Map();
function lookAfar(seen) {
  const ends = new Set([...seen].flatMap((c) => [...starting[c]]).filter((c) => !seen.has(c)));
  for (const [c, parts] of afar) {
    if (ends.has(c)) continue;
    for (const { part } of parts) part.remove();
    afar.delete(c);
  }
  for (const c of ends) {
    if (!afar.has(c)) afar.set(c, []);
    const parts = afar.get(c);
    const known = new Set(parts.map((e) => e.use));
    const template = data.picture.templates[columns[c].template];
    for (const [path, kind, box, slot] of template.edges) {
      const end = columns[c].nodes[box];
      const use = `${end}-${slot}`;
      const from = columnOf.get(nodes[end].inputs[slot]);
      if (from === undefined || from === c || !seen.has(from) || known.has(use)) continue;
      const part = shape("path", { class: kind, d: path, transform: `translate(${columns[c].left} 0)` });
      parts.push({ part, use, end, slot });
      find("edges").append(part);
    }
  }
}

/** Change a part of the picture, if there is anything to change. */
function update(item, states, value = "", gradient = "") {
  const key = Object.values(states).map(Number).join("") + value + "\n" + gradient;
  if (item.key === key) return;
  item.key = key;
  for (const [name, on] of Object.entries(states)) item.part.classList.toggle(name, on);
  if (item.value) item.value.textContent = value;
  if (item.gradient) item.gradient.textContent = gradient;
}

/** Show in all that is drawn what has happened so far. */
function paint() {
  const r = position ? records[position - 1] : null;
  const secret = hidden();
  for (const { boxes, edges } of drawn.values()) {
    for (const box of boxes) paintBox(box, r, secret);
    for (const edge of edges) paintEdge(edge, r);
  }
  for (const edges of afar.values()) for (const edge of edges) paintEdge(edge, r);
}

function paintBox(box, r, secret) {
  const { n, use } = box;
  const came = use === null ? gradientAt(n, position) : null;
  const lit = use === null ? came !== null : (sent.get(use) ?? Infinity) <= position;
  const now = r !== null && use === null && r.node === n;
  const target = r !== null && r.kind === "backward" && (use === null ? r.source === n : use === `${r.node}-${r.position}`);
  const input = r !== null && r.kind === "forward" && (use === null ? nodes[r.node].inputs.includes(n) : use.split("-")[0] === String(r.node));
  const done = nodes[n].op === undefined || (computed.get(n) ?? 0) <= position;
  let [value, gradient] = ["", ""];
  if (use !== null) {
    value = !lit ? briefly(nodes[n].value) : target && secret ? "+∂ ?" : `+∂ ${briefly(records[sent.get(use) - 1].part)}`;
  } else {
    if (done) value = now && r.kind === "forward" && secret ? "?" : briefly(nodes[n].value);
    if (came !== null) gradient = target && secret ? "∂ ?" : `∂ ${briefly(came)}`;
  }
  const size = came === null ? 1 : norm(arrayOf(came));
  update(box, { done, lit, now, target, input, odd: !Number.isFinite(size) || size === 0 }, value, gradient);
}

function paintEdge(edge, r) {
  const now = r !== null && r.node === edge.end && (r.kind === "forward" || r.position === edge.slot);
  const lit = (sent.get(edge.use) ?? Infinity) <= position;
  update(edge, { done: (computed.get(edge.end) ?? 0) <= position, lit, now, backward: now && r.kind === "backward" });
}

/** Bring the current record into the middle, and draw what is around it. */
function drawPicture() {
  const r = position ? records[position - 1] : null;
  const at = r === null ? undefined : columnOf.get(r.node);
  if (at === undefined) {
    canvas.scrollTo(0, canvas.scrollHeight);
  } else {
    const column = columns[at];
    const i = column.nodes.findIndex((n, j) => n === r.node && data.picture.templates[column.template].boxes[j].length === 3);
    const [x, y] = data.picture.templates[column.template].boxes[i];
    const left = (column.left + x) * scale + margin() - canvas.clientWidth / 2;
    const top = (y + TOP) * scale - canvas.clientHeight / 2;
    const far = Math.abs(left - canvas.scrollLeft) > canvas.clientWidth;
    canvas.scrollTo({ left, top, behavior: calm.matches || playing !== null || far ? "auto" : "smooth" });
  }
  look();
  paint();
}

/** A picture narrower than its canvas stands in the middle of it. */
const margin = () => Math.max(0, (canvas.clientWidth - data.picture.width * scale) / 2);

/** Make the picture larger by a factor; or, without one, show a whole time step if it is then still readable. */
function zoom(factor) {
  const widest = Math.max(...columns.map((column) => column.width));
  const whole = Math.min(canvas.clientWidth / widest, canvas.clientHeight / (data.picture.height + TOP));
  scale = Math.max(SMALLEST, Math.min(factor === null ? 1.4 : 3, factor === null ? whole : scale * factor));
  picture.setAttribute("width", data.picture.width * scale);
  picture.setAttribute("height", (data.picture.height + TOP) * scale);
  find("smaller").disabled = scale <= SMALLEST;
  drawPicture();
}
const SMALLEST = 0.75; // at which the smallest letters are still 8.6 pixels high

picture.setAttribute("viewBox", `0 0 ${data.picture.width} ${data.picture.height + TOP}`);
picture.setAttribute("width", data.picture.width);
picture.setAttribute("height", data.picture.height + TOP);
canvas.addEventListener("scroll", look, { passive: true });
window.addEventListener("resize", look);
