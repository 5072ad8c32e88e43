/** Makes an element. Text is always text: what comes from outside cannot become markup. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Touches the page only where something changed: what is announced is announced once. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** 14:05:09, in the visitor's time zone. */
export function timeOfDay(atMs) {
  return new Date(atMs).toTimeString().slice(0, 8);
}

/** 0.304 → "30 %", 0.004 → "0.4 %"; null → "–". */
export function percent(share) {
  if (share === null || share === undefined) return '–';
  const points = share * 100;
  return `${points < 9.95 && points > 0.049 ? points.toFixed(1) : Math.round(points)}\u00a0%`;
}

/** How long until then: "23 s", "4 min 10 s", "now". */
export function countdown(leftMs) {
  const seconds = Math.ceil(leftMs / 1000);
  if (seconds <= 0) return 'now';
  if (seconds < 100) return `${seconds}\u00a0s`;
  return `${Math.floor(seconds / 60)}\u00a0min ${String(seconds % 60).padStart(2, '0')}\u00a0s`;
}

/** Numbers and their units stay on one line. */
export function bound(text) {
  return text.replace(/(\d) (%|s|ms|min)\b/g, '$1\u00a0$2').replace(/(\d) %/g, '$1\u00a0%');
}

export const prefersStillness = matchMedia('(prefers-reduced-motion: reduce)');

/** Storage may be refused (a frame of another site, a private window): then nothing is remembered. */
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Not remembered, then.
    }
  },
};
