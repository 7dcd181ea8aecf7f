// The levels: a record of a level is a part (a cell, a gate), and stands where the last operation of the part does.

const COUNT = nodes.length;
const NAMES = { cell: "cells", gate: "gates", op: "operations" };
const partIn = (r, level) => (r.kind === "seed" ? -1 : level.of[r.node]);
const entries = new Map(data.entries); // what takes a step out of a stack, with what was stacked there
const passed = new Set(data.passed); // what stands between the two, and nowhere else
const inputsOf = (n) => (passed.has(n) ? [] : entries.get(n) ?? nodes[n].inputs);
const plain = (n) => nodes[n].op === undefined && nodes[n].role === "constant" && arrayOf(nodes[n].value).shape.length === 0;

/** Work out of what `data` says of a level: members and sources of its parts, and where it stops. */
function leveled({ name, of, parts, sums }) {
  const level = { name, of, parts, stops: [], stopOf: new Map(), sums: new Map(sums.map(([part, n, array]) => [`${part}-${n}`, array])) };
  for (const part of parts) Object.assign(part, { members: [], inside: { forward: [], backward: [] }, sources: [] });
  of.forEach((i, n) => { if (i >= 0) parts[i].members.push(n); });
  records.forEach((r, i) => { const at = partIn(r, level); if (at >= 0) parts[at].inside[r.kind].push(i); });
  parts.forEach((part, i) => {
    const found = new Set(part.members.flatMap((m) => inputsOf(m).filter((n) => of[n] !== i && !plain(n) && !(name === "cell" && nodes[n].role === "weight")).map((n) => (of[n] < 0 ? n : COUNT + of[n]))));
    part.sources = [...found];
    if (part.members.every((m) => passed.has(m))) return;
    for (const pass of ["forward", "backward"])
      if (part.inside[pass].length) level.stops.push({ at: part.inside[pass].at(-1) + 1, part: i, pass });
  });
  level.stops.sort((a, b) => a.at - b.at);
  level.stops.forEach((stop, i) => level.stopOf.set(`${stop.pass}-${stop.part}`, i));
  return level;
}

const levels = new Map(data.levels.map((told) => [told.name, leveled(told)]));
const stepsOfBPTT = new Map(data.bptt.map((row) => [row.part, row]));
let level = levels.get(data.level) ?? null; // null: operation by operation

/** The vertex of the picture that an operation, or what is not computed, belongs to. */
const vertexOf = (n) => (level !== null && level.of[n] >= 0 ? COUNT + level.of[n] : n);
const partOf = (v) => (v >= COUNT ? level.parts[v - COUNT] : null);
const mainOf = (v) => partOf(v)?.main ?? v;
const sourcesOf = (v) => partOf(v)?.sources ?? nodes[v].inputs;
const nameOf = (v) => partOf(v)?.label ?? label(v);
/** After how many records a vertex is computed. */
const doneAt = (v) => { const part = partOf(v); return part === null ? computed.get(v) ?? 0 : part.inside.forward.at(-1) + 1; };

/** The records of a part on the way back, without those of what is passed over. */
const sendings = (part) => part.inside.backward.filter((i) => !passed.has(records[i].node));

/** The records by which a vertex sends gradient to one of its sources; to what was stacked, by way of the stack. */
const crossings = new Map();
function crossing(end, slot) {
  const key = `${level?.name ?? "op"}-${end}-${slot}`;
  if (!crossings.has(key)) {
    const part = partOf(end);
    crossings.set(key, part === null ? (sent.has(`${end}-${slot}`) ? [sent.get(`${end}-${slot}`)] : [])
      : sendings(part).filter((i) => (entries.get(records[i].node) ?? [records[i].source]).some((n) => vertexOf(n) === part.sources[slot])).map((i) => i + 1));
  }
  return crossings.get(key);
}
const crossedAt = (end, slot) => crossing(end, slot).at(-1) ?? Infinity;

/** What a part as a whole adds to the gradient of a record; for an entry of a stack that of the entry. */
function partSent(part, i, n) {
  if (entries.has(n) && level.of[n] === i) return gradientAt(n, LAST);
  return level.sums.get(`${i}-${n}`) ?? records[part.inside.backward.find((k) => records[k].source === n)].part;
}

// --- positions ---
/** Where a level stops for the record that ends at k; k itself, operation by operation. */
function snapped(k) {
  if (level === null || k === 0) return k;
  const r = records[k - 1];
  if (r.kind === "seed") return level.stops.find((stop) => stop.at > k)?.at ?? k;
  const stop = level.stops[level.stopOf.get(`${r.kind}-${partIn(r, level)}`)] ?? level.stops.find((other) => other.at > k);
  return stop?.at ?? level.stops.at(-1).at;
}
const stopAt = (k) => level?.stops.find((stop) => stop.at === k);
/** The number of a record of the level, counted from 1, and how many there are. */
const ordinal = (k) => (level === null ? k : level.stops.filter((stop) => stop.at <= k).length);
const total = () => (level === null ? LAST : level.stops.length);
const positionOf = (i) => (level === null || i === 0 ? i : level.stops[i - 1].at);

/** Whether a record belongs to what is being looked at. */
function isNow(i) {
  const stop = stopAt(position);
  return stop === undefined ? i === position - 1 : records[i].kind === stop.pass && partIn(records[i], level) === stop.part;
}

function setLevel(name, k = position) {
  level = levels.get(name) ?? null;
  if (level !== null) find("predict").checked = false; // what is asked there is one operation
  for (const each of Object.keys(NAMES)) find(`level-${each}`).setAttribute("aria-pressed", String(each === (level?.name ?? "op")));
  find("bar").max = total();
  find("use").hidden = level?.name === "cell"; // the picture of cells leaves weights out
  openPicture();
  go(k);
}

let openedFrom = "cell"; // the level to which closing goes back
/** Go through the operations of the part at hand; or, among operations, back to the part that they belong to. */
function openOrClose() {
  const stop = stopAt(position);
  if (level === null) { if (levels.size) setLevel(openedFrom); return; }
  openedFrom = level.name;
  if (stop !== undefined) setLevel("op", level.parts[stop.part].inside[stop.pass][0] + 1);
}
