/** More marks than this cannot be told apart. */
const MOST_MARKS_PER_SECOND = 16;
const TRAVEL_MS = 2_300;
const SLOW_TRAVEL_MS = 5_200;
const FRAME_MS = 1000 / 32;
/** The whole stream's height in pixels. */
const STREAM = 44;
const roles = ['stable', 'candidate'];

/** So many requests are one mark: a round number, and exactly so. */
export function requestsPerMark(requestsPerSecond) {
  const round = [1, 2, 5, 10, 20, 50, 100, 200, 500];
  return round.find((requests) => requestsPerSecond / requests <= MOST_MARKS_PER_SECOND) ?? 1000;
}

/**
 * Draws requests that move from the router to the versions. `places()`: where users, router and the two versions are, in the
 * canvas's own pixels. Marks are dealt out evenly, not drawn by lot: of a hundred marks at 10 % ten take the candidate's way.
 */
export function createFlow(canvas, places, colours) {
  const context = canvas.getContext('2d');
  let marks = [];
  let arms = {};
  const shown = { stable: 1, candidate: 0 };
  const deal = createDealer();
  let owed = 0;
  let frame = 0;
  let lastMs = 0;
  let visible = true;

  const step = (atMs) => {
    frame = requestAnimationFrame(step);
    const passedMs = atMs - lastMs;
    if (passedMs < FRAME_MS) return;
    lastMs = atMs;
    // After a pause the stream goes on where it was.
    advance(Math.min(passedMs, 100));
    draw();
  };
  const advance = (passedMs) => {
    for (const role of roles) shown[role] += ((arms[role]?.share ?? 0) - shown[role]) * Math.min(1, passedMs / 350);
    for (const mark of marks) mark.at += passedMs / mark.travelMs;
    marks = marks.filter(({ at }) => at < 1);
    owed += (passedMs / 1000) * rate();
    for (; owed >= 1; owed -= 1) marks.push(deal(arms));
  };
  const rate = () => {
    const requests = roles.reduce((sum, role) => sum + (arms[role]?.requestsPerSecond ?? 0), 0);
    return requests / requestsPerMark(requests);
  };
  const draw = () => {
    const scale = devicePixelRatio;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const where = places();
    const palette = colours();
    context.fillStyle = palette.stream;
    context.fillRect(where.users.right, where.router.y - STREAM / 2, where.router.left - where.users.right, STREAM);
    for (const role of roles) drawBand(context, where, role, shown, palette);
    for (const mark of marks) drawMark(context, positionOf(mark, where, shown), mark, palette);
  };
  const resize = () => {
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    draw();
  };
  const run = () => {
    cancelAnimationFrame(frame);
    const runs = visible && !document.hidden;
    canvas.dataset.running = String(runs);
    lastMs = performance.now();
    if (runs) frame = requestAnimationFrame(step);
  };
  new ResizeObserver(resize).observe(canvas);
  new IntersectionObserver(([entry]) => {
    visible = entry.isIntersecting;
    run();
  }).observe(canvas);
  document.addEventListener('visibilitychange', run);
  run();
  return {
    set(next) {
      arms = next;
    },
  };
}

/** Deals out marks evenly. */
function createDealer() {
  const owed = {};
  const isDue = (what, share) => {
    owed[what] = (owed[what] ?? 0) + share;
    if (owed[what] < 1) return false;
    owed[what] -= 1;
    return true;
  };
  return (arms) => {
    const role = isDue('candidate', arms.candidate?.share ?? 0) ? 'candidate' : 'stable';
    const due = ['failed', 'slow', 'wrong'].filter((kind) => isDue(`${role} ${kind}`, arms[role]?.[kind] ?? 0));
    const kind = arms[role]?.unmeasured ? 'unknown' : (due[0] ?? 'ok');
    return { role, kind, at: 0, lane: Math.random() - 0.5, travelMs: kind === 'slow' ? SLOW_TRAVEL_MS : TRAVEL_MS };
  };
}

/** The stream divides at the router: stable above, candidate below, each as thick as its share. */
function bandOf(role, where, shown) {
  const thick = STREAM * shown[role];
  const top = where.router.y - STREAM / 2;
  const fromY = role === 'stable' ? top + thick / 2 : top + STREAM - thick / 2;
  return { thick, fromY, toY: where[role].y };
}

function drawBand(context, where, role, shown, palette) {
  const { thick, fromY, toY } = bandOf(role, where, shown);
  const bend = (where.router.right + where[role].left) / 2;
  context.beginPath();
  context.moveTo(where.router.right, fromY);
  context.bezierCurveTo(bend, fromY, bend, toY, where[role].left, toY);
  const open = thick < 1;
  context.strokeStyle = open ? palette.line : palette[`${role}Band`];
  context.lineWidth = open ? 1.5 : Math.max(3, thick);
  context.setLineDash(open ? [3, 4] : []);
  context.stroke();
  context.setLineDash([]);
}

function positionOf({ role, at, lane }, where, shown) {
  const { thick, fromY, toY } = bandOf(role, where, shown);
  const aside = lane * Math.max(0, thick - 9);
  const straight = where.router.right - where.users.right;
  const curved = where[role].left - where.router.right;
  const x = at * (straight + curved);
  // Before the router nobody knows whose it will be.
  if (x <= straight) return { x: where.users.right + x, y: where.router.y + lane * (STREAM - 9), waits: true };
  const t = (x - straight) / curved;
  const bend = 3 * t * t - 2 * t * t * t;
  return { x: where.router.right + (x - straight), y: fromY + (toY - fromY) * bend + aside };
}

function drawMark(context, { x, y, waits }, { role, kind }, palette) {
  context.beginPath();
  context.lineCap = 'round';
  if (waits || kind === 'unknown') {
    context.fillStyle = palette.soft;
    context.arc(x, y, 2.4, 0, Math.PI * 2);
    context.fill();
  } else if (kind === 'failed') {
    context.strokeStyle = palette.failed;
    context.lineWidth = 2.2;
    context.moveTo(x - 3.5, y - 3.5);
    context.lineTo(x + 3.5, y + 3.5);
    context.moveTo(x + 3.5, y - 3.5);
    context.lineTo(x - 3.5, y + 3.5);
    context.stroke();
  } else if (kind === 'slow') {
    context.fillStyle = palette.slow;
    context.moveTo(x - 5, y);
    context.lineTo(x, y - 5);
    context.lineTo(x + 5, y);
    context.lineTo(x, y + 5);
    context.fill();
  } else if (kind === 'wrong') {
    context.strokeStyle = palette.wrong;
    context.lineWidth = 2;
    context.arc(x, y, 3.6, 0, Math.PI * 2);
    context.stroke();
  } else {
    context.fillStyle = palette[role];
    context.arc(x, y, 2.8, 0, Math.PI * 2);
    context.fill();
  }
  context.lineCap = 'butt';
}
