/*
 * What an engine keeps of the parts it was asked about: opened segments, by tag,
 * until they are forgotten.
 */
import type { FlatView } from '../index/flat.js';
import type { IvfView } from '../index/layout.js';
import type { IvfSizes } from '../index/layout.js';
import { openIvf } from '../index/layout.js';
import type { SegmentView } from '../segment/segment-view.js';
import { openSegment } from '../segment/segment-view.js';
import type { Kernels } from '../vector/kernels.js';
import type { SegmentPart } from './tasks.js';

/** A segment, opened for scanning. */
export interface OpenedSegment {
  readonly view: SegmentView;
  readonly flat: FlatView;
  /** Null when the segment is not clustered. */
  readonly ivf: IvfView | null;
}

export class OpenParts {
  readonly #segments = new Map<number, OpenedSegment>();

  constructor(private readonly kernels: Kernels) {}

  segment(part: SegmentPart): OpenedSegment {
    let opened = this.#segments.get(part.tag);
    if (opened === undefined) {
      opened = openPart(this.kernels, part);
      this.#segments.set(part.tag, opened);
    }
    return opened;
  }

  forget(tags: readonly number[]): void {
    for (const tag of tags) this.#segments.delete(tag);
  }
}

/** Opens a segment that lies in the arena. Its bytes were checked when they came there. */
export function openPart(kernels: Kernels, part: SegmentPart): OpenedSegment {
  const view = openSegment(kernels.u8.subarray(part.pointer, part.pointer + part.bytes), { verify: false });
  const at = (kind: Parameters<SegmentView['offsetOf']>[0]): number => part.pointer + view.offsetOf(kind);
  const flat: FlatView = {
    metric: view.metric,
    dimensions: view.dimensions,
    rows: view.rows,
    raw: at('raw'),
    factors: at('factors'),
  };
  const clustered = view.section('centroids') !== undefined;
  const ivf = clustered
    ? openIvf(
        kernels,
        {
          ...{ raw: flat.raw, factors: flat.factors, centroids: at('centroids') },
          ...{ postingTable: at('postingTable'), centroidRows: at('centroidRows'), postings: at('postings') },
        },
        ivfSizesOf(view),
      )
    : null;
  return { view, flat, ivf };
}

function ivfSizesOf(view: SegmentView): IvfSizes {
  const bytes = (kind: keyof IvfSizes): number => view.required(kind).length;
  return {
    ...{ centroids: bytes('centroids'), postingTable: bytes('postingTable') },
    ...{ centroidRows: bytes('centroidRows'), postings: bytes('postings') },
  };
}
