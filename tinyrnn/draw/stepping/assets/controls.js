// Buttons, keys and the address.

find("summary").textContent = data.summary;
if (Object.keys(data.omitted).length) find("omitted").textContent = `Not listed: ${Object.entries(data.omitted).map(([op, n]) => `${n} zeros of ${op}`).join(", ")}, each beside a gradient that went elsewhere.`;
find("weight").append(element("option", { value: "any" }, "the weight added to last"),
  ...ledgers.map((l) => element("option", { value: l.node }, label(l.node))));
find("ledger").hidden = ledgers.length === 0;
find("times").hidden = times.length === 0;
find("state").append(element("option", { value: "follow" }, "the layer at hand"), ...times.map(({ name }, i) => element("option", { value: i }, name)));
find("state").parentElement.hidden = times.length < 2;

const actions = {
  start: () => go(0),
  back: stepBack,
  step: stepOn,
  end: () => go(LAST),
  play,
  reveal,
  time: () => otherTime(1),
  into: () => { const next = nextInto(); if (next !== null) go(next); },
  turn: () => go(TURN + 1),
  smaller: () => zoom(1 / 1.25),
  larger: () => zoom(1.25),
  fit: () => zoom(null),
};
for (const [id, action] of Object.entries(actions)) find(id).addEventListener("click", () => action());
find("bar").addEventListener("input", () => go(positionOf(Number(find("bar").value))));
for (const id of ["weight", "state"]) find(id).addEventListener("change", draw);
find("predict").addEventListener("change", () => { revealed = true; if (level === null) draw(); else { setLevel("op"); find("predict").checked = true; draw(); } }); // what has been seen is no riddle
for (const id of ["gradients", "all"]) find(id).addEventListener("toggle", drawTables);
const keys = {
  ArrowRight: stepOn,
  ArrowLeft: actions.back,
  ArrowDown: actions.time,
  ArrowUp: () => otherTime(-1),
  Home: actions.start,
  End: actions.end,
  " ": play,
  Enter: () => { if (hidden()) reveal(); },
  w: actions.into,
  b: actions.turn,
  p: () => find("predict").click(),
  o: openOrClose,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  const at = event.target;
  const typing = at.matches("select, input:not([type=range], [type=checkbox])");
  if (typing && !(event.key === "Enter" && at.id === "guess")) return;
  if ((event.key === " " || event.key === "Enter") && at.matches("button, a, summary, [type=checkbox]")) return;
  const action = keys[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
});

/** The level and the position that the address says: #12 is operation 12, #cell.12 the cell that it belongs to. */
function fromAddress() {
  const [, name, k] = /^#(?:(cell|gate|op)\.)?(\d+)$/.exec(location.hash) ?? [];
  return k === undefined ? null : [name ?? "op", Number(k)];
}
window.addEventListener("hashchange", () => { const told = fromAddress(); if (told !== null) setLevel(...told); });

for (const name of Object.keys(NAMES)) find(`level-${name}`).addEventListener("click", () => setLevel(name));
find("level").hidden = levels.size === 0;
setLevel(...(fromAddress() ?? [data.level, 0]));
