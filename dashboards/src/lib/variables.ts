/*
 * The variables of every board. They take their values from `omendb_build_info`, which each server has from
 * its first moment on. A Prometheus without Kubernetes sets no `namespace`: "All" then matches the missing
 * label.
 */
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { RUNBOOKS } from './alerts.js';

/** What every panel and query asks. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

type Builder = Parameters<dashboard.DashboardBuilder['withVariable']>[0];

/** Data source, servers, and where the runbooks are. */
export function standardVariables(): Builder[] {
  return [
    new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    fromLabel('namespace', 'Namespace', 'omendb_build_info', '.*'),
    fromLabel('job', 'Job', 'omendb_build_info{namespace=~"$namespace"}', '.+'),
    fromLabel('instance', 'Instance', 'omendb_build_info{namespace=~"$namespace",job=~"$job"}', '.+'),
    new dashboard.ConstantVariableBuilder('runbooks')
      .label('Runbooks')
      .description('Where the runbooks of the alerts are.')
      .value(RUNBOOKS),
  ];
}

/** A number that people may change above the board. */
export function numberVariable(name: string, label: string, value: string, description: string): Builder {
  return new dashboard.TextBoxVariableBuilder(name)
    .label(label)
    .description(description)
    .defaultValue(value)
    .current({ selected: true, text: value, value })
    .options([{ selected: true, text: value, value }]);
}

/** A closed choice. */
export function choiceVariable(
  name: string,
  label: string,
  values: readonly string[],
  description: string,
): Builder {
  const options = values.map((value, index) => ({ selected: index === 0, text: value, value }));
  return new dashboard.CustomVariableBuilder(name)
    .label(label)
    .description(description)
    .values(values.join(','))
    .current(options[0] ?? { text: '', value: '' })
    .options(options);
}

function fromLabel(name: string, label: string, series: string, all: string): Builder {
  const query = `label_values(${series}, ${name})`;
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(query)
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(all)
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}
