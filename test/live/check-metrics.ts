// What promtool says of a real scrape. It reads the older text format only, so the answer is put into that
// first.
import { spawnSync } from 'node:child_process';

/** Lines that `promtool check metrics` prints. */
export function checkMetrics(openMetrics: string): string[] {
  const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: inTextFormat(openMetrics),
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
}

/** Counters are described under their full name; there are no exemplars and no end mark. */
function inTextFormat(openMetrics: string): string {
  const counters = new Set(
    [...openMetrics.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name]) => name ?? ''),
  );
  const lines = openMetrics.split('\n').flatMap((line) => {
    if (line === '# EOF') return [];
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (name !== undefined) return [`# ${kind} ${name}${counters.has(name) ? '_total' : ''} ${rest}`];
    return [line.replace(/ # \{.*$/, '')];
  });
  return lines.join('\n');
}
