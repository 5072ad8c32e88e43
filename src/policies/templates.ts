import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { type PolicyDocument, readDocument } from './document.ts';
import { check } from './explain.ts';
import { readPolicyFile } from './files.ts';
import { isMapping, type Layer } from './layers.ts';
import { formatPath, type Path, type PolicyProblem } from './problem.ts';
import { extendsSchema } from './schema.ts';

/** How many templates may stand behind each other; and how many a policy may be made of. */
const maxDepth = 5;
const maxTemplates = 50;

export interface Gathered {
  /** The lowest first, the policy's own file last. */
  readonly layers: readonly Layer[];
  readonly problems: readonly PolicyProblem[];
}

/** Templates as they were read before, by their text: thousands of services may extend the same one. */
export type KnownTemplates = Map<string, PolicyDocument>;

/** Reads the templates a policy extends, and those that they extend. Where there is a problem, the layers are not whole. */
export async function gatherTemplates(own: Layer, known: KnownTemplates = new Map()): Promise<Gathered> {
  const gatherer = new Gatherer(own, known);
  const layers = await gatherer.gather(own, [normalize(own.file)]);
  return { layers, problems: gatherer.problems };
}

class Gatherer {
  readonly problems: PolicyProblem[] = [];
  private readonly directory: string;
  private readonly policyFile: string;
  private readonly known: KnownTemplates;
  private templates = 0;

  constructor(own: Layer, known: KnownTemplates) {
    this.known = known;
    this.directory = dirname(own.file);
    this.policyFile = own.file;
  }

  /** The templates of `layer`, flattened, and it on top of them. `chain`: the files that led here. */
  async gather(layer: Layer, chain: readonly string[]): Promise<readonly Layer[]> {
    if (layer.value.extends === undefined) return [layer];
    const form = check(extendsSchema, layer.value.extends, ['extends']);
    if (form.findings) {
      for (const { path, at, message } of form.findings) this.say(layer, path, message, at);
      return [layer];
    }
    const names = typeof form.value === 'string' ? [form.value] : form.value;
    const below: Layer[] = [];
    for (const [index, name] of names.entries()) {
      const path = typeof form.value === 'string' ? ['extends'] : ['extends', index];
      below.push(...(await this.follow(layer, path, name, chain)));
    }
    return [...below, layer];
  }

  private async follow(layer: Layer, path: Path, name: string, chain: readonly string[]): Promise<readonly Layer[]> {
    const file = join(dirname(layer.file), name);
    const refusal = this.refusal(name, file, chain) ?? (await this.leadsOut(file));
    if (refusal !== null) {
      this.say(layer, path, refusal);
      return [];
    }
    this.templates += 1;
    const read = await readPolicyFile(file);
    if (read.problem !== null) {
      this.say(layer, path, `the template ${file} ${read.problem}`);
      return [];
    }
    const template = this.template(file, read.text);
    return template ? this.gather(template, [...chain, file]) : [];
  }

  private refusal(name: string, file: string, chain: readonly string[]): string | null {
    const inside = relative(this.directory, file);
    if (isAbsolute(name)) return 'must be relative to this file, such as templates/fraud-scorer.yaml';
    if (!/\.ya?ml$/i.test(name)) return 'must be the file of a template, which ends in .yaml';
    if (inside.split(sep)[0] === '..') return 'leads out of the directory of the policies';
    if (chain.includes(file)) {
      const names = [...chain.slice(chain.indexOf(file)), file].map((one) => relative(this.directory, one));
      return `goes in a circle: ${names.join(' → ')}`;
    }
    if (dirname(inside) === '.') {
      return `${inside} is read as a policy itself: a template lies in a folder of its own, such as templates/${inside}`;
    }
    if (chain.length > maxDepth) return `templates may extend each other ${maxDepth} deep at most`;
    if (this.templates >= maxTemplates) return `a policy may be made of ${maxTemplates} templates at most`;
    return null;
  }

  /**
   * Links are followed where they stay with the policies: in their directory, or, where the policy's file is a link itself (a
   * mounted ConfigMap), in the directory that it leads to. A file that does not exist is said where it is read.
   */
  private async leadsOut(file: string): Promise<string | null> {
    const real = await realOrNull(file);
    if (real === null) return null;
    const policy = await realOrNull(this.policyFile);
    const roots = [await realOrNull(this.directory), policy === null ? null : dirname(policy)];
    const within = roots.some((root) => root !== null && !relative(root, real).startsWith('..'));
    return within ? null : 'is a link that leads out of the directory of the policies';
  }

  private template(file: string, text: string): Layer | null {
    const document = this.known.get(text) ?? readDocument(text);
    this.known.set(text, document);
    for (const { at, path, message } of document.problems) {
      this.problems.push({ file, line: at.line, column: at.column, path: formatPath(path), message });
    }
    if (document.value === undefined) return null;
    if (!isMapping(document.value)) {
      const what = document.value === null ? 'is empty' : 'is not a template';
      const message = `${what}: a template has the keys and values of a policy`;
      this.problems.push({ file, line: 0, column: 0, path: '', message });
      return null;
    }
    const layer = { file, text, document, value: document.value };
    if (layer.value.service !== undefined) {
      this.say(layer, ['service'], 'does not belong into a template: each service has a file of its own', 'key');
    }
    return layer;
  }

  private say(layer: Layer, path: Path, message: string, at: 'key' | 'value' = 'value'): void {
    const { line, column } = layer.document.place(path, at);
    this.problems.push({ file: layer.file, line, column, path: formatPath(path), message });
  }
}

async function realOrNull(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    // Whatever is the matter with it is said where it is read.
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}
