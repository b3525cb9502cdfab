/*
 * What a person who starts the server in development mode sees.
 */

export interface BannerFacts {
  readonly version: string;
  readonly host: string;
  readonly ports: { readonly http: number; readonly grpc: number; readonly ops: number };
  readonly dataDir: string;
  readonly token: string;
  readonly tenant: string;
}

/** Addresses, a token, and commands that work as printed. */
export function renderBanner({ version, host, ports, dataDir, token, tenant }: BannerFacts): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `http://${name}:${ports.http}`;
  const post = (path: string, body: string): string =>
    `  curl -s ${url}/v1/collections${path} -H "authorization: Bearer $TOKEN" \\\n` +
    `    -H "content-type: application/json" -d '${body}'\n`;
  return `
OmenDB ${version} is ready.

  HTTP    ${url}
  gRPC    ${name}:${ports.grpc}
  probes  http://${name}:${ports.ops}/readyz
  data    ${dataDir}

Development mode: only this machine can connect, because OMENDB_JWT_SECRET is not set.
A token for tenant "${tenant}", good for 24 hours ("omendb token --tenant ${tenant}" prints another):

  TOKEN=${token}

Make a collection, put two records into it, search:

${post('', '{"name":"first","dimensions":3,"metric":"cosine"}')}
${post('/first/records:upsert', '{"records":[{"id":"a","vector":[1,0,0],"attributes":{"n":1}},{"id":"b","vector":[0,1,0]}]}')}
${post('/first/records:query', '{"vector":[0.9,0.1,0],"topK":2,"select":["*"]}')}
The API is described at ${url}/openapi.json. Ctrl-C stops the server.
`;
}
