() => {
  const out = {text_out: [], text_over: [], arrow_box: [], same_line: [], head_in: []};
  const svg = document.querySelector('svg');
  const boxes = [], texts = [];
  for (const g of svg.querySelectorAll('g.node')) {
    const id = g.querySelector('title').textContent;
    const shape = g.querySelector('path, polygon, ellipse');
    const cls = g.getAttribute('class');
    const mine = [...g.querySelectorAll('text')].map(t => t.getBoundingClientRect());
    const plain = cls.includes('legend') || cls.includes('note');
    if (shape && !plain) { const r = shape.getBoundingClientRect(); boxes.push({id, r, cls});
      for (const [i, t] of mine.entries()) if (t.left < r.left - .5 || t.right > r.right + .5 || t.top < r.top - 1.5 || t.bottom > r.bottom + 1.5) out.text_out.push(id + ':' + g.querySelectorAll('text')[i].textContent); }
    for (const t of mine) texts.push({id, r: t});
  }
  for (const g of svg.querySelectorAll('g.edge, g.cluster')) for (const t of g.querySelectorAll('text')) texts.push({id: g.querySelector('title').textContent + '/' + t.textContent, r: t.getBoundingClientRect(), free: true});
  const overlap = (a, b, m) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > m && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > m;
  for (let i = 0; i < texts.length; i++) for (let j = 0; j < i; j++) if (texts[i].id !== texts[j].id && overlap(texts[i].r, texts[j].r, 1)) out.text_over.push(texts[i].id + ' | ' + texts[j].id);
  for (const t of texts) if (t.free) for (const b of boxes) if (overlap(t.r, b.r, 1)) out.text_over.push(t.id + ' | box ' + b.id);
  const lines = [];
  for (const g of svg.querySelectorAll('g.edge')) {
    const [a, b] = g.querySelector('title').textContent.split('->');
    if (g.getAttribute('class').includes('weight')) continue;
    for (const p of g.querySelectorAll('path')) {
      const m = p.getScreenCTM(), L = p.getTotalLength();
      const pts = [];
      for (let s = 0; s <= L; s += 2) { const q = p.getPointAtLength(s).matrixTransform(m); pts.push([q.x, q.y]); }
      lines.push({a, b, pts, cls: g.getAttribute('class')});
      for (const box of boxes) {
        const own = box.id === a || box.id === b;
        const inset = own ? 4 : 1;
        if (pts.some(([x, y]) => x > box.r.left + inset && x < box.r.right - inset && y > box.r.top + inset && y < box.r.bottom - inset)) out[own ? 'head_in' : 'arrow_box'].push(a + '->' + b + ' through ' + box.id);
      }
      for (const t of texts) if (pts.filter(([x, y]) => x > t.r.left + 1 && x < t.r.right - 1 && y > t.r.top + 2 && y < t.r.bottom - 2).length > 1 && t.free) out.text_over.push(t.id + ' | line ' + a + '->' + b);
    }
    for (const h of g.querySelectorAll('polygon, ellipse')) { const r0 = h.getBoundingClientRect(), w = 1.6 * (parseFloat(h.getAttribute('stroke-width')) || 1) * 1.34; const r = {left: r0.left - w, right: r0.right + w, top: r0.top - w, bottom: r0.bottom + w};
      const near = boxes.filter(x => x.id === a || x.id === b).some(x => r.right > x.r.left - 3 && r.left < x.r.right + 3 && r.bottom > x.r.top - 3 && r.top < x.r.bottom + 3);
      if (!near && !g.getAttribute('class').includes('cut')) out.head_in.push(a + '->' + b + ' head floats'); }
  }
  // two lines in opposite directions on one line: many points of one within 1.2 px of the other
  for (let i = 0; i < lines.length; i++) for (let j = 0; j < i; j++) {
    const A = lines[i], B = lines[j];
    if (A.cls.includes('attention') && B.cls.includes('attention') && A.b === B.b) continue;
    if (A.a === B.a || A.b === B.b) continue;
    let near = 0;
    for (const [x, y] of A.pts) { for (const [u, v] of B.pts) if (Math.abs(x - u) < 1.3 && Math.abs(y - v) < 1.3) { near++; break; } }
    if (near > 8) out.same_line.push(A.a + '->' + A.b + ' = ' + B.a + '->' + B.b + ' ' + near);
  }
  return out;
}
