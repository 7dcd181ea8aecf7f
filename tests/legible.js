// What cannot be read in the one drawing of the page: each kind of fault, with where it is.
() => {
  const found = {text_out: [], text_over: [], arrow_box: [], same_line: [], head_off: [], off_centre: [], contrast: []};
  const svg = document.querySelector('svg');
  const name = g => g.querySelector('title').textContent;
  const rect = element => { const {left, right, top, bottom} = element.getBoundingClientRect(); return {left, right, top, bottom}; };
  const boxes = [], texts = [], lines = [];

  for (const g of svg.querySelectorAll('g.node')) {
    const id = name(g), shape = g.querySelector('path, polygon, ellipse');
    const words = [...g.querySelectorAll('text')];
    for (const t of words) texts.push({id, r: rect(t)});
    if (!shape || /legend|note/.test(g.getAttribute('class'))) continue;
    const r = rect(shape);
    boxes.push({id, r, round: shape.tagName === 'ellipse'});
    for (const t of /fold/.test(g.getAttribute('class')) || /^([0-9]+\.)?weight\./.test(id) ? [] : words) {
      const line = words.map(rect).filter(q => Math.abs(q.bottom - rect(t).bottom) < 3); // a title and its index
      const middle = (Math.min(...line.map(q => q.left)) + Math.max(...line.map(q => q.right))) / 2;
      if (Math.abs(middle - (r.left + r.right) / 2) > 3) found.off_centre.push(id + ': ' + t.textContent + ' ' + (middle - (r.left + r.right) / 2).toFixed(1));
    }
    for (const t of words) {
      const q = rect(t);
      if (q.left < r.left - .5 || q.right > r.right + .5 || q.top < r.top - 1.5 || q.bottom > r.bottom + 1.5)
        found.text_out.push(id + ': ' + t.textContent);
    }
  }
  for (const g of svg.querySelectorAll('g.edge, g.cluster'))
    for (const t of g.querySelectorAll('text')) texts.push({id: name(g) + '/' + t.textContent, r: rect(t), free: true});

  const whole = rect(svg);
  for (const t of texts) if (t.r.left < whole.left || t.r.right > whole.right || t.r.top < whole.top || t.r.bottom > whole.bottom)
    found.text_out.push(t.id + ' out of the picture');

  const overlap = (a, b, m) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > m
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > m;
  for (const [i, t] of texts.entries()) {
    for (const u of texts.slice(0, i)) if (t.id !== u.id && overlap(t.r, u.r, 1)) found.text_over.push(t.id + ' | ' + u.id);
    if (t.free) for (const b of boxes) if (overlap(t.r, b.r, 1)) found.text_over.push(t.id + ' | box ' + b.id);
  }
  for (const b of boxes) for (const t of texts) // a legend or note on a box
    if (!t.free && t.id !== b.id && overlap(t.r, b.r, 1)) found.text_over.push(t.id + ' | box ' + b.id);
  for (const [i, b] of boxes.entries()) for (const c of boxes.slice(0, i))
    if (overlap(b.r, c.r, 1)) found.text_over.push('box ' + b.id + ' | box ' + c.id);

  // How far a point is inside of a box; a circle's corners are outside.
  const within = (x, y, {r, round}) => (round ? (r.right - r.left) / 2 - Math.hypot(x - (r.left + r.right) / 2, y - (r.top + r.bottom) / 2)
    : Math.min(x - r.left, r.right - x, y - r.top, r.bottom - y));
  const nearest = (a, b) => [Math.max(a.left, Math.min(a.right, (b.left + b.right) / 2)), Math.max(a.top, Math.min(a.bottom, (b.top + b.bottom) / 2))];
  const touches = (r, box, m) => (box.round ? within(...nearest(r, box.r), box) > m : overlap(r, box.r, m));
  // Points on an edge's path, M and C as Graphviz writes it, two units apart. The browser's getPointAtLength walks
  // the whole path for each: half of the time that a large drawing took.
  const along = path => {
    const d = path.getAttribute('d'), {a, b, c, d: e, e: dx, f: dy} = path.getScreenCTM();
    if (!/^M[-\d.,\s]+(C[-\d.,\s]+)+$/.test(d)) throw new Error('not M and C: ' + d);
    const v = d.match(/-?[\d.]+/g).map(Number), points = [[v[0], v[1]]], pieces = 32;
    let [x, y] = v, due = 2;
    for (let i = 2; i < v.length; i += 6) for (let k = 1, [p, q] = [x, y]; k <= pieces; k++) {
      const t = k / pieces, s = 1 - t, w = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
      const u = w[0] * p + w[1] * v[i] + w[2] * v[i + 2] + w[3] * v[i + 4];
      const r = w[0] * q + w[1] * v[i + 1] + w[2] * v[i + 3] + w[3] * v[i + 5];
      const length = Math.hypot(u - x, r - y);
      for (; due <= length; due += 2) points.push([x + (u - x) * due / length, y + (r - y) * due / length]);
      due -= length;
      [x, y] = [u, r];
    }
    return points.map(([x, y]) => [a * x + c * y + dx, b * x + e * y + dy]);
  };
  const around = points => { // the rectangle of a line: what is not near it need not be asked of each of its points
    const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
    return {left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys)};
  };
  const inside = (points, r, m) => points.filter(([x, y]) => x > r.left + m && x < r.right - m && y > r.top + m && y < r.bottom - m);
  for (const g of svg.querySelectorAll('g.edge')) {
    const [a, b] = name(g).split('->'), kind = g.getAttribute('class');
    for (const p of g.querySelectorAll('path')) {
      const points = along(p);
      if (!kind.includes('weight')) lines.push({a, b, points, kind});
      const reach = around(points), meets = ({r}) => overlap(reach, r, -1);
      for (const box of boxes.filter(meets)) {
        const own = box.id === a || box.id === b;
        if (points.some(([x, y]) => within(x, y, box) > (own ? 4 : 1))) found[own ? 'head_off' : 'arrow_box'].push(a + '->' + b + ' in ' + box.id);
      }
      for (const t of texts.filter(meets)) if (t.free && inside(points, {left: t.r.left, right: t.r.right, top: t.r.top + 1, bottom: t.r.bottom - 1}, 1).length > 1)
        found.text_over.push(t.id + ' | line ' + a + '->' + b);
    }
    for (const h of g.querySelectorAll('polygon, ellipse')) {
      const r = rect(h), wide = 1.6 * (parseFloat(h.getAttribute('stroke-width')) || 1) * 1.34 + 3;
      const near = {left: r.left - wide, right: r.right + wide, top: r.top - wide, bottom: r.bottom + wide};
      if (!kind.includes('cut') && !boxes.some(x => (x.id === a || x.id === b) && touches(near, x, 0)))
        found.head_off.push(a + '->' + b + ' floats');
      for (const x of boxes) if (touches(r, x, 3)) found.head_off.push(a + '->' + b + ' head in ' + x.id);
    }
  }
  // Two lines on one: many points of one are points of the other. What attention looks at shares a way by design.
  const cells = (points, f) => { for (const [x, y] of points) f(Math.round(x / 3), Math.round(y / 3), x, y); };
  const at = (u, v) => u * 1e6 + v;
  const grid = new Map();
  for (const [i, line] of lines.entries()) {
    const near = new Map();
    cells(line.points, (u, v, x, y) => {
      const met = new Set();
      for (let du = -1; du <= 1; du++) for (let dv = -1; dv <= 1; dv++)
        for (const [j, p, q] of grid.get(at(u + du, v + dv)) || [])
          if (Math.abs(x - p) < 1.3 && Math.abs(y - q) < 1.3) met.add(j);
      for (const j of met) near.set(j, (near.get(j) || 0) + 1);
    });
    for (const [j, count] of near) {
      const other = lines[j];
      const both = kind => line.kind.includes(kind) && other.kind.includes(kind);
      const bundle = both('attention') && (line.b === other.b || line.a === other.a);
      if (count > 8 && !bundle) found.same_line.push(line.a + '->' + line.b + ' = ' + other.a + '->' + other.b + ' ' + count);
    }
    cells(line.points, (u, v, x, y) => { if (!grid.has(at(u, v))) grid.set(at(u, v), []); grid.get(at(u, v)).push([i, x, y]); });
  }

  // Contrast, as WCAG 2 counts it: of each text with the filled shape that it stands on, of each line with the ground.
  const parsed = new Map();
  const colour = css => {
    if (!parsed.has(css)) { const s = document.head.style; s.color = ''; s.color = css; parsed.set(css, getComputedStyle(document.head).color.match(/[\d.]+/g).map(Number)); }
    return parsed.get(css);
  };
  const light = css => { const [r, g, b] = colour(css).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const grounds = [];
  for (const element of svg.querySelectorAll('polygon, path, ellipse, text')) {
    const parent = element.closest('g.node, g.edge, g.cluster');
    if (element.tagName !== 'text') {
      const fill = getComputedStyle(element).fill, edge = parent && parent.classList.contains('edge');
      if (!edge && fill !== 'none' && colour(fill)[3] !== 0) grounds.push({r: rect(element), fill});
      continue;
    }
    if (!element.textContent.trim()) continue;
    const r = rect(element), x = (r.left + r.right) / 2, y = (r.top + r.bottom) / 2;
    const ground = grounds.findLast(g => g.r.left <= x && g.r.right >= x && g.r.top <= y && g.r.bottom >= y);
    const value = contrast(getComputedStyle(element).fill, ground ? ground.fill : 'white');
    if (value < 4.5) found.contrast.push(name(parent) + ': ' + element.textContent + ' ' + value.toFixed(1));
  }
  const fields = new Set([...svg.querySelectorAll('g.graph > polygon, g.cluster > path')].map(x => getComputedStyle(x).fill));
  for (const g of svg.querySelectorAll('g.edge')) for (const p of g.querySelectorAll('path')) {
    const stroke = getComputedStyle(p).stroke, value = Math.min(...[...fields].map(fill => contrast(stroke, fill)));
    if (value < 3) found.contrast.push(name(g) + ' line ' + value.toFixed(1));
  }
  return found;
}
