// The picture: only the columns in sight are drawn, whatever the number of time steps.

const HEIGHT = 48; // of a box
const TOP = 30; // room for the titles of the columns
const HUES = 7; // those of the style sheet; further weights get colours from around the wheel
const NAME = 20; // letters of a name that are shown
const picture = find("picture");
const canvas = find("canvas");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const drawn = new Map(); // the columns that are drawn: their parts
let shown = null; // the picture of the level
let columns = [];
let columnOf = new Map(); // of each vertex
let starting = []; // for each column those in which an edge from it ends
let scale = 1;

/** Take the picture of the level at hand. */
function openPicture() {
  const room = measured(); // before anything changes: each question after a change lays the page out anew
  for (const id of ["bands", "edges", "boxes"]) find(id).replaceChildren();
  drawn.clear();
  afar.clear();
  shown = data.pictures[level === null ? data.pictures.length - 1 : [...levels.values()].indexOf(level)];
  columns = shown.columns;
  columnOf = new Map();
  starting = columns.map(() => new Set());
  columns.forEach((column, c) => {
    shown.templates[column.template].boxes.forEach((box, i) => { if (box.length === 3) columnOf.set(column.nodes[i], c); });
  });
  columns.forEach((column, c) => {
    for (const [, , box, slot] of shown.templates[column.template].edges) {
      const from = columnOf.get(sourcesOf(column.nodes[box])[slot]);
      if (from !== undefined && from !== c) starting[from].add(c);
    }
  });
  picture.setAttribute("viewBox", `0 0 ${shown.width} ${shown.height + TOP}`);
  rescale(null, room);
}

function remove({ band, edges, boxes }) {
  band?.remove();
  for (const { part } of [...edges, ...boxes]) part.remove();
}

/** An element of the picture. */
function shape(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const short = (text) => (text.length <= NAME ? text : `${text.slice(0, NAME - 1)}…`);

/** One box: a record or a part, or the copy of a record beside its use. */
function drawBox(column, template, i) {
  const [x, y, width, end, slot] = template.boxes[i];
  const v = column.nodes[i];
  const node = nodes[mainOf(v)];
  const copy = end !== undefined;
  const use = copy ? [column.nodes[end], slot] : null;
  const hue = partOf(v) === null ? node.hue : undefined;
  const sign = (partOf(v) ?? node).sign ?? "";
  const [left, top] = [column.left + x - width / 2, y - HEIGHT / 2];
  const cut = (partOf(v)?.members ?? [v]).every((n) => nodes[n].op === "detach");
  const kind = `box${copy ? " copy" : ""}${hue === undefined ? "" : " hue"}${cut ? " detach" : ""}`;
  const size = arrayOf(node.value).shape.join(", ");
  const value = shape("text", copy ? { class: "value middle", x: left + width / 2, y: top + 36 } : { class: "value", x: left + 8, y: top + 29 });
  const name = shape("text", copy ? { class: "name middle", x: left + width / 2, y: top + 20 } : { class: "name", x: left + 8, y: top + 16 }, short(nameOf(v)));
  const said = partOf(v) === null ? `${node.role}, shape (${size})${node.op ? `, ${node.op}` : ""}` : `${partOf(v).kind} of ${partOf(v).members.length} operations; ${node.label} has shape (${size})`;
  const part = shape("g", { class: kind, id: copy ? `c${use.join("-")}` : `n${v}`, "data-node": v },
    shape("title", {}, `${nameOf(v)}: ${said}`),
    shape("rect", { x: left, y: top, width, height: HEIGHT, rx: copy ? HEIGHT / 2 : 7 }), name, value);
  let gradient = null;
  if (!copy) {
    gradient = shape("text", { class: "grad", x: left + 8, y: top + 42 });
    part.append(shape("text", { class: "op", x: left + width - 8, y: top + 16 }, sign), gradient);
  }
  if (hue !== undefined) part.style.setProperty("--hue", hue < HUES ? `var(--hue${hue})` : `hsl(${hue * 137.5} 65% 50%)`);
  part.addEventListener("click", () => pick(v, use));
  return { part, v, use, value, gradient };
}

/** Draw a column: its band, its boxes, and the edges that end in it. */
function drawColumn(c) {
  const column = columns[c];
  const template = shown.templates[column.template];
  const height = shown.height + TOP;
  const band = shape("g", {}, shape("rect", { class: c % 2 ? "band" : "band odd", x: column.left, y: 0, width: column.width, height }),
    shape("text", { class: "time", x: column.left + column.width / 2, y: 20 }, column.title));
  const edges = template.edges.map(([path, kind, box, slot]) => {
    const end = column.nodes[box];
    const part = shape("path", { class: kind, id: `e${end}-${slot}`, d: path, transform: `translate(${column.left} 0)` });
    return { part, end, slot };
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
    remove(parts);
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
    const known = new Set(parts.map((e) => `${e.end}-${e.slot}`));
    const template = shown.templates[columns[c].template];
    for (const [path, kind, box, slot] of template.edges) {
      const end = columns[c].nodes[box];
      const from = columnOf.get(sourcesOf(end)[slot]);
      if (from === undefined || from === c || !seen.has(from) || known.has(`${end}-${slot}`)) continue;
      const part = shape("path", { class: kind, d: path, transform: `translate(${columns[c].left} 0)` });
      parts.push({ part, end, slot });
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
  const now = r === null ? null : vertexOf(r.node);
  const secret = hidden();
  for (const { boxes, edges } of drawn.values()) {
    for (const box of boxes) paintBox(box, r, now, secret);
    for (const edge of edges) paintEdge(edge, r, now);
  }
  for (const edges of afar.values()) for (const edge of edges) paintEdge(edge, r, now);
}

/** Whether gradient passes now from a vertex to one of its sources. */
const passes = (r, now, end, slot) => r !== null && r.kind === "backward" && now === end && (level === null ? r.position === slot : crossing(end, slot).length > 0);

function paintBox(box, r, vertex, secret) {
  const { v, use } = box;
  const n = mainOf(v);
  const came = use === null ? gradientAt(n, position) : null;
  const lit = use === null ? came !== null : crossedAt(...use) <= position;
  const now = r !== null && use === null && vertex === v;
  const target = use !== null ? passes(r, vertex, ...use)
    : r !== null && r.kind === "backward" && (level === null ? r.source === n : sourcesOf(vertex).some((s, slot) => s === v && crossing(vertex, slot).length > 0));
  const input = r !== null && r.kind === "forward" && (use === null ? sourcesOf(vertex).includes(v) : use[0] === vertex);
  const done = nodes[n].op === undefined || doneAt(v) <= position;
  let [value, gradient] = ["", ""];
  if (use !== null) {
    value = !lit ? briefly(nodes[n].value) : target && secret ? "+∂ ?" : `+∂ ${briefly(level === null ? records[crossedAt(...use) - 1].part : partSent(partOf(use[0]), use[0] - COUNT, n))}`;
  } else {
    if (done) value = now && r.kind === "forward" && secret ? "?" : briefly(nodes[n].value);
    if (came !== null) gradient = target && secret ? "∂ ?" : `∂ ${briefly(came)}`;
  }
  const size = came === null ? 1 : norm(arrayOf(came));
  update(box, { done, lit, now, target, input, odd: !Number.isFinite(size) || size === 0 }, value, gradient);
}

function paintEdge(edge, r, vertex) {
  const back = passes(r, vertex, edge.end, edge.slot);
  const now = back || (r !== null && r.kind === "forward" && vertex === edge.end);
  const lit = crossedAt(edge.end, edge.slot) <= position;
  update(edge, { done: doneAt(edge.end) <= position, lit, now, backward: back });
}

/** Bring the current record into the middle, and draw what is around it. */
function drawPicture() {
  const v = position ? vertexOf(records[position - 1].node) : null;
  const at = v === null ? undefined : columnOf.get(v);
  if (at === undefined) {
    canvas.scrollTo(0, canvas.scrollHeight);
  } else {
    const column = columns[at];
    const { boxes } = shown.templates[column.template];
    const i = column.nodes.findIndex((other, j) => other === v && boxes[j].length === 3);
    const [x, y] = boxes[i];
    const left = (column.left + x) * scale + margin() - canvas.clientWidth / 2;
    const top = (y + TOP) * scale - canvas.clientHeight / 2;
    const far = Math.abs(left - canvas.scrollLeft) > canvas.clientWidth;
    canvas.scrollTo({ left, top, behavior: calm.matches || playing !== null || far ? "auto" : "smooth" });
  }
  look();
  paint();
}

/** The room for a picture. */
const measured = () => [canvas.clientWidth, parseFloat(getComputedStyle(canvas).maxHeight)];

/** A picture narrower than its canvas stands in the middle of it. */
const margin = () => Math.max(0, (canvas.clientWidth - shown.width * scale) / 2);

/** Make the picture larger by a factor; or, without one, show all of it, or else a time step, if it is then still readable. */
function zoom(factor) {
  rescale(factor, measured());
  drawPicture();
}

function rescale(factor, [room, tallest]) {
  const widest = Math.max(...columns.map((column) => column.width));
  const high = tallest / (shown.height + TOP);
  const all = Math.min(room / shown.width, high);
  const fitting = all >= SMALLEST ? all : Math.min(room / widest, high);
  scale = Math.max(SMALLEST, factor === null ? Math.min(all < SMALLEST && level !== null ? 1 : 1.4, fitting) : Math.min(3, scale * factor));
  picture.setAttribute("width", shown.width * scale);
  picture.setAttribute("height", (shown.height + TOP) * scale);
  find("smaller").disabled = scale <= SMALLEST;
  document.querySelector("main").classList.toggle("low", (shown.height + TOP) * scale < 0.65 * tallest);
}
const SMALLEST = 0.75; // at which the smallest letters are still 8.6 pixels high

canvas.addEventListener("scroll", look, { passive: true });
window.addEventListener("resize", look);
