/** The workspace's time: what its messages are dated by, which may run ahead of this machine's, or faster. */
const clockState = { at: null, wall: 0, rate: 1 };

/** Told the workspace's time now and then; between two tellings it runs as fast as it ran from one to the next. */
export function setClock(at, wall = Date.now()) {
  const before = clockState.at;
  const passed = wall - clockState.wall;
  const rate = (at - before) / passed;
  // Set forward or back is no pace.
  if (before !== null && passed >= 500) clockState.rate = rate >= 0 && rate <= 100 ? rate : 1;
  if (before !== null && passed < 500) return;
  Object.assign(clockState, { at, wall });
}

/** Milliseconds since 1970, by the workspace's time. */
export function now() {
  const { at, wall, rate } = clockState;
  return at === null ? Date.now() : at + (Date.now() - wall) * rate;
}

/** When a ts was. */
export function dateOf(ts) {
  return new Date(Number(ts.split('.')[0]) * 1000);
}

/** 6:45 AM or 06:45, as this browser's language has it. */
const hour = new Intl.DateTimeFormat([], { hour: 'numeric' }).resolvedOptions().hour12 ? 'numeric' : '2-digit';

export function clock(date) {
  return date.toLocaleTimeString([], { hour, minute: '2-digit' });
}

export function ago(date, at = now()) {
  const seconds = Math.round((at - date.getTime()) / 1000);
  const future = seconds < 0;
  const size = Math.abs(seconds);
  const [count, unit] =
    size < 60
      ? [size, 'second']
      : size < 3600
        ? [Math.round(size / 60), 'minute']
        : size < 86400
          ? [Math.round(size / 3600), 'hour']
          : [Math.round(size / 86400), 'day'];
  if (size < 5) return 'just now';
  const text = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return future ? `in ${text}` : `${text} ago`;
}

function dayDistance(date) {
  const start = (one) => new Date(one.getFullYear(), one.getMonth(), one.getDate()).getTime();
  return Math.round((start(date) - start(new Date(now()))) / 86_400_000);
}

function pretty(date, text) {
  const names = { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' };
  return names[dayDistance(date)] ?? text;
}

/** The line between days: Today, Yesterday, or the day. */
export function dayName(date) {
  const text = date.toLocaleDateString([], { weekday: 'long', month: 'long', day: 'numeric' });
  const name = pretty(date, text);
  return name[0].toUpperCase() + name.slice(1);
}

/** Slack's date format: {date_num}, {time}, {ago} and so on. */
export function formatDate(seconds, format) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const local = (options) => date.toLocaleDateString([], options);
  const day = local({ month: 'long', day: 'numeric' });
  const short = local({ year: 'numeric', month: 'short', day: 'numeric' });
  const long = local({ weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' });
  const tokens = {
    date_num: `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`,
    date_slash: local({ year: 'numeric', month: '2-digit', day: '2-digit' }),
    date: day,
    date_pretty: pretty(date, day),
    date_short: short,
    date_short_pretty: pretty(date, short),
    date_long: long,
    date_long_pretty: pretty(date, long),
    date_long_full: local({ year: 'numeric', month: 'long', day: 'numeric' }),
    day_divider_pretty: pretty(date, long),
    time: clock(date),
    time_secs: date.toLocaleTimeString([], { hour, minute: '2-digit', second: '2-digit' }),
    ago: ago(date),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => tokens[name] ?? whole);
}
