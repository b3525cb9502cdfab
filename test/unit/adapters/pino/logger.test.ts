import { expect } from 'chai';
import { PinoLogger } from '#server/adapters/pino/logger.js';
import type { PinoOptions } from '#server/adapters/pino/logger.js';
import { OmenError } from '#server/core/errors.js';

type Line = Readonly<Record<string, unknown>>;

function open(level: PinoOptions['level'] = 'debug') {
  const lines: Line[] = [];
  const logger = new PinoLogger({
    level,
    stream: { write: (text: string) => void lines.push(JSON.parse(text) as Line) },
  });
  return { logger, lines };
}

describe('The log', () => {
  it('has one JSON object a line, with time, level, message and facts', () => {
    const { logger, lines } = open();
    logger.child({ collection: 'c' }).info('something happened', { count: 3 });
    expect(lines).to.have.lengthOf(1);
    expect(lines[0]).to.include({ level: 'info', message: 'something happened', count: 3, collection: 'c' });
    expect(lines[0]?.['time']).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('says whether lines at debug level are written', () => {
    expect(open('debug').logger.verbose).to.equal(true);
    expect(open('info').logger.verbose).to.equal(false);
    expect(open('info').logger.child({}).verbose).to.equal(false);
  });

  it('tells of an error its reason, its code and its causes, each with its stack', () => {
    const { logger, lines } = open();
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const outer = new OmenError('STORAGE_UNAVAILABLE', 'the store does not answer', { cause: refused });
    logger.error('a request failed', { error: outer });
    const error = lines[0]?.['error'] as Line;
    expect(error).to.include({ type: 'OmenError', reason: 'STORAGE_UNAVAILABLE' });
    expect(error['stack']).to.match(/logger\.test/);
    expect(error['cause']).to.include({ message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' });
  });

  it('tells nothing else that hangs on an error, and does not follow causes for ever', () => {
    const { logger, lines } = open();
    const error = Object.assign(new Error('failed'), {
      config: { headers: { authorization: 'Bearer hidden-token' } },
      body: 'hidden-body',
    });
    error.cause = error;
    logger.error('failed', { error });
    expect(JSON.stringify(lines)).to.not.include('hidden-');
    expect(JSON.stringify(lines).split('"cause"')).to.have.lengthOf(6);
  });

  it('tells of failures that came together', () => {
    const { logger, lines } = open();
    const parts = ['::1', '127.0.0.1'].map((host) => new Error(`connect ${host}`));
    logger.error('failed', { error: new AggregateError(parts, '') });
    const told = (lines[0]?.['error'] as { readonly parts: readonly Line[] }).parts;
    expect(told.map(({ message }) => message)).to.deep.equal(['connect ::1', 'connect 127.0.0.1']);
  });

  it('hides facts that are named as credentials', () => {
    const { logger, lines } = open();
    logger.info('x', { token: 'hidden-1', headers: { authorization: 'hidden-2' }, error: 'as a text' });
    expect(JSON.stringify(lines)).to.not.include('hidden-');
    expect(lines[0]).to.include({ token: '[hidden]', error: 'as a text' });
  });
});
