// The rules that types cannot express. A banned call names its replacement in the message.
// Types are checked by `tsc`, layers by `.dependency-cruiser.cjs`, layout by Prettier: none of that is
// repeated here.
import tseslint from 'typescript-eslint';

const CLOCK = 'Use the Clock port (ports/clock.ts): time is handed in so that a test can stop it.';
const RNG = 'Use the Rng port (ports/rng.ts): randomness is handed in so that a seed replays a run.';
const SCHEDULER =
  'Use the Scheduler port (ports/scheduler.ts): timers are handed in so that a test drives them.';
const BYTES = 'Use Uint8Array, DataView and TextEncoder: this layer knows no Node API.';
const CONFIG = 'Take the setting as an argument: only main.ts and config/ read the process.';

const PURE_GLOBALS = [
  ...['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({ name, message: SCHEDULER })),
  ...['clearTimeout', 'clearInterval', 'clearImmediate'].map((name) => ({ name, message: SCHEDULER })),
  { name: 'performance', message: CLOCK },
  { name: 'crypto', message: RNG },
  { name: 'Buffer', message: BYTES },
  { name: 'process', message: CONFIG },
  { name: 'console', message: 'Use the Logger port (ports/logger.ts).' },
  { name: 'fetch', message: 'Use a port: this layer does no input or output.' },
  { name: 'WeakRef', message: 'Depends on the garbage collector, so a seed would not replay a run.' },
  {
    name: 'FinalizationRegistry',
    message: 'Depends on the garbage collector, so a seed would not replay a run.',
  },
  { name: 'Intl', message: 'Depends on the locale data of the machine; compare UTF-8 bytes or code units.' },
];

const PURE_PROPERTIES = [
  { object: 'Date', property: 'now', message: CLOCK },
  { object: 'Math', property: 'random', message: RNG },
  { object: 'AbortSignal', property: 'timeout', message: SCHEDULER },
  {
    property: 'localeCompare',
    message: 'Depends on the locale data of the machine; compare UTF-8 bytes or code units.',
  },
];

const EVERYWHERE_SYNTAX = [
  {
    selector: 'TSEnumDeclaration',
    message: 'Use a const array or object with a type derived from it instead of an enum.',
  },
  {
    selector: 'ExportDefaultDeclaration',
    message: 'Use a named export: a default export has another name in every file.',
  },
  { selector: 'TSModuleDeclaration[kind="namespace"]', message: 'Use a module instead of a namespace.' },
];

const PURE_SYNTAX = [
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: CLOCK },
  { selector: 'CallExpression[callee.name="Date"]', message: CLOCK },
  {
    selector: 'ImportExpression',
    message: 'Import statically: what this layer needs is known when it is built.',
  },
];

const PORT_SYNTAX = [
  {
    selector: 'FunctionDeclaration',
    message: 'A port holds interfaces and closed sets; put code into core or an adapter.',
  },
  {
    selector: 'ClassDeclaration',
    message: 'A port holds interfaces and closed sets; put code into core or an adapter.',
  },
  {
    selector: 'ArrowFunctionExpression',
    message: 'A port holds interfaces and closed sets; put code into core or an adapter.',
  },
];

const NODE_AND_NPM = {
  regex: '^(?!\\.{1,2}/)',
  message: 'This layer imports no Node module and no package; declare what it needs as a port.',
};

export const config = tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/gen/**',
      'server/kernels/**',
      '.cache/**',
      'data*/**',
      'bench/results/**',
      'test/dist/**',
    ],
  },
  {
    files: ['**/*.ts', '**/*.js', '**/*.mjs', '**/*.cjs'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parser: tseslint.parser },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-debugger': 'error',
      'no-fallthrough': 'error',
      'no-unsafe-finally': 'error',
      'no-self-compare': 'error',
      'no-sparse-arrays': 'error',
      'no-async-promise-executor': 'error',
      'no-constant-binary-expression': 'error',
      'max-depth': ['error', 4],
    },
  },
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/no-unsafe-function-type': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
      'no-restricted-syntax': ['error', ...EVERYWHERE_SYNTAX],
    },
  },
  {
    files: ['server/src/**/*.ts', 'sdk/src/**/*.ts', 'proto/codegen/**/*.ts', 'bench/**/*.ts', 'scripts/**'],
    rules: { 'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['server/src/{core,app,ports}/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...PURE_GLOBALS],
      'no-restricted-properties': ['error', ...PURE_PROPERTIES],
      'no-restricted-imports': ['error', { patterns: [NODE_AND_NPM] }],
      'no-restricted-syntax': ['error', ...EVERYWHERE_SYNTAX, ...PURE_SYNTAX],
    },
  },
  {
    // Declarations of a platform's globals follow its own form.
    files: ['**/*.d.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['server/src/ports/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...EVERYWHERE_SYNTAX, ...PURE_SYNTAX, ...PORT_SYNTAX] },
  },
  {
    files: ['server/src/{adapters,transport}/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: CONFIG },
        {
          object: 'process',
          property: 'exit',
          message: 'Throw, or tell main: only main.ts ends the process.',
        },
        { object: 'Math', property: 'random', message: RNG },
      ],
    },
  },
);

// ESLint reads its configuration from the default export.
export { config as default };
