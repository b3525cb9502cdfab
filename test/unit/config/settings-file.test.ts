import { expect } from 'chai';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { parseSettingsFile } from '#server/config/settings-file.js';

function valuesOf(content: string): Record<string, string> {
  const { settings, problems } = parseSettingsFile(content);
  expect(problems).to.deep.equal([]);
  return Object.fromEntries([...settings].map(([name, { text }]) => [name, text]));
}

describe('The settings file', () => {
  it('has a name and a value in each line, with comments, quotes and empty lines', () => {
    const content = [
      '---',
      '# of the staging cluster',
      'OMENDB_LOG_LEVEL: debug   # for now',
      '',
      "OMENDB_HTTP_PORT: '8080'",
      'OMENDB_MEMORY_BYTES: "2Gi" # "half"',
      'OTEL_RESOURCE_ATTRIBUTES: a=b,c=#d',
      "WITH_QUOTES: 'it''s'",
    ];
    expect(valuesOf(content.join('\r\n'))).to.deep.equal({
      OMENDB_LOG_LEVEL: 'debug',
      OMENDB_HTTP_PORT: '8080',
      OMENDB_MEMORY_BYTES: '2Gi',
      OTEL_RESOURCE_ATTRIBUTES: 'a=b,c=#d',
      WITH_QUOTES: "it's",
    });
  });

  it('says for each line what is wrong with it', () => {
    const content = [
      'A: 1',
      ' B: 1',
      'C = 1',
      'D:',
      'E: [1]',
      'A: 2',
      'F: a: b',
      'G: "x',
      'H: |',
      'I: ~',
      '---',
      '{"J": 1}',
    ].join('\n');
    const { settings, problems } = parseSettingsFile(content);
    expect([...settings.keys()]).to.deep.equal(['A']);
    expect(problems.map(({ line }) => line)).to.deep.equal([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(problems[4]?.text).to.equal('A is set in line 1 already');
  });

  it('reads what a writer of YAML makes of any texts, or refuses it, but never reads something else', () => {
    const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,10}$/);
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[ -~]{1,20}$/),
      fc.constantFrom('true', '08', '1e3', 'null'),
    );
    fc.assert(
      fc.property(fc.dictionary(name, text), (values) => {
        const { settings, problems } = parseSettingsFile(stringify(values, { lineWidth: 0 }));
        for (const [key, { text: read }] of settings) expect(read).to.equal(values[key]);
        const simple = Object.values(values).every((value) => /^[\w./:=,@ -]*\w$/.test(value));
        if (simple) expect(problems).to.deep.equal([]);
      }),
    );
  });

  it('takes no line that readers of YAML take as something else', () => {
    const line = fc.oneof(
      fc.string(),
      fc.stringMatching(/^A: [ -~]{0,12}$/),
      fc.stringMatching(/^A: ["'#:\\&*!|>%@`,?~{}[\] -]{0,6}$/),
    );
    fc.assert(
      fc.property(line, (content) => {
        const { settings, problems } = parseSettingsFile(content);
        if (problems.length > 0 || settings.size === 0) return;
        const read = Object.fromEntries([...settings].map(([name, { text }]) => [name, text]));
        expect(parse(content, { schema: 'failsafe' })).to.deep.equal(read);
      }),
      { numRuns: 2000 },
    );
  });
});
