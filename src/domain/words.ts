import type { Actor } from './state.ts';

/** 90_000 → "1 min 30 s". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ];
  const shown = parts.filter(([n]) => n > 0).slice(0, 2);
  return shown.length === 0 ? '0 s' : shown.map(([n, unit]) => `${n} ${unit}`).join(' ');
}

/** "14:05:09 UTC", by arithmetic: the core knows no time zones. */
export function utcTime(ms: number): string {
  const seconds = Math.floor(ms / 1000) % 86_400;
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)} UTC`;
}

/** 12.5 → "12.5 %". */
export function percent(exposurePercent: number): string {
  return `${Math.round(exposurePercent * 100) / 100} %`;
}

export function who(actor: Actor): string {
  if (actor.kind === 'person') return `@${actor.name}`;
  return actor.kind === 'policy' ? `Automation (${actor.name})` : actor.name;
}

/** "a", "a and b", "a, b and c". */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

/** What somebody gave as a reason, ready to follow a sentence. */
export function because(reason: string): string {
  return reason.trim() === '' ? '' : ` Reason: ${reason.trim()}`;
}

/** Text from outside as a sentence, so that another can follow. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
