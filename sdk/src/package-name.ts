/** Name of this package on npm. Besides `package.json` this is the only place that knows it. */
export const PACKAGE_NAME = '@omendb/client';

/** Version of this package; sent to the server as `omendb-client` with every call. */
export const PACKAGE_VERSION = '0.1.0';
