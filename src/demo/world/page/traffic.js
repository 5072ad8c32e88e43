import { byId, h, percent, prefersStillness, setAttribute, setText } from './dom.js';
import { createFlow, requestsPerMark } from './flow.js';
import { isUnmeasured, newestOf } from './newest.js';
import { palette } from './palette.js';

const parts = {};
let flow = null;

/** Of each version, beside its share: what its newest second says. */
const facts = [
  ['failed', 'errorShare', 'failed'],
  ['slow', 'slowShare', 'slow'],
  ['wrong', 'wrongShare', 'wrong'],
];

/** Users, router and two versions: real text over a canvas, so that nothing depends on seeing it move. */
export function drawTraffic(state) {
  if (!parts.canvas) build(state);
  const arms = Object.fromEntries(['stable', 'candidate'].map((role) => [role, armOf(state, role)]));
  for (const [role, arm] of Object.entries(arms)) drawArm(role, arm);
  const unmeasured = Object.values(arms).some((arm) => arm.unmeasured);
  const total = Math.round(arms.stable.requestsPerSecond + arms.candidate.requestsPerSecond);
  setText(parts.rate, unmeasured ? '–' : `${total}/s`);
  const scale = total > 0 ? `one mark is ${about(requestsPerMark(total))}` : '';
  setText(parts.scale, unmeasured ? 'grey: nobody says how they are answered' : scale);
  parts.wrongKey.hidden = !Object.values(state.points).some((own) => typeof own.at(-1)?.wrongShare === 'number');
  setAttribute(byId('flow'), 'aria-label', `Live traffic: ${describe(arms)}`);
  flow?.set(arms);
}

const about = (requests) => (requests === 1 ? 'one request' : `about ${requests} requests`);

function armOf(state, role) {
  const { version, percent: share } = state.split[role];
  const latest = newestOf(state, version);
  const served = share > 0 || (latest?.requestsPerSecond ?? 0) > 0.5;
  const unmeasured = share > 0 && isUnmeasured(state, version);
  const fact = (name) => (served ? (latest?.[name] ?? null) : null);
  return {
    version,
    percent: share,
    share: share / 100,
    unmeasured,
    wasTold: (name) => (state.points[version] ?? []).some((point) => typeof point[name] === 'number'),
    // Requests go on where nobody counts them: the marks move as they did, and say nothing.
    requestsPerSecond: (unmeasured ? state.points[version].at(-1) : latest)?.requestsPerSecond ?? 0,
    failed: fact('errorShare'),
    slow: fact('slowShare'),
    wrong: fact('wrongShare'),
  };
}

function describe(arms) {
  const texts = Object.entries(arms).map(([role, arm]) => {
    if (arm.version === null) return `no ${role}`;
    const known = facts.filter(([key]) => arm[key] !== null).map(([key, , word]) => `${percent(arm[key])} ${word}`);
    if (arm.unmeasured) return `${arm.version} (${role}) ${arm.percent} %, not measured`;
    return `${arm.version} (${role}) ${arm.percent} %${known.length > 0 ? `, ${known.join(', ')}` : ''}`;
  });
  return texts.join('; ');
}

function drawArm(role, arm) {
  const part = parts[role];
  part.card.classList.toggle('idle', arm.percent === 0);
  setText(part.version, arm.version ?? 'none');
  setText(part.share, arm.version === null ? '–' : `${arm.percent}\u00a0%`);
  for (const [key, name] of facts) {
    const node = part[key];
    const value = arm[key];
    node.hidden = value === null && !(arm.unmeasured && arm.wasTold(name));
    setText(node.lastChild, percent(value));
    node.classList.toggle('bad', value !== null && value >= 0.05);
  }
  part.bar.style.width = `${arm.percent}%`;
}

function build() {
  const box = byId('flow');
  box.setAttribute('role', 'group');
  parts.canvas = h('canvas', { 'aria-hidden': 'true', 'data-testid': 'flow-canvas' });
  parts.rate = h('span', { class: 'rate' });
  parts.users = h('div', { class: 'node users' }, 'Users', parts.rate);
  parts.router = h('div', { class: 'node router' }, 'Router');
  for (const role of ['stable', 'candidate']) parts[role] = buildArm(role);
  parts.scale = h('span', { class: 'scale' });
  parts.wrongKey = keyOf('wrong', 'wrong');
  const key = h(
    'p',
    { class: 'key' },
    ['ok', 'slow', 'failed'].map((kind) => keyOf(kind, kind === 'ok' ? 'answered' : kind)),
    parts.wrongKey,
    parts.scale,
  );
  const bar = h('div', { class: 'bar', 'aria-hidden': 'true' }, parts.stable.bar, parts.candidate.bar);
  const stage = h(
    'div',
    { class: 'stage' },
    parts.canvas,
    parts.users,
    parts.router,
    h('div', { class: 'arms' }, parts.stable.card, parts.candidate.card),
  );
  box.append(stage, bar, key);
  const start = () => {
    // The bar says the same without moving.
    if (!prefersStillness.matches) flow ??= createFlow(parts.canvas, places, palette);
  };
  start();
  prefersStillness.addEventListener('change', start);
}

function keyOf(kind, word) {
  return h('span', {}, h('i', { class: `mark ${kind}`, 'aria-hidden': 'true' }), word);
}

function buildArm(role) {
  const part = {
    version: h('strong', { class: 'version' }),
    share: h('span', { class: 'share', 'data-testid': `share-${role}` }),
    bar: h('div', { class: role }),
  };
  for (const [key, , word] of facts) part[key] = h('span', { class: 'fact' }, `${word} `, h('b', {}, ''));
  part.card = h(
    'div',
    { class: `arm ${role}`, 'data-testid': `arm-${role}` },
    h('div', { class: 'arm-head' }, part.version, h('span', { class: 'role' }, role)),
    part.share,
    h(
      'div',
      { class: 'arm-facts' },
      facts.map(([key]) => part[key]),
    ),
  );
  return part;
}

/** Where the elements are, so that the stream meets them at every width. */
function places() {
  const origin = parts.canvas.getBoundingClientRect();
  const of = (element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return { left: left - origin.left, right: right - origin.left, y: (top + bottom) / 2 - origin.top };
  };
  return {
    users: of(parts.users),
    router: of(parts.router),
    stable: of(parts.stable.card),
    candidate: of(parts.candidate.card),
  };
}
