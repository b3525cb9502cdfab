import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { PACKAGE_NAME, PACKAGE_VERSION } from '#sdk/index.js';

describe('The name of the client package', () => {
  it('is the one in package.json', () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../../../../sdk/package.json', import.meta.url), 'utf8'),
    ) as unknown;
    expect(manifest).to.include({ name: PACKAGE_NAME, version: PACKAGE_VERSION });
  });
});
