"use strict";
// The page's data: columns made rows again, and arrays decoded when they are first looked at.

/** What the page was told, with what it left out for being plain to see. */
function unpack(packed) {
  const { texts, nodes: told, records: backward, levels: parted, ...rest } = packed;
  const subscript = (n) => [...String(n)].map((d) => (d === "-" ? "₋" : String.fromCharCode(0x2080 + Number(d)))).join("");
  const text = (i, time) => (typeof texts[i] === "string" ? texts[i] : texts[i].map((x) => (typeof x === "number" ? subscript(time + x) : x)).join(""));
  const TEXTS = new Set(["label", "role", "op", "sign", "formula", "localFormula", "kind", "group"]);
  const COUNTS = ["value", "node", "part", "local", "product", "upstream", "after", "main"]; // written as differences
  const rows = (columns, timeOf) => {
    for (const key of COUNTS) {
      let last = 0;
      if (columns[key]) columns[key] = columns[key].map((d) => (d === "" ? d : (last += d)));
    }
    const keys = Object.keys(columns);
    return (columns[keys[0]] ?? []).map((_, i) => {
      const row = {};
      for (const key of keys) {
        const value = columns[key][i];
        if (value !== "") row[key] = TEXTS.has(key) ? text(value, timeOf(i)) : value;
      }
      return row;
    });
  };
  const nodes = rows(told, (i) => told.time?.[i]);
  const records = nodes.flatMap((node, n) => (node.op === undefined ? [] : [{ kind: "forward", node: n, formula: node.formula }]));
  records.push({ kind: "seed", node: rest.root, after: rest.seed });
  const latest = new Map([[rest.root, rest.seed]]);
  for (const r of rows(backward, (i) => nodes[backward.node[i]].time)) {
    const source = nodes[r.node].inputs[r.position];
    records.push({ kind: "backward", source, upstream: latest.get(r.node), before: latest.get(source), ...r });
    latest.set(source, r.after);
  }
  const levels = parted.map((level) => ({ ...level, parts: rows(level.parts, (i) => level.parts.time?.[i]) }));
  return { ...rest, nodes, records, levels };
}

/** Return a function that gives the array of a number: its shape, and `all` or `rows`. */
function reader({ forms, entries, ...streams }) {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const numbers = { float32: new Float32Array(bytes(streams.float32)), float64: new Float64Array(bytes(streams.float64)) };
  const used = { float32: 0, float64: 0 };
  const size = (shape) => shape.reduce((product, n) => product * n, 1);
  const starts = entries.map((entry) => {
    if (Array.isArray(entry)) return 0;
    const { shape, dtype, all, rows, columns } = forms[entry];
    const start = used[dtype];
    used[dtype] += all ? 1 : rows ? rows.length * columns.length + 3 : size(shape);
    return start;
  });
  const table = (flat, width) => (width ? Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width)) : [[]]);
  const known = new Map();
  const decoded = (i) => {
    if (Array.isArray(entries[i])) {
      const [sign, ...back] = entries[i];
      return sign === "T" ? turned(arrayOf(i - back[0])) : combined(sign, i - back[0], i - back[1]);
    }
    const { shape, dtype, all, rows, columns } = forms[entries[i]];
    const from = numbers[dtype].subarray(starts[i]);
    if (all) return { shape, dtype, all: from[0] };
    if (!rows) return { shape, dtype, rows: table([...from.subarray(0, size(shape))], shape.length ? shape[shape.length - 1] : 1) };
    const [norm, min, max] = from.subarray(rows.length * columns.length);
    return { shape, dtype, rows: table([...from.subarray(0, rows.length * columns.length)], columns.length), norm, min, max, places: [rows, columns] };
  };
  const turned = (a) => ({ ...a, shape: a.shape.slice().reverse(), ...(a.rows ? { rows: a.rows[0].map((_, j) => a.rows.map((row) => row[j])) } : {}),
    ...(a.places ? { places: a.places.slice().reverse() } : {}) });
  /** The sum or the product of two arrays, rounded as the engine rounds it. */
  const combined = (sign, left, right) => {
    const [a, b] = [arrayOf(left), arrayOf(right)];
    const round = a.dtype === "float32" ? Math.fround : (x) => x;
    const made = (x, y) => round(sign === "+" ? x + y : x * y);
    if ("all" in a && "all" in b) return { ...a, all: made(a.all, b.all) };
    const at = (array, i, j) => ("all" in array ? array.all : array.rows[i][j]);
    return { shape: a.shape, dtype: a.dtype, rows: (a.rows ?? b.rows).map((row, i) => row.map((_, j) => made(at(a, i, j), at(b, i, j)))) };
  };
  const arrayOf = (i) => {
    if (!known.has(i)) known.set(i, decoded(i));
    return known.get(i);
  };
  return arrayOf;
}
