// Creates the Secret with the key that tokens are signed with, unless there is one already: "already exists"
// is the answer that is hoped for. It needs to create Secrets, and reads none.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { NAMESPACE: namespace, NAME: name, KEY: key, LABELS: labels } = process.env;
const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace, labels: JSON.parse(labels) },
  type: 'Opaque',
  stringData: { [key]: randomBytes(48).toString('base64') },
};
const answer = await fetch(`https://kubernetes.default.svc/api/v1/namespaces/${namespace}/secrets`, {
  method: 'POST',
  headers: { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' },
  body: JSON.stringify(secret),
});
if (answer.status === 201) console.log(`Secret ${name} was made.`);
else if (answer.status === 409) console.log(`Secret ${name} exists and stays as it is.`);
else {
  console.error(`Secret ${name} cannot be made: ${answer.status} ${await answer.text()}`);
  process.exitCode = 1;
}
