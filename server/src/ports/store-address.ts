/** Where an object store is. */
export type StoreAddress =
  /** In a folder of the local file system. */
  | { readonly kind: 'file'; readonly folder: string }
  /** In a bucket, all keys behind a prefix that is empty or ends in `/`. */
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string };
