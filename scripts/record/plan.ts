import { stripVTControlCharacters } from 'node:util';

/** One picture of the page. */
export interface Frame {
  readonly file: string;
  readonly atMs: number;
  /** Equal digests are equal pictures. */
  readonly digest: string;
  /** What has just begun, where something has: it is shown longer. */
  readonly moment: string | null;
}

export interface Shown {
  readonly file: string;
  readonly showMs: number;
}

export interface Length {
  /** Of the whole loop. */
  readonly totalMs: number;
  /** What a moment is shown longer than other frames; the last frame twice that. */
  readonly holdMs: number;
  readonly mostFrames: number;
}

/** Where nothing was photographed for longer than this, the story does not wait. */
const GAP_MS = 2_000;
/** Shorter than this, a browser shows a frame for a time of its own choosing. */
const LEAST_MS = 40;

/**
 * Which frames are shown and for how long: no picture twice in a row, moments always, of the others as many as fit, evenly.
 * The story's pace is kept, hurried up so that all of it fits `totalMs`.
 */
export function selectFrames(frames: readonly Frame[], { totalMs, holdMs, mostFrames }: Length): Shown[] {
  const different = frames.filter((frame, at) => frame.moment !== null || frame.digest !== frames[at - 1]?.digest);
  const kept = thinned(different, mostFrames);
  const gaps = kept.map((frame, at) => Math.min(GAP_MS, Math.max(1, (kept[at + 1]?.atMs ?? frame.atMs) - frame.atMs)));
  const holds = kept.map((frame, at) => (at === kept.length - 1 ? 2 : frame.moment === null ? 0 : 1) * holdMs);
  const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
  const forGaps = Math.max(0, totalMs - sum(holds) - kept.length * LEAST_MS);
  const pace = Math.min(1, forGaps / Math.max(1, sum(gaps)));
  return kept.map(({ file }, at) => ({
    file,
    showMs: Math.floor(LEAST_MS + (gaps[at] ?? 0) * pace + (holds[at] ?? 0)),
  }));
}

/** At most so many: the moments and the last, and of the others every so manieth. */
function thinned(frames: readonly Frame[], most: number): readonly Frame[] {
  if (frames.length <= most) return frames;
  const must = (frame: Frame, at: number) => frame.moment !== null || at === frames.length - 1;
  const others = frames.filter((frame, at) => !must(frame, at));
  const room = Math.max(0, most - (frames.length - others.length));
  const chosen = new Set(
    others.filter((_, at) => Math.floor((at * room) / others.length) !== Math.floor(((at - 1) * room) / others.length)),
  );
  return frames.filter((frame, at) => must(frame, at) || chosen.has(frame));
}

/** How img2webp is called: a loop for ever, lossy, every frame with its time. */
export function webpArguments(shown: readonly Shown[], quality: number, out: string): string[] {
  const frames = shown.flatMap(({ file, showMs }) => [
    '-lossy',
    '-q',
    String(quality),
    '-m',
    '4',
    '-d',
    String(showMs),
    file,
  ]);
  return ['-loop', '0', '-kmin', '9', '-kmax', '30', ...frames, '-o', out];
}

/** Tried one after the other until the file is small enough: first worse pictures, then fewer. */
export const attempts: readonly { readonly quality: number; readonly mostFrames: number }[] = [
  { quality: 70, mostFrames: 150 },
  { quality: 55, mostFrames: 120 },
  { quality: 45, mostFrames: 90 },
  { quality: 35, mostFrames: 60 },
];

/** What the demo is started with: the scenario by name where this demo knows of scenarios. */
export function demoArguments(help: string): string[] {
  return ['demo', '--stand-ins', '--port', '0', ...(help.includes('--scenario') ? ['--scenario', 'errors'] : [])];
}

/** The address of the page, from what the demo has printed so far; null before it is there. */
export function addressIn(printed: string): string | null {
  return /Open\s+(http:\/\/127\.0\.0\.1:\d+)/.exec(stripVTControlCharacters(printed))?.[1] ?? null;
}
