// Folds, buttons and keys.

let unfolded = null;

/** Show the picture in which a fold is open. */
function open(fold) {
  unfolded = fold;
  const known = new Set(boxes.keys());
  raise(data.folds[fold], true);
  furnish();
  find("close").hidden = false;
  const fresh = [...boxes.keys()].find((id) => !known.has(id));
  if (fresh !== undefined) toLook(fresh).focus({ preventScroll: true });
}

function close() {
  if (unfolded === null) return;
  const fold = unfolded;
  unfolded = null;
  raise("picture0", true);
  furnish();
  find("close").hidden = true;
  toLook(fold).focus({ preventScroll: true });
}

const buttons = { close, fit, smaller: () => zoom(1 / 1.3), larger: () => zoom(1.3) };
for (const [id, action] of Object.entries(buttons)) find(id).addEventListener("click", action);

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { "+": buttons.larger, "=": buttons.larger, "-": buttons.smaller, 0: fit, Escape: close };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const [dx, dy] = WAYS[event.key] ?? [0, 0];
  const inside = stage.contains(event.target);
  if (KEYS[event.key] !== undefined) KEYS[event.key]();
  else if ((dx || dy) && event.shiftKey) move(-60 * dx, -60 * dy);
  else if ((dx || dy) && inside && here !== null) {
    const next = beside(here, dx, dy);
    if (next !== null) toLook(next).focus({ preventScroll: true });
  } else if ((event.key === "Enter" || event.key === " ") && inside && data.folds[here] !== undefined) open(here);
  else return;
  event.preventDefault();
});

raise("picture0", false);
furnish();
