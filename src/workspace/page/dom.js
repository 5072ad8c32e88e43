/**
 * Makes an element. Children that are strings become text, never markup; `null` and `false` are left out.
 * Properties: `class`, `on…` listeners, anything else an attribute (`true` = present, `null`/`false` = absent).
 */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

const svgNamespace = 'http://www.w3.org/2000/svg';

/** The same for SVG. */
export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(svgNamespace, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, entry] of Object.entries(value)) element.style.setProperty(key, entry);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Number.POSITIVE_INFINITY)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child);
  }
}

/** Only addresses a link or image may have; anything else (`javascript:`) is none. */
export function safeUrl(url, schemes = ['http:', 'https:', 'mailto:', 'tel:']) {
  if (!URL.canParse(url)) return null;
  return schemes.includes(new URL(url).protocol) ? url : null;
}

export function link(url, ...children) {
  const href = safeUrl(url);
  if (href === null) return h('span', {}, ...children);
  return h('a', { href, target: '_blank', rel: 'noreferrer noopener' }, ...children);
}
