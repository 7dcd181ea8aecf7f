// What part of the picture is seen: the viewBox of the SVG, moved and scaled.

const find = (id) => document.getElementById(id);
const stage = find("stage");
let svg = null;
let whole = null; // the picture's own box
let seen = null;  // what is seen of it: x, y, width, height
const NEAREST = 40; // times larger than all of it

function look(x, y, width, height) {
  seen = { x, y, width, height };
  svg.setAttribute("viewBox", [x, y, width, height].map((n) => n.toFixed(2)).join(" "));
}

const fit = () => look(whole.x, whole.y, whole.width, whole.height);

/** Scale by a factor about a point of the window, or about the middle of what is seen. */
function zoom(factor, at = null) {
  const width = Math.min(whole.width * 2, Math.max(whole.width / NEAREST, seen.width / factor));
  const share = width / seen.width;
  const about = at === null ? { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2 } : inPicture(at);
  look(about.x - (about.x - seen.x) * share, about.y - (about.y - seen.y) * share, width, seen.height * share);
}

/** Move by so many pixels of the window. */
function move(dx, dy) {
  const scale = svg.getScreenCTM().a;
  look(seen.x - dx / scale, seen.y - dy / scale, seen.width, seen.height);
}

/** A point of the window in the picture's own lengths. */
function inPicture({ x, y }) {
  return new DOMPoint(x, y).matrixTransform(svg.getScreenCTM().inverse());
}

/** Bring a box into sight, where it is not. */
function reveal(box) {
  const [mine, frame] = [box.getBoundingClientRect(), stage.getBoundingClientRect()];
  if (mine.left >= frame.left && mine.right <= frame.right && mine.top >= frame.top && mine.bottom <= frame.bottom) return;
  move((frame.left + frame.right - mine.left - mine.right) / 2, (frame.top + frame.bottom - mine.top - mine.bottom) / 2);
}

/** Show a picture: all of it, or what was seen of the one before. */
function raise(id, keep) {
  svg = find(id).content.querySelector("svg").cloneNode(true);
  const { x, y, width, height } = svg.viewBox.baseVal;
  whole = { x, y, width, height };
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  svg.setAttribute("preserveAspectRatio", "xMidYMid meet");
  stage.replaceChildren(svg);
  if (keep) look(seen.x, seen.y, seen.width, seen.height);
  else fit();
}

// --- pointers
const fingers = new Map();
let dragged = false; // a click that ends a drag is none
stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  if (fingers.size === 0) dragged = false;
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
});
stage.addEventListener("pointermove", (event) => {
  const last = fingers.get(event.pointerId);
  if (last === undefined) return;
  const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
  if (!dragged && Math.hypot(dx, dy) < 4) return;
  dragged = true;
  stage.classList.add("dragged");
  stage.setPointerCapture(event.pointerId);
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  const here = { x: event.clientX, y: event.clientY };
  if (other === undefined) move(dx, dy);
  else zoom(Math.hypot(here.x - other.x, here.y - other.y) / Math.max(Math.hypot(last.x - other.x, last.y - other.y), 1), other);
  fingers.set(event.pointerId, here);
});
for (const kind of ["pointerup", "pointercancel"])
  window.addEventListener(kind, (event) => { fingers.delete(event.pointerId); if (!fingers.size) stage.classList.remove("dragged"); });
stage.addEventListener("click", (event) => { if (dragged) { event.preventDefault(); event.stopPropagation(); } }, true);
stage.addEventListener("dragstart", (event) => event.preventDefault());
stage.addEventListener("dblclick", (event) => { if (!event.target.closest("g.box")) zoom(1.6, { x: event.clientX, y: event.clientY }); });
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 400 : 1) / 500), { x: event.clientX, y: event.clientY });
}, { passive: false });
