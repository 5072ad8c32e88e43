import { describe, expect, it } from 'vitest';
import { fillForAnyVersion, fillPromql } from '../../src/sources/promql.ts';

const values = { version: 'v42', arm: 'candidate', service: 'fraud-scorer' } as const;

describe('placeholders in PromQL', () => {
  it('are filled', () => {
    expect(fillPromql('m{version="{{version}}",arm="{{ arm }}",service="{{service}}"}', values)).toBe(
      'm{version="v42",arm="candidate",service="fraud-scorer"}',
    );
  });

  it.each([
    ['double quotes', 'm{v="{{version}}"}', 'a"b\\c\nd\'e', 'm{v="a\\"b\\\\c\\nd\'e"}'],
    ['single quotes', "m{v='{{version}}'}", 'a"b\'c', "m{v='a\"b\\'c'}"],
    ['backticks', 'm{v=`{{version}}`}', 'a"b\\c', 'm{v=`a"b\\c`}'],
    ['a pattern', 'm{v=~"{{version}}"}', '1.2.3+x', 'm{v=~"1\\\\.2\\\\.3\\\\+x"}'],
    ['a negative pattern', 'm{v!~ "{{version}}"}', '1.2', 'm{v!~ "1\\\\.2"}'],
    ['a pattern’s part', 'm{v=~"x|{{version}}|y\\"z"}', 'v1', 'm{v=~"x|v1|y\\"z"}'],
    ['a later matcher', 'm{a=~"x",v="{{version}}"}', '1.2', 'm{a=~"x",v="1.2"}'],
  ])('a value stays a value within %s', (_name, template, version, expected) => {
    expect(fillPromql(template, { ...values, version })).toBe(expected);
  });

  it('a value that would end the query is refused', () => {
    expect(() => fillPromql('m_{{version}}', { ...values, version: 'x} or up{' })).toThrow(
      'only fits inside of quotes',
    );
    expect(() => fillPromql('m{v=`{{version}}`}', { ...values, version: 'x`' })).toThrow('between backticks');
    expect(fillPromql('m_{{version}}_total', values)).toBe('m_v42_total');
  });

  it('any version: matchers on the version alone are widened, nothing else', () => {
    expect(fillForAnyVersion('m{v="{{version}}",service="{{service}}"}', values)).toBe(
      'm{v=~".+",service="fraud-scorer"}',
    );
    expect(fillForAnyVersion('m{v=~"{{version}}"}', values)).toBe('m{v=~".+"}');
    expect(fillForAnyVersion('m{service="{{service}}"}', values)).toBeNull();
    expect(fillForAnyVersion('m{v!="{{version}}"}', values)).toBeNull();
    expect(fillForAnyVersion('m{pod="x-{{version}}"}', values)).toBeNull();
  });
});
