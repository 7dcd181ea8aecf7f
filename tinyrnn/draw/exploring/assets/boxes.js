// The boxes of the picture, and what the card says of one.

const data = JSON.parse(find("data").textContent);
const arrayOf = data.arrays.forms === undefined ? null : reader(data.arrays);
let boxes = new Map(); // the group of each box, by its id
let here = null;       // the box at hand

const addressOf = (id) => (data.stepper && data.boxes[id]?.record !== undefined ? `${data.stepper}#${data.boxes[id].record}` : null);
const toLook = (id) => boxes.get(id).closest("a") ?? boxes.get(id); // what takes the focus

/** Make boxes of the picture's nodes: those with something behind them can be reached, and a link is a link. */
function furnish() {
  boxes = new Map();
  for (const title of svg.querySelectorAll("title")) {
    const group = title.parentElement;
    const id = title.textContent;
    title.remove(); // a bubble of the browser would lie over the picture
    if (!group.classList.contains("node") || data.boxes[id] === undefined) continue;
    boxes.set(id, group);
    group.classList.add("box");
    let taker = group;
    const address = addressOf(id);
    if (address !== null && data.folds[id] === undefined) {
      taker = document.createElementNS("http://www.w3.org/2000/svg", "a");
      taker.setAttribute("href", address);
      group.replaceWith(taker);
      taker.append(group);
    } else {
      group.setAttribute("role", data.folds[id] === undefined ? "img" : "button");
      if (data.folds[id] !== undefined) group.setAttribute("aria-expanded", "false");
    }
    const { title: name, place } = data.boxes[id];
    taker.setAttribute("aria-label", [name, place].filter(Boolean).join(", ") + (data.folds[id] === undefined ? "" : "; opens"));
    taker.setAttribute("tabindex", "-1");
    taker.addEventListener("focus", () => { at(id); if (taker.matches(":focus-visible")) reveal(group); }); // not under the pointer
    group.addEventListener("pointerenter", () => { if (!dragged || !fingers.size) tell(id); });
    group.addEventListener("pointerleave", () => { if (here !== null && boxes.has(here)) tell(here); });
    if (data.folds[id] !== undefined) group.addEventListener("click", () => open(id));
    else if (address === null) group.addEventListener("click", () => taker.focus());
  }
  at(boxes.has(here) ? here : ([...boxes.keys()][0] ?? null), false);
}

/** Make a box the one at hand; only it is reached by Tab. */
function at(id, told = true) {
  for (const [other, group] of boxes) group.classList.toggle("here", told && other === id);
  if (here !== null && boxes.has(here)) toLook(here).setAttribute("tabindex", "-1");
  here = id;
  if (id === null) return;
  toLook(id).setAttribute("tabindex", "0");
  if (told) tell(id);
}

/** The nearest box in a direction, from edge to edge: far to the side counts double. */
function beside(id, dx, dy) {
  const mine = boxes.get(id).getBoundingClientRect();
  let best = null;
  let least = Infinity;
  for (const [other, group] of boxes) {
    const its = group.getBoundingClientRect();
    const [right, left, below, above] = [its.left - mine.right, mine.left - its.right, its.top - mine.bottom, mine.top - its.bottom];
    const along = dx > 0 ? right : dx < 0 ? left : dy > 0 ? below : above;
    const across = Math.max(0, ...(dx ? [below, above] : [right, left]));
    const off = dx ? its.top + its.bottom - mine.top - mine.bottom : its.left + its.right - mine.left - mine.right;
    const cost = along + 2 * across + Math.abs(off) / 10;
    if (other !== id && along > -1 && cost < least) [best, least] = [other, cost];
  }
  return best;
}

/** Say in the card what is behind a box. */
function tell(id) {
  const { title, place, arrays, steps } = data.boxes[id];
  const address = addressOf(id);
  find("card").dataset.box = id;
  find("card").replaceChildren(
    element("h2", {}, title),
    place ? element("p", { class: "quiet" }, place) : "",
    data.folds[id] !== undefined ? element("p", {}, element("button", { type: "button", click: () => open(id) }, "Open the fold")) : "",
    address !== null ? element("p", {}, element("a", { href: address }, "The same place in the stepper")) : "",
    ...arrays.map(([caption, i]) => figure(caption, arrayOf(i))),
    steps === undefined ? "" : foldedSteps(steps),
    arrays.length || steps !== undefined ? "" : element("p", { class: "quiet" }, "Its values were not kept: compute inside tr.unrolled() to see them."),
  );
}

/** The norms of folded steps, with bars on a logarithmic scale. */
function foldedSteps({ first, norms }) {
  const numbers = norms.flatMap(([, all]) => all).filter((n) => n > 0);
  const [low, high] = numbers.reduce(([a, b], n) => [Math.min(a, Math.log10(n)), Math.max(b, Math.log10(n))], [Infinity, -Infinity]);
  const bar = (n) => {
    const made = element("span", { class: "bar" });
    made.style.setProperty("--length", typeof n === "number" && n > 0 ? (0.04 + 0.96 * (high > low ? (Math.log10(n) - low) / (high - low) : 1)).toFixed(3) : "0");
    return made;
  };
  const count = norms[0]?.[1].length ?? 0;
  const rows = Array.from({ length: count }, (_, k) => element("tr", {}, element("th", { scope: "row" }, `t = ${first + k}`),
    ...norms.flatMap(([, all]) => [element("td", {}, format(Number(all[k]))), element("td", {}, bar(all[k]))])));
  return element("div", { id: "steps" }, element("table", {},
    element("thead", {}, element("tr", {}, element("th", {}), ...norms.map(([name]) => element("th", { colspan: "2" }, name)))),
    element("tbody", {}, ...rows)));
}
