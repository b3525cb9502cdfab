import { expect } from 'chai';
import { METRICS, distanceOfScore, factorOfNorm, rowStride } from '#server/core/vector/metric.js';
import { describeVectorFault, findVectorFault } from '#server/core/vector/validate.js';

describe('Metrics', () => {
  it('pads rows to a multiple of four floats', () => {
    expect([1, 3, 4, 5, 100, 4096].map(rowStride)).to.deep.equal([4, 4, 4, 8, 100, 4096]);
  });

  it('keeps one number beside a row: its reciprocal norm, half its squared norm, or one', () => {
    expect(METRICS.map((metric) => factorOfNorm(metric, 16))).to.deep.equal([0.25, 8, 1]);
  });

  it('turns scores into distances where lower is nearer and zero has no sign', () => {
    expect(METRICS.map((metric) => distanceOfScore(metric, 0.25))).to.deep.equal([0.75, -0.25, -0.25]);
    expect(Object.is(distanceOfScore('l2', 0), 0)).to.equal(true);
  });
});

describe('Checking of vectors', () => {
  const find = (values: readonly number[], metric: (typeof METRICS)[number] = 'l2') =>
    findVectorFault(Float32Array.from(values), 3, metric);

  it('accepts finite rows', () => {
    expect(find([1, 2, 3, -4, 0, 1e-30], 'cosine')).to.equal(null);
  });

  it('names the row and the place of the first value that is not a number', () => {
    expect(find([1, 2, 3, 4, NaN, Infinity])).to.deep.equal({ fault: 'not-finite', row: 1, dimension: 1 });
    expect(find([1, 2, -Infinity])).to.deep.equal({ fault: 'not-finite', row: 0, dimension: 2 });
  });

  it('refuses a norm of zero under cosine only', () => {
    expect(find([1, 0, 0, 0, 0, 0], 'cosine')).to.deep.equal({ fault: 'zero', row: 1, dimension: -1 });
    expect(find([0, 0, 0], 'dot')).to.equal(null);
  });

  it('refuses norms whose squared distances overflow, and says so', () => {
    const fault = find([1e19, 0, 0]);
    expect(fault).to.deep.equal({ fault: 'too-large', row: 0, dimension: -1 });
    expect(fault === null ? '' : describeVectorFault(fault)).to.contain('1e18');
  });
});
