import { renderHelp } from '../config/render.js';
import { knownScopes } from '../transport/auth/scopes.js';

/** What `omendb --help` prints. */
export function helpText(version: string): string {
  return `OmenDB Server ${version}: a vector database whose only durable state is object storage.

Usage:
  omendb [serve]                       start the server
      [--config FILE]                  with settings from a file, as OMENDB_CONFIG_FILE
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
  omendb backup --to STORE             copy collections into another store, beside running servers
      [--collection TENANT/NAME]…      default all, with the API keys
      [--history all|none]             with as much of the past as is kept (default), or the present only
      [--from STORE]                   default OMENDB_OBJECT_STORE
  omendb backups --from STORE          list the backups in a store
  omendb verify --from STORE           read a backup and list all that is wrong with it
      [--backup ID] [--quick]          default the newest; look at names and sizes only
  omendb restore --from STORE          make collections of a backup anew
      [--backup ID]                    default the newest, or the first one after --as-of
      [--collection TENANT/NAME]…      default all that the backup holds
      [--as-of TIME]                   as they were then, such as 2026-01-31T15:04:05Z
      [--name NAME]                    under another name, for one collection
      [--skip-existing]                leave collections alone that exist; default: refuse
      [--keys] [--to STORE]            API keys too; default OMENDB_OBJECT_STORE
  omendb collect                       remove objects that nothing needs any more
      [--collection TENANT/NAME]…      default all, and what is left of deleted ones
      [--dry-run]                      say what would be removed
      STORE is file:///folder or s3://bucket/prefix; --json prints lines for programs
  omendb --version                     print the version
  omendb --help                        print this

Settings are environment variables, or lines "NAME: value" of the file:
${renderHelp()}`;
}
