/** A segment in the object store. */
export interface SegmentObject {
  /** Absolute key. */
  readonly location: string;
  /** Key in the root, for errors. */
  readonly key: string;
  readonly bytes: number;
  /** The collection that it must belong to, when that is to be checked. */
  readonly collectionId?: string;
}
