// Makes a VolumeSnapshot of every volume of the servers and removes the oldest above the number to keep.
import { readFileSync } from 'node:fs';

const { NAMESPACE: namespace, SELECTOR: selector, CLASS: className, KEEP: keep } = process.env;
const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8').trim();
const snapshots = `/apis/snapshot.storage.k8s.io/v1/namespaces/${namespace}/volumesnapshots`;
const matching = `?labelSelector=${encodeURIComponent(selector)}`;
const labels = Object.fromEntries(selector.split(',').map((pair) => pair.split('=')));

const claims = await ask('GET', `/api/v1/namespaces/${namespace}/persistentvolumeclaims${matching}`);
if (claims.items.length === 0) throw new Error(`there is no volume with the labels ${selector}`);
const moment = new Date()
  .toISOString()
  .replace(/[-:]|\.\d+/g, '')
  .toLowerCase();
for (const { metadata } of claims.items) {
  const name = `${metadata.name}-${moment}`;
  await ask('POST', snapshots, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, labels },
    spec: {
      ...(className === '' ? {} : { volumeSnapshotClassName: className }),
      source: { persistentVolumeClaimName: metadata.name },
    },
  });
  console.log(`${name} is being made.`);
}
const { items } = await ask('GET', `${snapshots}${matching}`);
for (const { metadata } of claims.items) {
  const own = items.filter(({ spec }) => spec.source.persistentVolumeClaimName === metadata.name);
  own.sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1));
  for (const old of own.slice(Number(keep))) {
    await ask('DELETE', `${snapshots}/${old.metadata.name}`);
    console.log(`${old.metadata.name} is removed.`);
  }
}

async function ask(method, path, body) {
  const answer = await fetch(`https://kubernetes.default.svc${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
