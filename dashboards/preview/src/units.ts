/*
 * Numbers as people read them, by the names that Grafana gives to units.
 */

const SHORT = ['', ' K', ' Mil', ' Bil', ' Tri'];
const BINARY = [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB'];
const DECIMAL = [' B', ' kB', ' MB', ' GB', ' TB', ' PB'];
const PER_SECOND: Readonly<Record<string, string>> = {
  reqps: ' req/s',
  ops: ' ops/s',
  rps: ' rd/s',
  wps: ' wr/s',
  cps: ' c/s',
  iops: ' io/s',
  eps: ' evt/s',
};

/** @param unit Grafana's name of it, such as `s` or `bytes`; unknown ones are written behind the number. */
export function format(value: number | null | undefined, unit = 'short', decimals?: number): string {
  if (value === null || value === undefined || Number.isNaN(value)) return 'No data';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const rate = PER_SECOND[unit];
  if (rate !== undefined) return `${scaled(value, 1000, SHORT, decimals)}${rate}`;
  switch (unit) {
    case 'none':
      return number(value, decimals);
    case 'short':
    case 'locale':
      return scaled(value, 1000, SHORT, decimals);
    case 'percent':
      return `${number(value, decimals)}%`;
    case 'percentunit':
      return `${number(value * 100, decimals)}%`;
    case 'bytes':
      return scaled(value, 1024, BINARY, decimals);
    case 'decbytes':
      return scaled(value, 1000, DECIMAL, decimals);
    case 'binBps':
      return `${scaled(value, 1024, BINARY, decimals)}/s`;
    case 'Bps':
      return `${scaled(value, 1000, DECIMAL, decimals)}/s`;
    case 's':
    case 'dtdurations':
      return seconds(value, decimals);
    case 'ms':
      return seconds(value / 1000, decimals);
    case 'dateTimeAsIso':
      return new Date(value).toISOString().slice(0, 19).replace('T', ' ');
    case 'dateTimeFromNow':
      return `${seconds((Date.now() - value) / 1000, decimals)} ago`;
    case 'currencyUSD':
      return `$${number(value, decimals ?? 2)}`;
    case 'bool':
      return value === 0 ? 'False' : 'True';
    default:
      return `${scaled(value, 1000, SHORT, decimals)} ${unit.replace(/^(suffix|si|prefix):/, '')}`;
  }
}

function scaled(value: number, base: number, names: readonly string[], decimals?: number): string {
  let rest = value;
  let step = 0;
  while (Math.abs(rest) >= base && step < names.length - 1) {
    rest /= base;
    step++;
  }
  return `${number(rest, decimals)}${names[step] ?? ''}`;
}

function seconds(value: number, decimals?: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 1e-3) return `${number(value * 1e6, decimals)} µs`;
  if (size < 1) return `${number(value * 1000, decimals)} ms`;
  if (size < 60) return `${number(value, decimals)} s`;
  if (size < 3600) return `${number(value / 60, decimals)} mins`;
  if (size < 86_400) return `${number(value / 3600, decimals)} hours`;
  return `${number(value / 86_400, decimals)} days`;
}

/** Three digits that say something, unless `decimals` says how many follow the point. */
function number(value: number, decimals?: number): string {
  if (decimals !== undefined) return value.toFixed(decimals);
  const size = Math.abs(value);
  const digits =
    size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 5;
  return String(Number(value.toFixed(digits)));
}
