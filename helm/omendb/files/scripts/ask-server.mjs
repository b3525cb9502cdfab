// Asks the server through its Service over HTTP and over gRPC. Ends with exit code 1 when one does not
// answer.
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

const { HTTP_URL: url, GRPC_ADDRESS: address } = process.env;

const health = await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) });
console.log(`HTTP ${health.status} ${await health.text()}`);
if (health.status !== 200) process.exitCode = 1;

const Health = makeGenericClientConstructor(service, 'Health');
const client = new Health(address, credentials.createInsecure());
await new Promise((resolve) => {
  client.Check({ service: '' }, { deadline: Date.now() + 10_000 }, (error, answer) => {
    console.log(`gRPC ${error === null ? answer.status : error.message}`);
    if (error !== null || answer.status !== 'SERVING') process.exitCode = 1;
    client.close();
    resolve();
  });
});
