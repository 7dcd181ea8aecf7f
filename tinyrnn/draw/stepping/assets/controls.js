// Buttons, keys and the address.

find("summary").textContent = data.summary;
find("bar").max = LAST;
find("times-title").textContent = times.title;
find("weight").append(element("option", { value: "any" }, "the weight added to last"),
  ...ledgers.map((l) => element("option", { value: l.node }, label(l.node))));
find("ledger").hidden = ledgers.length === 0;

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
find("weight").addEventListener("change", draw);
find("predict").addEventListener("change", () => { revealed = true; draw(); }); // what has been seen is no riddle
for (const id of ["gradients", "all"]) find(id).addEventListener("toggle", drawTables);
for (const { part, n, use } of boxes) {
  part.addEventListener("click", () => {
    const came = into.get(n);
    if (position > TURN && sent.has(use)) go(sent.get(use));
    else if (position > TURN && came !== undefined) go(came[came.length - 1] + 1);
    else if (computed.has(n)) go(computed.get(n));
  });
}

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
if (find("canvas").clientWidth > 0.6 * find("picture").viewBox.baseVal.width) zoom(null);
draw();
