import { expect } from 'chai';
import type { ExposedFamily } from '../support/openmetrics.js';
import { NotOpenMetrics, parseOpenMetrics, seriesCount, sumOf, valueOf } from '../support/openmetrics.js';

const EOF = '# EOF\n';
const read = (...lines: readonly string[]): Map<string, ExposedFamily> =>
  parseOpenMetrics([...lines, EOF].join('\n'));
const HISTOGRAM = [
  '# TYPE h histogram',
  'h_bucket{le="0.5"} 1',
  'h_bucket{le="+Inf"} 2',
  'h_sum 3.5',
  'h_count 2',
];

describe('The strict reader of OpenMetrics', () => {
  it('reads counters under the name that queries use, gauges, histograms, escapes and exemplars', () => {
    const families = read(
      '# HELP a What \\\\ it \\"is\\".\\nMore.',
      '# TYPE a counter',
      'a_total{x="q\\"b\\\\n\\n",y=""} 1e3 # {trace_id="abc"} 1 1.5',
      '# TYPE g_total gauge',
      'g_total -1.5',
      'g_total{x="1"} Nan',
      ...HISTOGRAM,
    );
    expect([...families.keys()]).to.deep.equal(['a_total', 'g_total', 'h']);
    const { help, samples = [] } = families.get('a_total') ?? {};
    expect(help).to.equal('What \\ it "is".\nMore.');
    expect(samples[0]).to.deep.equal({
      ...{ name: 'a_total', labels: { x: 'q"b\\n\n', y: '' }, value: 1000 },
      exemplar: { labels: { trace_id: 'abc' }, value: 1, timestamp: 1.5 },
    });
    expect(valueOf(families, 'g_total')).to.equal(-1.5);
    expect(valueOf(families, 'g_total', { x: '1' })).to.be.NaN;
    expect(valueOf(families, 'h', { le: '+Inf' }, '_bucket')).to.equal(2);
    expect(sumOf(families, 'h', {}, '_count')).to.equal(2);
    expect(seriesCount(families)).to.equal(7);
  });

  it('refuses what is none', () => {
    const wrong: Readonly<Record<string, readonly string[]>> = {
      'an empty line': ['# TYPE a gauge', '', 'a 1'],
      'a carriage return': ['# TYPE a gauge', 'a 1\r'],
      'a comment': ['# hello'],
      'an early end': ['# TYPE a gauge', 'a 1', '# EOF'],
      'a counter without _total': ['# TYPE a counter', 'a 1'],
      'a counter family with _total': ['# TYPE a_total counter', 'a_total_total 1'],
      'a counter below zero': ['# TYPE a counter', 'a_total -1'],
      'a counter that is no number': ['# TYPE a counter', 'a_total NaN'],
      'a type that does not exist': ['# TYPE a count', 'a 1'],
      'a second type': ['# TYPE a gauge', '# TYPE a gauge', 'a 1'],
      'a type behind samples': ['a 1', '# TYPE a gauge'],
      'a family in two parts': ['# TYPE a gauge', 'a 1', '# TYPE b gauge', 'b 1', '# TYPE a gauge'],
      'the same series twice': ['# TYPE a gauge', 'a{x="1",y="2"} 1', 'a{y="2",x="1"} 1'],
      'the same label twice': ['# TYPE a gauge', 'a{x="1",x="2"} 1'],
      'a label name that is none': ['# TYPE a gauge', 'a{x-y="1"} 1'],
      'a comma at the end': ['# TYPE a gauge', 'a{x="1",} 1'],
      'an escape that is none': ['# TYPE a gauge', 'a{x="\\t"} 1'],
      'a bare quote in help': ['# HELP a "b"', '# TYPE a gauge'],
      'a number that is none': ['# TYPE a gauge', 'a 0x10'],
      'two spaces': ['# TYPE a gauge', 'a  1'],
      'an exemplar of a gauge': ['# TYPE a gauge', 'a 1 # {t="1"} 1'],
      'a long exemplar': ['# TYPE a counter', `a_total 1 # {t="${'x'.repeat(128)}"} 1`],
      'buckets that fall': [...HISTOGRAM.slice(0, 1), 'h_bucket{le="0.5"} 3', ...HISTOGRAM.slice(2)],
      'no last bucket': HISTOGRAM.filter((line) => !line.includes('Inf')),
      'a count that is not the last bucket': [...HISTOGRAM.slice(0, 4), 'h_count 3'],
      'no sum': HISTOGRAM.filter((line) => !line.includes('sum')),
      'bounds in disorder': [
        HISTOGRAM[0] ?? '',
        HISTOGRAM[2] ?? '',
        HISTOGRAM[1] ?? '',
        'h_sum 1',
        'h_count 1',
      ],
      'an exemplar in the wrong bucket': [
        HISTOGRAM[0] ?? '',
        'h_bucket{le="0.5"} 1 # {t="1"} 0.6',
        ...HISTOGRAM.slice(2),
      ],
      'two families with one series name': [...HISTOGRAM, '# TYPE h_count gauge', 'h_count 1'],
    };
    for (const [what, lines] of Object.entries(wrong)) {
      expect(() => read(...lines), what).to.throw(NotOpenMetrics);
    }
    expect(() => parseOpenMetrics('# TYPE a gauge\na 1\n')).to.throw(NotOpenMetrics, '# EOF');
    expect(() => parseOpenMetrics('# EOF')).to.throw(NotOpenMetrics);
  });
});
