/** What is worth a line through the charts: the journal's kinds. */
const kindOf = {
  shifted: 'shift',
  'alert-fired': 'alert',
  'rollback-decided': 'decision',
  promoted: 'decision',
  held: 'decision',
  resumed: 'decision',
  'deadline-reached': 'decision',
};
/** Things of one kind that come together are one line. */
const TOGETHER_MS = 1_500;
const NEAR_MS = 2_000;

const asked = ['question-opened', 'question-joined'];

/** Null: not worth a line. An alert that puts the question, or joins it, is in the journal as that. */
function kindIn({ what, who }) {
  const own = what.trim().replaceAll(' ', '-');
  return kindOf[own] ?? (asked.includes(own) && who === 'Alertmanager' ? 'alert' : null);
}

/** Oldest first: `{ atMs, kind, text }` of what happened since `sinceMs`. */
export function markersOf({ journal, alerts }, sinceMs) {
  const written = journal.flatMap((line) => {
    const kind = kindIn(line);
    return kind ? [{ atMs: line.atMs, kind, text: line.text }] : [];
  });
  const isTold = (name) => written.some(({ kind, text }) => kind === 'alert' && text.includes(name));
  const fired = alerts
    .filter(({ name, state, sinceMs: atMs }) => state !== 'pending' && Number.isFinite(atMs) && !isTold(name))
    .map(({ name, sinceMs: atMs }) => ({ atMs, kind: 'alert', text: `${name} began` }));
  const all = [...written, ...fired].filter(({ atMs }) => atMs >= sinceMs).sort((a, b) => a.atMs - b.atMs);
  const kept = [];
  for (const marker of all) {
    const before = kept.findLast(({ kind }) => kind === marker.kind);
    if (!before || marker.atMs - before.atMs > TOGETHER_MS) kept.push(marker);
  }
  return kept;
}

export function isNear({ atMs }, pointedMs) {
  return Math.abs(atMs - pointedMs) < NEAR_MS;
}

/** A uPlot draw hook's body. Every kind has its own sign at the top, so that it needs no colour. */
export function drawMarkers(u, markers, colours) {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, 0, bbox.width, bbox.top + bbox.height);
  ctx.clip();
  for (const { atMs, kind } of markers) {
    const x = Math.round(u.valToPos(atMs / 1000, 'x', true));
    ctx.strokeStyle = kind === 'alert' ? colours.alarm : kind === 'decision' ? colours.moving : colours.soft;
    ctx.fillStyle = ctx.strokeStyle;
    ctx.globalAlpha = 0.75;
    ctx.lineWidth = scale;
    ctx.setLineDash(kind === 'shift' ? [2 * scale, 3 * scale] : []);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.globalAlpha = 1;
    drawSign(ctx, kind, x, bbox.top - 5 * scale, scale);
  }
  ctx.restore();
}

function drawSign(ctx, kind, x, y, scale) {
  const r = 4 * scale;
  ctx.beginPath();
  if (kind === 'shift') {
    ctx.moveTo(x - r, y - r * 0.7);
    ctx.lineTo(x + r, y - r * 0.7);
    ctx.lineTo(x, y + r * 0.8);
  } else if (kind === 'decision') {
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
  } else {
    ctx.arc(x, y, r * 0.8, 0, Math.PI * 2);
  }
  ctx.fill();
}
