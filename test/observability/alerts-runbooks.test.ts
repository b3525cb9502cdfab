// What runbooks promise to whoever is woken by an alert: that everything they name is there.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readValues } from '#alerts/render.mjs';
import { helpText } from '#server/cli/help.js';
import { ERROR_TABLE } from '#server/core/errors.js';
import { metricProblems } from '#support/known-metrics.js';
import { selectorsOf } from '#support/promql.js';
import { ALERTS, RECORDED, RECORDINGS } from '#support/rules.js';

const ROOT = new URL('../../..', import.meta.url).pathname;
const HEADINGS = ['Meaning', 'Impact', 'Diagnosis', 'Mitigation'];

interface Panel {
  readonly title?: string;
  readonly panels?: readonly Panel[];
  readonly targets?: readonly { readonly expr?: string }[];
}
interface Board extends Panel {
  readonly title: string;
}

const runbook = (alert: string) => readFileSync(join(ROOT, 'alerts/runbooks', `${alert}.md`), 'utf8');

/** The text of all files of code below a folder. */
function sourcesBelow(folder: string): string {
  const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && file.name.endsWith('.ts'))
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'))
    .join('\n');
}

/** The text below each heading of the second level. */
function sections(text: string): Map<string, string> {
  const parts = text.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n'))]));
}

/** Each query with the line that says where it is drawn. */
function queriesOf(text: string): { expr: string; board: string }[] {
  return [...text.matchAll(/```promql\n([\s\S]*?)```\n *(.*)/g)].map(([, expr = '', board = '']) => ({
    expr: expr.trim(),
    board,
  }));
}

/** The lines of shell commands, also those within sentences. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, lines = '']) => lines.split('\n'));
  const inline = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...inline].map((line) => line.trim());
}

/** Families that an expression reads, through recording rules too. */
function familiesOf(expr: string): string[] {
  return selectorsOf(expr).flatMap(({ metric }) => {
    const recording = RECORDINGS.find(({ record }) => record === metric);
    return recording === undefined
      ? [metric.replace(/_(bucket|sum|count)$/, '')]
      : familiesOf(recording.expr);
  });
}

function panelsByPlace(): Map<string, string> {
  const places = new Map<string, string>();
  const add = (board: Board, panels: readonly Panel[] = []): void => {
    for (const { title = '', panels: inner, targets = [] } of panels) {
      const place = `Board: ${board.title}: ${title}`;
      places.set(place, [places.get(place) ?? '', ...targets.map(({ expr }) => expr)].join('\n'));
      add(board, inner);
    }
  };
  for (const file of readdirSync(join(ROOT, 'dashboards')).filter((name) => name.endsWith('.json'))) {
    const board = JSON.parse(readFileSync(join(ROOT, 'dashboards', file), 'utf8')) as Board;
    add(board, board.panels);
  }
  return places;
}

describe('Runbooks', () => {
  const places = panelsByPlace();

  it('exist for every alert, and for nothing else', () => {
    const files = readdirSync(join(ROOT, 'alerts/runbooks')).sort();
    expect(files).to.deep.equal(ALERTS.map(({ alert }) => `${alert}.md`).sort());
  });

  for (const { alert } of ALERTS) {
    it(`help: ${alert}`, () => {
      const text = runbook(alert);
      const parts = sections(text);
      expect(text.split('\n')[0]).to.equal(`# ${alert}`);
      expect([...parts.keys()]).to.deep.equal(HEADINGS);
      for (const [heading, part] of parts) expect(part.trim().length, heading).to.be.greaterThan(20);

      const diagnosis = parts.get('Diagnosis') ?? '';
      expect(diagnosis.match(/^1\. .+$/m), 'steps').not.to.equal(null);
      const queries = queriesOf(diagnosis);
      expect(queries.length, 'queries').to.be.greaterThan(0);
      expect(queries.length, 'queries').to.equal(text.match(/```promql/g)?.length);
      for (const { expr, board } of queries) {
        expect(metricProblems(expr, RECORDED), expr).to.deep.equal([]);
        expect([...places.keys()], expr).to.include(board);
        const drawn = familiesOf(expr).filter((family) =>
          new RegExp(`\\b${family}\\b|\\b${family}_(bucket|sum|count)\\b`).test(places.get(board) ?? ''),
        );
        expect(drawn, `${board} does not draw ${expr}`).not.to.deep.equal([]);
      }
      expect(parts.get('Mitigation')?.match(/^- /gm)?.length, 'ways out').to.be.greaterThan(1);
    });
  }

  it('begin with the metrics of their alert', () => {
    for (const { alert, expr } of ALERTS) {
      const asked = queriesOf(runbook(alert)).flatMap((query) => familiesOf(query.expr));
      const wanted = familiesOf(expr).filter((family) => !family.startsWith('kube_'));
      expect(
        asked.some((family) => wanted.includes(family)),
        alert,
      ).to.equal(true);
    }
  });

  it('name commands and options of omendb that exist', () => {
    const help = helpText('');
    for (const { alert } of ALERTS) {
      for (const command of commandsOf(runbook(alert))) {
        const [, words] = /^omendb ((?:key )?[a-z]+)\b/.exec(command) ?? [];
        if (words === undefined) continue;
        expect(help, command).to.match(new RegExp(`omendb \\[?${words}\\b`));
        for (const [option] of command.matchAll(/--[a-z-]+/g)) expect(help, command).to.include(option);
      }
    }
  });

  it('look in the log for what the server writes there', () => {
    const source = sourcesBelow('server/src');
    for (const { alert } of ALERTS) {
      for (const [, words = ''] of runbook(alert).matchAll(/grep -F "([^"]+)"/g)) {
        expect(source.includes(words), `${alert}: ${words}`).to.equal(true);
      }
    }
  });

  it('ask the port of the probes for what it answers', () => {
    for (const { alert } of ALERTS) {
      for (const [, path = ''] of runbook(alert).matchAll(/http:\/\/INSTANCE(\/\S*)/g)) {
        expect(['/livez', '/readyz', '/startupz', '/metrics'], alert).to.include(path);
      }
    }
  });

  it('name reasons of errors, files and values that exist', () => {
    const values = readFileSync(join(ROOT, 'alerts/values.yaml'), 'utf8');
    for (const { alert } of ALERTS) {
      const text = runbook(alert);
      for (const [, word = ''] of text.matchAll(/`([A-Z]{3,}_[A-Z_]+)`/g)) {
        if (/^(OMENDB|AWS)_/.test(word)) continue;
        expect(Object.keys(ERROR_TABLE), alert).to.include(word);
      }
      for (const [, path = ''] of text.matchAll(/`((?:docs|alerts)\/[\w./-]+)`/g)) {
        expect(existsSync(join(ROOT, path)), `${alert}: ${path}`).to.equal(true);
      }
      for (const [, value = ''] of text.matchAll(
        /`(threshold|for|severity|enabled)\b[^`]*` (?:of|for) this/g,
      )) {
        expect(values, alert).to.match(new RegExp(`${alert}: \\{.*\\b${value}:`));
      }
    }
  });

  it('read every recording rule, or an alert or the autoscaler does', () => {
    const readers = [
      ...[...ALERTS, ...RECORDINGS].map(({ expr }) => expr),
      ...ALERTS.map(({ alert }) => runbook(alert)),
      readFileSync(join(ROOT, 'alerts/adapter.rules.yml'), 'utf8'),
    ].join('\n');
    for (const { record } of RECORDINGS) expect(readers, record).to.include(record);
  });
});

describe('The page about alerts', () => {
  const page = () => readFileSync(join(ROOT, 'alerts/README.md'), 'utf8');

  it('lists every alert with its severity and duration', () => {
    const { alerts } = readValues();
    const rows = [
      ...page().matchAll(/^\| \[(OmenDB\w+)\]\(runbooks\/(\w+)\.md\) \| (\w+) \| (.*?) \| (.+) \|$/gm),
    ];
    expect(rows.map(([, name]) => name)).to.deep.equal(ALERTS.map(({ alert }) => alert));
    for (const [, name = '', link, severity, duration] of rows) {
      expect(link).to.equal(name);
      expect(severity, name).to.equal(alerts[name]?.severity);
      expect(duration, name).to.equal(alerts[name]?.for ?? 'at once');
    }
  });

  it('lists every recording rule', () => {
    for (const { record } of RECORDINGS) expect(page()).to.include(`\`${record}\``);
  });
});
