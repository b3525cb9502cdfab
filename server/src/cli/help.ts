import { renderHelp } from '../config/render.js';
import { knownScopes } from '../transport/auth/scopes.js';

/** What `omendb --help` prints. */
export function helpText(version: string): string {
  return `OmenDB Server ${version}: a vector database whose only durable state is object storage.

Usage:
  omendb [serve]                       start the server
  omendb token --tenant NAME           print a token
      [--scope SCOPE]…                 what it may do, default everything: ${knownScopes().join(', ')}
      [--collection PATTERN]…          collections it covers, such as "docs-*", default all
      [--ttl TIME]                     how long it lives, from 1s to 24h, default 24h
      [--subject TEXT]                 whom it stands for in logs
  omendb key create --tenant NAME      make an API key and print it, this once
      [--scope …] [--collection …]     as above
      [--name TEXT] [--env WORD]       for people; WORD becomes part of the key, default live
      [--days N]                       when it expires, default never
  omendb key list [--tenant NAME]      list the keys
  omendb key disable ID                make a key useless within seconds, for ever
  omendb --version                     print the version
  omendb --help                        print this

Settings are environment variables:
${renderHelp()}`;
}
