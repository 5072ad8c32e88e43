/** What stands above the lines of a metric in Prometheus' text format. `help` is ours: one line without backslashes. */
export function headOf(name: string, help: string, type: 'counter' | 'gauge'): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

/** A label's value as it stands between its quotes, whatever is in it. */
export function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
