const offset = 0xcbf29ce484222325n;
const prime = 0x100000001b3n;
const mask = 0xffffffffffffffffn;

/**
 * What Alertmanager calls an alert: FNV-1a (64 bit) over its sorted labels, names and values each followed by 0xff
 * (prometheus/common, model/signature.go). Made here for senders that leave it out, so that both ways in agree.
 */
export function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  let hash = offset;
  const add = (text: string) => {
    for (const byte of Buffer.from(text, 'utf8')) hash = ((hash ^ BigInt(byte)) * prime) & mask;
    hash = ((hash ^ 0xffn) * prime) & mask;
  };
  for (const name of Object.keys(labels).sort(byBytes)) {
    add(name);
    add(labels[name] ?? '');
  }
  return hash.toString(16).padStart(16, '0');
}

/** Go sorts texts by their bytes. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
