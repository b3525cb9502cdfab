/*
 * From one board to another, and from a panel to the runbook of its alert.
 */
import type { DashboardLink } from '@grafana/grafana-foundation-sdk/dashboard';
import { DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';

/** The boards in the order of their links, with the names that people see. */
export const BOARD_TITLES = {
  'omendb-server': 'OmenDB / Server',
  'omendb-queries': 'OmenDB / Queries',
  'omendb-engine-pool': 'OmenDB / Engine pool',
  'omendb-storage': 'OmenDB / Storage',
  'omendb-tenants': 'OmenDB / Tenants',
  'omendb-slo': 'OmenDB / SLO',
  'omendb-cost': 'OmenDB / Cost',
} as const;

export type BoardUid = keyof typeof BOARD_TITLES;

/** All boards, in the order of their links. */
export const BOARD_UIDS = Object.keys(BOARD_TITLES) as BoardUid[];

/** @param carryVariables In a panel, where Grafana does not add time and variables by itself. */
export function boardLink(uid: BoardUid, carryVariables = false): DashboardLink {
  return {
    title: BOARD_TITLES[uid].replace('OmenDB / ', ''),
    type: DashboardLinkType.Link,
    icon: 'dashboard',
    tooltip: `Open the board ${BOARD_TITLES[uid]}`,
    url: `/d/${uid}${carryVariables ? '?${__url_time_range}&${__all_variables}' : ''}`,
    tags: [],
    asDropdown: false,
    targetBlank: false,
    includeVars: !carryVariables,
    keepTime: !carryVariables,
  };
}

/** The page to follow when `alert` fires. */
export function runbookLink(alert: string): DashboardLink {
  return {
    title: `Runbook ${alert}`,
    type: DashboardLinkType.Link,
    icon: 'doc',
    tooltip: `What to do when ${alert} fires`,
    url: runbookUrl(alert),
    tags: [],
    asDropdown: false,
    targetBlank: true,
    includeVars: false,
    keepTime: false,
  };
}

/** The same for a description. */
export function runbookText(alert: string): string {
  return `[${alert}](${runbookUrl(alert)})`;
}

function runbookUrl(alert: string): string {
  return `\${runbooks}/${alert}.md`;
}
