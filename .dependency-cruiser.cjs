// The layers of server/ARCHITECTURE.md, as rules. `node scripts/lint.mjs layers` runs them.
// main -> transport -> app -> core; app -> ports; adapters -> ports (and core); core -> core.

/** Modules that nothing imports because a process begins there. */
const ENTRIES =
  '(^server/src/main\\.ts$|^sdk/src/(index|grpc|raw|testing)\\.ts$|worker[^/]*\\.ts$|^bench/|^test/|^scripts/|' +
  '^proto/codegen/|/gen/|\\.d\\.ts$)';

const forbidden = [
  {
    name: 'core-is-pure',
    comment: 'core imports only core: declare what it needs as an argument, or as a port that app hands in.',
    from: { path: '^server/src/core/' },
    to: { pathNot: '^server/src/core/', couldNotResolve: false },
  },
  {
    name: 'ports-are-interfaces',
    comment: 'a port imports only core and other ports: it says what is needed, not how it is done.',
    from: { path: '^server/src/ports/' },
    to: { pathNot: '^server/src/(core|ports)/', couldNotResolve: false },
  },
  {
    name: 'app-knows-no-technology',
    comment: 'app imports only app, core and ports: let main.ts build the adapter and hand it in as a port.',
    from: { path: '^server/src/app/' },
    to: { pathNot: '^server/src/(core|ports|app)/', couldNotResolve: false },
  },
  {
    name: 'adapters-do-not-meet',
    comment: 'an adapter imports no other adapter: share through core or a port, or compose both in main.ts.',
    from: { path: '^server/src/adapters/([^/]+)/' },
    to: { path: '^server/src/adapters/', pathNot: '^server/src/adapters/$1/' },
  },
  {
    name: 'adapters-serve-ports',
    comment: 'an adapter imports ports and core only: it does not know who uses it.',
    from: { path: '^server/src/adapters/' },
    to: { path: '^server/src/(app|transport|gen|config|cli|main)' },
  },
  {
    name: 'transport-builds-nothing',
    comment: 'transport calls app and imports no adapter: main.ts builds what it needs and hands it in.',
    from: { path: '^server/src/transport/' },
    to: { path: '^server/src/(adapters|cli|main)' },
  },
  {
    name: 'nothing-imports-main',
    comment: 'main.ts is the composition root: move what is shared to the layer that owns it.',
    from: {},
    to: { path: '^server/src/main\\.ts$' },
  },
  {
    name: 'wire-types-stop-at-the-edge',
    comment:
      'only transport (server) and the client import generated wire types: decode into app/api.ts first.',
    from: { path: '^server/src/', pathNot: '^server/src/(transport|gen)/' },
    to: { path: '^server/src/gen/' },
  },
  {
    name: 'sdk-and-server-apart',
    comment: 'the client and the server share the protos and nothing else.',
    from: { path: '^(sdk|server)/src/' },
    to: { path: '^(sdk|server)/', pathNot: '^$1/' },
  },
  {
    name: 'tests-not-imported',
    comment: 'product code imports no test, bench or script.',
    from: { path: '^(server|sdk)/src/' },
    to: { path: '^(test|bench|scripts)/' },
  },
  {
    name: 'no-dev-dependencies',
    comment: 'product code runs without devDependencies: add the package to the workspace that imports it.',
    from: { path: '^(server|sdk)/src/' },
    to: {
      dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
      dependencyTypesNot: ['type-only', 'npm-peer'],
    },
  },
  {
    name: 'no-cycles',
    comment: 'modules form no cycle: move what both need into a third.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphans',
    comment: 'every module is imported by another or is an entry: delete what nothing uses.',
    from: { orphan: true, pathNot: ENTRIES },
    to: {},
  },
];

module.exports = {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    // Type-only imports count: a layer must not even know the names of the layer above.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
    },
    moduleSystems: ['es6'],
  },
};
