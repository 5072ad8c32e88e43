import { describe, expect, it } from 'vitest';
import { createSelectors, filled as fill, textOf } from '../../src/sources/named.ts';
import { fillPromql, type Placeholders } from '../../src/sources/promql.ts';

const values: Placeholders = { version: 'v42', arm: 'candidate', service: 'ranker' };

/** What is known without the text has to be what the text says. */
function filled(template: string, given: Placeholders = values) {
  const selectors = createSelectors();
  const known = selectors.template(template);
  const byTemplate = known && fill(known, given, (values) => fillPromql(template, values));
  const byText = selectors.named(fillPromql(template, given));
  return { byTemplate, byText };
}

describe('a selector known by its template', () => {
  it.each([
    't{service="{{service}}",version="{{version}}"}',
    't{ service = "{{ service }}" , version="{{version}}", code=~"5..", job="a" }',
    't{zone="eu",arm="{{arm}}",service="{{service}}"}',
    't{service="{{service}}",path!="/health"}',
  ])('is what its text says: %s', (template) => {
    const { byTemplate, byText } = filled(template);
    expect(byTemplate?.shape).toBe(byText?.shape);
    expect(byTemplate?.values).toEqual(byText?.values);
    expect(byTemplate && textOf(byTemplate)).toBe(byText && textOf(byText));
  });

  it.each([
    ['names no service', 't{version="{{version}}"}'],
    ['has a placeholder in a pattern', 't{service="{{service}}",version=~"{{version}}"}'],
    ['has one beside other text', 't{service="prod-{{service}}"}'],
    ['is more than a selector', 'sum(t{service="{{service}}"})'],
    ['names nothing it is equal to', 't{service!="{{service}}"}'],
  ])('is not, where it %s', (_why, template) => {
    expect(filled(template).byTemplate).toBe(null);
  });

  it('is not, where a value needs more than to be written down', () => {
    const template = 't{service="{{service}}",version="{{version}}"}';
    for (const version of ['v"42', 'v\\42', 'v 42', '', 'v\n'])
      expect(filled(template, { ...values, version }).byTemplate).toBe(null);
  });

  it('is taken apart once, and filled anew for each', () => {
    const selectors = createSelectors();
    const of = (service: string) => {
      const template = selectors.template('t{service="{{service}}"}');
      expect(template).toBe(selectors.template('t{service="{{service}}"}'));
      return template && fill(template, { ...values, service }, () => '');
    };
    expect(of('a')?.values).toEqual(['a']);
    expect(of('b')?.values).toEqual(['b']);
    expect(of('a')?.shape).toBe(of('b')?.shape);
  });
});
