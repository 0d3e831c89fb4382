import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { REQUEST_QUEUES } from '../../contracts/topology.js';
import { parseAccess } from '../../src/decide/access/access-policy.js';
import { SETTINGS } from '../../src/config/settings.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { kustomize, type Manifest } from '../support/kustomize.js';

// deploy/kubernetes, without a cluster. The output of kustomize is checked against the schemas of Kubernetes, KEDA and
// the Prometheus operator, and against the promises of the documents.

const FOLDER = path.resolve(import.meta.dirname, '../../deploy/kubernetes');
const OVERLAYS = {
  trial: kustomize(`${FOLDER}/overlays/trial`),
  production: kustomize(`${FOLDER}/overlays/production`),
};
const NAMES = Object.keys(OVERLAYS) as (keyof typeof OVERLAYS)[];

const MODELS: Record<string, { prototype: { validate: () => void } }> = {
  'v1 ConfigMap': ConfigMap,
  'v1 Namespace': Namespace,
  'v1 Service': Service,
  'v1 ServiceAccount': ServiceAccount,
  'apps/v1 Deployment': Deployment,
  'batch/v1 Job': Job,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'monitoring.coreos.com/v1 ServiceMonitor': ServiceMonitor,
  'keda.sh/v1alpha1 ScaledObject': ScaledObject,
  'keda.sh/v1alpha1 TriggerAuthentication': TriggerAuthentication,
};

const named = (manifests: Manifest[], kind: string, name = 'account-manager'): Manifest => {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
};
const labelsOf = (selector: Record<string, string>) => (labels: Record<string, string>) =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/**
 * Faults of a manifest by the schema. Unknown fields pass these validators, and a cluster drops them. So fields that
 * the validator never reads are faults too.
 */
function faultsOf(manifest: Manifest): string[] {
  const model = MODELS[`${manifest.apiVersion} ${manifest.kind}`];
  if (model === undefined) return [`no schema for ${manifest.apiVersion} ${manifest.kind}`];
  const read = new Set<string>();
  try {
    model.prototype.validate.call(watched(manifest, '', read));
  } catch (error) {
    return [(error as Error).message];
  }
  return unread(manifest, '', read);
}

function watched(value: unknown, at: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get: (target, key) => {
      const place = `${at}/${String(key)}`;
      read.add(place).add(at);
      return watched(Reflect.get(target, key), place, read);
    },
  });
}

function unread(value: unknown, at: string, read: Set<string>): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const place = `${at}/${key}`;
    return read.has(place) ? unread(below, place, read) : [`${place} is not known`];
  });
}

test.each(NAMES)('every manifest of the overlay %s meets its schema', (name) => {
  expect(OVERLAYS[name].flatMap((one) => faultsOf(one).map((fault) => `${one.kind}: ${fault}`))).toEqual([]);
});

type Spoil = (manifest: Manifest) => void;
const SPOILT: [string, string, Spoil][] = [
  ['ConfigMap', 'must be string', (one) => (one.data.HTTP_PORT = 3000)],
  ['Namespace', 'must be', (one) => (one.metadata.labels = 'restricted' as never)],
  ['Service', 'must be', (one) => (one.spec.ports[0].port = 'http')],
  ['ServiceAccount', 'must be boolean', (one) => (one.automountServiceAccountToken = 'no')],
  ['Deployment', 'must be integer', (one) => (one.spec.template.spec.terminationGracePeriodSeconds = '45s')],
  ['Deployment', 'selector', (one) => delete one.spec.selector],
  ['Job', 'must be integer', (one) => (one.spec.backoffLimit = 'five')],
  ['NetworkPolicy', 'must be array', (one) => (one.spec.ingress = { from: [] })],
  ['PodDisruptionBudget', 'must be', (one) => (one.spec.maxUnavailable = true)],
  ['ServiceMonitor', 'endpoints', (one) => delete one.spec.endpoints],
  ['ScaledObject', 'triggers', (one) => delete one.spec.triggers],
  ['TriggerAuthentication', 'key', (one) => delete one.spec.secretTargetRef[0].key],
  // Misspelt fields.
  ['ConfigMap', '/dta is not known', (one) => (one.dta = {})],
  ['Namespace', '/metadata/label is not known', (one) => (one.metadata = { ...one.metadata, label: {} } as never)],
  ['Service', '/spec/selectors is not known', (one) => (one.spec.selectors = {})],
  ['ServiceAccount', '/automountToken is not known', (one) => (one.automountToken = false)],
  [
    'Deployment',
    '/readOnlyRootFileSystem is not known',
    ({ spec }) => {
      spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem = true;
    },
  ],
  ['Job', '/spec/activeDeadline is not known', (one) => (one.spec.activeDeadline = 900)],
  ['NetworkPolicy', '/spec/policyType is not known', (one) => (one.spec.policyType = ['Ingress'])],
  ['PodDisruptionBudget', '/spec/minimum is not known', (one) => (one.spec.minimum = 1)],
  ['ServiceMonitor', '/spec/endpoints/0/route is not known', (one) => (one.spec.endpoints[0].route = '/metrics')],
  ['ScaledObject', '/spec/minReplicas is not known', (one) => (one.spec.minReplicas = 2)],
  ['TriggerAuthentication', '/spec/secretRef is not known', (one) => (one.spec.secretRef = {})],
];

test.each(SPOILT)('a faulty %s is found: %s', (kind, fault, spoil) => {
  const manifest = structuredClone(OVERLAYS.production.find((one) => one.kind === kind)!);
  expect(faultsOf(manifest)).toEqual([]);
  spoil(manifest);
  expect(faultsOf(manifest).join('\n')).toContain(fault);
});

test('every kind has a case that fails', () => {
  const kinds = new Set(NAMES.flatMap((name) => OVERLAYS[name].map(({ kind }) => kind)));
  expect(new Set(SPOILT.map(([kind]) => kind))).toEqual(kinds);
});

test.each(NAMES)('in the overlay %s each selector finds the Pods it means, and no others', (name) => {
  const manifests = OVERLAYS[name];
  const pods = Object.fromEntries(
    ['Deployment', 'Job'].map((kind) => {
      const { spec } = manifests.find((one) => one.kind === kind)!;
      return [kind, spec.template.metadata.labels as Record<string, string>];
    }),
  );
  const foundBy = (selector: Record<string, string>) =>
    Object.keys(pods).filter((kind) => labelsOf(selector)(pods[kind]!));
  expect(foundBy(named(manifests, 'Deployment').spec.selector.matchLabels)).toEqual(['Deployment']);
  expect(foundBy(named(manifests, 'PodDisruptionBudget').spec.selector.matchLabels)).toEqual(['Deployment']);
  expect(foundBy(named(manifests, 'Service').spec.selector)).toEqual(['Deployment']);
  expect(foundBy(named(manifests, 'NetworkPolicy').spec.podSelector.matchLabels)).toEqual(['Deployment']);
  const migration = named(manifests, 'NetworkPolicy', 'account-manager-migrate');
  expect(foundBy(migration.spec.podSelector.matchLabels)).toEqual(['Job']);
  // `kubectl apply --selector app.kubernetes.io/component=migration` applies the Job and its policy alone.
  const first = manifests.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'migration');
  expect(first.map(({ kind }) => kind).sort()).toEqual(['Job', 'NetworkPolicy']);
  for (const { labelSelector } of named(manifests, 'Deployment').spec.template.spec.topologySpreadConstraints)
    expect(foundBy(labelSelector.matchLabels)).toEqual(['Deployment']);
});

test.each(NAMES)('in the overlay %s a stop waits for what is in work, and each probe asks its own question', (name) => {
  const manifests = OVERLAYS[name];
  const { spec } = named(manifests, 'Deployment').spec.template;
  const settings = manifests.find((one) => one.metadata.name.startsWith('account-manager-settings'))!.data;
  const [container] = spec.containers;
  const preStopSeconds = Number(container.lifecycle.preStop.exec.command[1]);
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(
    Number(settings.SHUTDOWN_TIMEOUT_SECONDS) + preStopSeconds,
  );
  const { startupProbe, livenessProbe, readinessProbe } = container;
  expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
    '/health/live',
    '/health/live',
    '/health/ready',
  ]);
  expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(60);
});

test.each(NAMES)('in the overlay %s Pods run without rights', (name) => {
  for (const { spec } of OVERLAYS[name].filter(({ kind }) => kind === 'Deployment' || kind === 'Job')) {
    const pod = spec.template.spec;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits.memory).toMatch(/^\d+Mi$/);
    }
  }
});

test.each(NAMES)('in the overlay %s settings are known, and secrets are only referred to', (name) => {
  const manifests = OVERLAYS[name];
  const { data } = manifests.find((one) => one.metadata.name.startsWith('account-manager-settings'))!;
  const known = new Set(
    SETTINGS.flatMap((setting) => [setting.name, ...(setting.secret ? [`${setting.name}_FILE`] : [])]),
  );
  expect(Object.keys(data).filter((variable) => !known.has(variable))).toEqual([]);
  expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  expect(JSON.stringify(manifests)).not.toMatch(/\w+:\/\/[^\s"/]+:[^\s"/]+@/);
  const { spec } = named(manifests, 'Deployment').spec.template;
  expect(spec.volumes.find((volume: { name: string }) => volume.name === 'secrets').secret.secretName).toBe(
    'account-manager',
  );
});

test('two instances at least: fixed, or by autoscaling', () => {
  expect(named(OVERLAYS.trial, 'Deployment').spec.replicas).toBe(2);
  // Where KEDA decides, a number would undo its decision.
  expect(named(OVERLAYS.production, 'Deployment').spec).not.toHaveProperty('replicas');
  expect(named(OVERLAYS.production, 'ScaledObject').spec.minReplicaCount).toBe(2);
});

test('autoscaling looks at every request queue, unanswered messages included, and at a metric that is there', async () => {
  const { triggers } = named(OVERLAYS.production, 'ScaledObject').spec;
  const [length, wait] = triggers as { type: string; metricType?: string; metadata: Record<string, string> }[];
  const queues = Object.values(REQUEST_QUEUES).map((queue) => queue.name);
  expect(queues.filter((queue) => !new RegExp(length!.metadata.queueName!).test(queue))).toEqual([]);
  expect(
    ['account-manager.parked', 'account-manager.retry.5s'].filter((queue) =>
      new RegExp(length!.metadata.queueName!).test(queue),
    ),
  ).toEqual([]);
  expect(length!.metadata).toMatchObject({ protocol: 'http', useRegex: 'true', excludeUnacknowledged: 'false' });
  // A p95 is not shared among instances.
  expect(wait).toMatchObject({ type: 'prometheus', metricType: 'Value' });
  const names = (await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name);
  const [, metric] = /(account_manager_\w+)_bucket/.exec(wait!.metadata.query!) ?? [];
  expect(names).toContain(metric);
});

test('the access file of the overlay production is valid', () => {
  const { data } = OVERLAYS.production.find((one) => one.metadata.name.startsWith('account-manager-access'))!;
  expect(parseAccess(JSON.parse(data['access.json']), 'account-manager').ok).toBe(true);
});
