// The ratio of WCAG, for each text against the nearest background; translucent tints are blended. Gives how many
// texts there are, and those with less than 4.5.
() => {
  const made = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const kept = (f, known = new Map()) => (x) => (known.has(x) || known.set(x, f(x)), known.get(x));
  const parse = kept((text) => {
    made.clearRect(0, 0, 1, 1); made.fillStyle = text; made.fillRect(0, 0, 1, 1);
    return [...made.getImageData(0, 0, 1, 1).data].map((x) => x / 255);
  });
  const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const over = (top, below) => top.slice(0, 3).map((x, i) => x * top[3] + below[i] * (1 - top[3]));
  const backdrop = kept((element) => element === null ? [1, 1, 1]
    : over(parse(getComputedStyle(element).backgroundColor), backdrop(element.parentElement)));
  const found = {texts: 0, faint: []};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const [parent, text] = [walk.currentNode.parentElement, walk.currentNode.textContent.trim()];
    if (!text || !parent.checkVisibility()) continue;
    if (parent.closest("svg, :disabled, script, style, option")) continue;
    const [a, b] = [light(parse(getComputedStyle(parent).color)), light(backdrop(parent))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.texts += 1;
    if (ratio < 4.5) found.faint.push([ratio, text]);
  }
  return found;
}
