/** Added to the page by the test: questions to it that need its own eyes. */
globalThis.probe = {
  /** Every visible text that does not reach WCAG's AA against what is behind it (4.5, large text 3). */
  lowContrast() {
    const { mixed, luminance } = globalThis.probe;
    const findings = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent.trim();
      if (text === '' || element.closest('.unseen, noscript') || !element.checkVisibility()) continue;
      const behind = [];
      for (let one = element; one; one = one.parentElement) behind.unshift(getComputedStyle(one).backgroundColor);
      const { color, fontSize, fontWeight } = getComputedStyle(element);
      const [front, ground] = [luminance(mixed([...behind, color])), luminance(mixed(behind))];
      const ratio = (Math.max(front, ground) + 0.05) / (Math.min(front, ground) + 0.05);
      const size = Number.parseFloat(fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
      if (ratio < (isLarge ? 3 : 4.5)) findings.push(`${text}: ${ratio.toFixed(2)}`);
    }
    return findings;
  },
  luminance(colour) {
    const [r, g, b] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  },
  /** One colour over those behind it, as the screen mixes them. */
  mixed(colours) {
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  },
  /** How many pixels of a canvas have exactly the colour of that variable. */
  inked(selector, variable) {
    const canvas = document.querySelector(selector);
    const { width, height } = canvas;
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const wanted = globalThis.probe.mixed([`rgb(${globalThis.probe.colour(variable).join(' ')})`]);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] === 255 && wanted.every((value, part) => Math.abs(data[i + part] - value) <= 1)) found += 1;
    }
    return found;
  },
  colour(variable) {
    const element = document.body.appendChild(document.createElement('i'));
    element.style.color = `var(${variable})`;
    const parts = getComputedStyle(element).color.match(/\d+/g).map(Number);
    element.remove();
    return parts;
  },
  /** The tour's card lies over nothing of what it is about, and is itself between strip and dock. */
  tourStands() {
    const card = document.querySelector('.tour');
    if (!card) return 'no card';
    const target = card.parentElement;
    const rect = card.getBoundingClientRect();
    for (const other of target.children) {
      const { top, bottom } = other.getBoundingClientRect();
      if (other !== card && top < rect.bottom - 1 && bottom > rect.top + 1) return `covers ${other.className}`;
    }
    const strip = document.querySelector('.strip');
    if (!strip.contains(card) && rect.top < strip.getBoundingClientRect().bottom - 1) return 'is under the strip';
    if (rect.bottom > document.querySelector('.dock').getBoundingClientRect().top + 1) return 'is under the dock';
    return 'well';
  },
};
