// Buttons, keys and the address.

find("summary").textContent = data.summary;
find("bar").max = LAST;
if (Object.keys(data.omitted).length) find("omitted").textContent = `Not listed: ${Object.entries(data.omitted).map(([op, n]) => `${n} zeros of ${op}`).join(", ")}, each beside a gradient that went elsewhere.`;
find("weight").append(element("option", { value: "any" }, "the weight added to last"),
  ...ledgers.map((l) => element("option", { value: l.node }, label(l.node))));
find("ledger").hidden = ledgers.length === 0;
find("times").hidden = times.length === 0;
find("state").append(element("option", { value: "follow" }, "the layer at hand"), ...times.map(({ name }, i) => element("option", { value: i }, name)));
find("state").parentElement.hidden = times.length < 2;

const actions = {
  start: () => go(0),
  back: () => go(position - 1),
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
find("bar").addEventListener("input", () => go(Number(find("bar").value)));
for (const id of ["weight", "state"]) find(id).addEventListener("change", draw);
find("predict").addEventListener("change", () => { revealed = true; draw(); }); // what has been seen is no riddle
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

const fromAddress = () => Number.parseInt(location.hash.slice(1), 10);
window.addEventListener("hashchange", () => { if (fromAddress() >= 0) go(fromAddress()); });

const first = fromAddress();
position = first >= 0 ? Math.min(first, LAST) : 0;
zoom(null);
draw();
