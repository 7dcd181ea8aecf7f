// Numbers and arrays: how they are shown.

const MINUS = "\u2212";

/** A number as text, with about four digits. Exact zero and what is not finite are told apart from what is small. */
function format(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : `${MINUS}∞`;
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = Number.isInteger(x) && size < 1e5 ? String(x)
    : size >= 1e5 || size < 1e-3 ? x.toExponential(2)
    : String(Number(x.toPrecision(size < 1 ? 3 : 4)));
  return text.replaceAll("-", MINUS);
}

const count = (array) => array.shape.reduce((product, n) => product * n, 1);

/** All digits of a number, but none that its type does not have. */
function exactly(x, dtype) {
  let digits = dtype === "float32" ? 6 : 17;
  while (digits < 9 && Math.fround(Number(x.toPrecision(digits))) !== x) digits += 1;
  return Number.isFinite(x) && digits < 17 ? String(Number(x.toPrecision(digits))) : String(x);
}

/** Euclidean norm. */
function norm(array) {
  if ("norm" in array) return array.norm;
  return "all" in array ? Math.abs(array.all) * Math.sqrt(count(array)) : Math.hypot(...array.rows.flat());
}

/** One short line for an array: the number itself, or its norm. */
function brief(array) {
  return count(array) === 1 ? format("all" in array ? array.all : array.rows[0][0]) : `‖${format(norm(array))}‖`;
}

/** An element with attributes and children; text is always text, never markup. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** How the numbers of one array are written: with the same decimals, so that they can be compared at a glance. */
function writer(largest) {
  if (!(largest >= 1e-3 && largest < 1e4)) return format;
  const decimals = Math.max(0, Math.min(5, 2 - Math.floor(Math.log10(largest))));
  return (x) => {
    if (!Number.isFinite(x) || Number.isInteger(x)) return format(x);
    if (Math.abs(x) < 0.5 * 10 ** -decimals) return x.toExponential(0).replaceAll("-", MINUS);
    return x.toFixed(decimals).replace("-", MINUS);
  };
}

/** A number with its exact value behind it, tinted by sign and size: by classes, so that cells can share what a browser works out for them. */
function cell(x, largest, write, dtype) {
  const odd = !Number.isFinite(x);
  const size = !odd && largest > 0 ? Math.ceil((8 * Math.abs(x)) / largest) : 0;
  return element("td", { class: odd ? "odd" : x < 0 ? `negative s${size}` : x > 0 ? `positive s${size}` : "zero", title: exactly(x, dtype) }, write(x));
}

/** An array as a grid of numbers, or a question mark where it is hidden. */
function matrix(array, hidden) {
  if (hidden) return element("div", { class: "hidden" }, "?");
  const shape = array.shape.length ? `shape (${array.shape.join(", ")}${array.shape.length === 1 ? "," : ""})` : "a number";
  const single = count(array) === 1;
  const rows = "all" in array ? [[array.all]] : array.rows;
  const largest = Math.max(0, ...rows.flat().filter(Number.isFinite).map(Math.abs));
  const write = writer(largest);
  const [down, across] = array.places ?? [rows.map((_, i) => i), rows[0].map((_, j) => j)];
  const named = array.heads !== undefined && !("all" in array);
  const jumps = (places) => named || places.some((at, i) => at !== i); // what is shown is not the first rows, or columns
  const head = (i, axis) => (named ? array.heads[axis][i] : String(i));
  const heads = jumps(across) ? [element("tr", {}, ...(jumps(down) ? [element("th", {})] : []), ...across.map((j) => element("th", {}, head(j, 1))))] : [];
  const table = element("table", { class: rows[0]?.length > 5 ? "matrix wide" : "matrix" },
    element("tbody", {}, ...heads, ...rows.map((row, i) => element("tr", {}, ...(jumps(down) ? [element("th", {}, head(down[i], 0))] : []),
      ...row.map((x) => cell(x, largest, write, array.dtype))))));
  const notes = [];
  if ("all" in array) notes.push("everywhere");
  if ("norm" in array) {
    const width = array.shape[array.shape.length - 1];
    notes.push(`here ${rows.length}×${rows[0].length} of ${count(array) / width}×${width}${array.places.some((places) => places.some((at, i) => at !== i)) ? ", those with most in them" : ""}`, `min ${format(array.min)}`, `max ${format(array.max)}`);
  }
  if (!single) notes.push(`norm ${format(norm(array))}`);
  return element("div", { class: "array" }, table, element("small", {}, single ? shape : `${shape}; ${notes.join("; ")}`));
}

/** An array under its name. */
function figure(caption, array, hidden = false, kind = "") {
  return element("figure", { class: kind }, element("figcaption", {}, caption), matrix(array, hidden));
}

/** A figure with the sign before it, which stay on one line. */
function term(sign, shown, note = "") {
  return element("div", { class: "term" }, element("div", { class: "sign" }, sign, note ? element("small", {}, note) : null), shown);
}
