/** Writes series with their own times into a real Prometheus: what a test needs is there at once, and the same at every run. */

export interface WrittenHistogram {
  readonly schema: number;
  /** Cumulative count of each bucket by its index: bucket i holds (2^(2^-schema * (i-1)), 2^(2^-schema * i)]. */
  readonly buckets: ReadonlyMap<number, number>;
}

export interface WrittenSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples?: readonly (readonly [ms: number, value: number])[];
  readonly histograms?: readonly (readonly [ms: number, histogram: WrittenHistogram])[];
}

/**
 * One request of Prometheus' remote write 1.0. All in one: Prometheus takes nothing that is much older than what it has, and the
 * first sample must be the oldest.
 */
export async function remoteWrite(url: string, series: readonly WrittenSeries[]): Promise<void> {
  const body = snappy(Buffer.concat(series.map((s) => message(1, timeSeries(s)))));
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    headers: {
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'x-prometheus-remote-write-version': '0.1.0',
    },
    body: new Uint8Array(body),
  });
  if (response.status >= 300)
    throw new Error(`Prometheus did not take it: ${response.status} ${await response.text()}`);
}

function timeSeries({ labels, samples = [], histograms = [] }: WrittenSeries): Buffer {
  const names = Object.keys(labels).sort();
  return Buffer.concat([
    ...names.map((name) => message(1, Buffer.concat([text(1, name), text(2, labels[name] ?? '')]))),
    ...samples.map(([ms, value]) => message(2, Buffer.concat([double(1, value), whole(2, ms)]))),
    ...histograms.map(([ms, histogram]) => message(4, histogramOf(ms, histogram))),
  ]);
}

function histogramOf(ms: number, { schema, buckets }: WrittenHistogram): Buffer {
  const indices = [...buckets.keys()].sort((a, b) => a - b);
  const count = [...buckets.values()].reduce((sum, n) => sum + n, 0);
  const spans: Buffer[] = [];
  const deltas: Buffer[] = [];
  let last = 0;
  let next = 0;
  for (const index of indices) {
    // A span for every bucket: its offset from the end of the one before.
    spans.push(message(11, Buffer.concat([signed(1, index - next), whole(2, 1)])));
    const value = buckets.get(index) ?? 0;
    deltas.push(varint(zigzag(value - last)));
    last = value;
    next = index + 1;
  }
  return Buffer.concat([
    whole(1, count),
    double(3, count),
    signed(4, schema),
    double(5, 1e-128),
    whole(6, 0),
    ...spans,
    message(12, Buffer.concat(deltas)),
    whole(15, ms),
  ]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function zigzag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1;
}

function message(field: number, body: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

function whole(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function signed(field: number, value: number): Buffer {
  return whole(field, zigzag(value));
}

/** NaN is written as Prometheus’ marker of a series that has ended. */
function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  if (Number.isNaN(value)) bytes.writeBigUInt64LE(0x7ff0000000000002n);
  else bytes.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + 1), bytes]);
}

/** Snappy's block format without any compression: literals only. */
function snappy(plain: Buffer): Buffer {
  const parts = [varint(plain.length)];
  for (let at = 0; at < plain.length; at += 65_536) {
    const literal = plain.subarray(at, at + 65_536);
    const length = Buffer.alloc(2);
    length.writeUInt16LE(literal.length - 1);
    parts.push(Buffer.from([61 << 2]), length, literal);
  }
  return Buffer.concat(parts);
}
