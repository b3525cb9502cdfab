// Terminal output of the demonstration: plain lines without a terminal, colours and a moving bar with one.
const TTY =
  process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
const BAR_WIDTH = 32;
const LABEL_WIDTH = 10;

const paint = (code: number) => (text: string) => (TTY ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const green = paint(32);
const cyan = paint(36);

/** A line that begins with a label in its own column. */
export function say(label: string, text: string): void {
  process.stdout.write(`  ${cyan(label.padEnd(LABEL_WIDTH))} ${text}\n`);
}

export function title(text: string): void {
  process.stdout.write(`\n${bold(text)}\n\n`);
}

/** `1 234 567` */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}

/** A bar that moves in place on a terminal; elsewhere a line for every tenth. */
export class ProgressBar {
  readonly #started = performance.now();
  #tenth = -1;
  #drawn = 0;

  constructor(
    private readonly label: string,
    private readonly total: number,
  ) {}

  update(done: number): void {
    const now = performance.now();
    const share = this.total === 0 ? 1 : Math.min(1, done / this.total);
    if (TTY) {
      // A terminal is slower than the loader: 20 pictures a second are enough.
      if (now - this.#drawn < 50 && share < 1) return;
      this.#drawn = now;
      const full = Math.round(share * BAR_WIDTH);
      const bar = green('█'.repeat(full)) + dim('░'.repeat(BAR_WIDTH - full));
      process.stdout.write(
        `\r\x1b[K  ${cyan(this.label.padEnd(LABEL_WIDTH))} ${bar} ${this.#numbers(done, share)}`,
      );
    } else if (Math.floor(share * 10) > this.#tenth) {
      this.#tenth = Math.floor(share * 10);
      say(this.label, this.#numbers(done, share));
    }
  }

  /** Replaces the bar by a line. */
  end(text: string): void {
    if (TTY) process.stdout.write('\r\x1b[K');
    say(this.label, text);
  }

  #numbers(done: number, share: number): string {
    const seconds = (performance.now() - this.#started) / 1000;
    const rate = seconds > 0 ? done / seconds : 0;
    const percent = `${Math.round(share * 100)} %`.padStart(5);
    return `${percent}  ${grouped(done)} of ${grouped(this.total)}  ${grouped(rate)}/s  ${seconds.toFixed(1)} s`;
  }
}
