import type { OperationName } from '../../contracts/operations.js';

export const VIEW_NAMES = [
  'fleet',
  'accounts',
  'leases',
  'recoveries',
  'jobs',
  'parked',
  'alerts',
  'events',
  'policy',
  'why',
] as const;
export type ViewName = (typeof VIEW_NAMES)[number];

export interface View {
  name: ViewName;
  /** Below `/console`. */
  path: string;
  /** Leads here after `g`. */
  key: string;
  /** Operation that the view needs. A caller that may not use it does not see the view. */
  needs: OperationName;
}

/** The views, in the order of the navigation. */
export const VIEWS: readonly View[] = [
  { name: 'fleet', path: '/', key: 'f', needs: 'query.status' },
  { name: 'accounts', path: '/accounts', key: 'a', needs: 'query.accounts' },
  { name: 'leases', path: '/leases', key: 'l', needs: 'query.leases' },
  { name: 'recoveries', path: '/recoveries', key: 'r', needs: 'query.recoveries' },
  { name: 'jobs', path: '/jobs', key: 'j', needs: 'query.jobs' },
  { name: 'parked', path: '/parked', key: 'p', needs: 'admin.parked' },
  { name: 'alerts', path: '/alerts', key: 't', needs: 'query.alerts' },
  { name: 'events', path: '/events', key: 'e', needs: 'query.events' },
  { name: 'policy', path: '/policy', key: 'o', needs: 'query.policy' },
  { name: 'why', path: '/why', key: 'w', needs: 'query.explain' },
];
