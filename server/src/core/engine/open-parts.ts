/*
 * What an engine keeps of the parts it was asked about: opened segments, by tag,
 * until they are forgotten.
 */
import type { FlatView } from '../index/flat.js';
import type { IvfSizes, IvfView } from '../index/layout.js';
import { openIvf } from '../index/layout.js';
import type { OneBitView } from '../index/one-bit/layout.js';
import { openOneBit } from '../index/one-bit/layout.js';
import type { SegmentView } from '../segment/segment-view.js';
import { openSegment, openSkeleton } from '../segment/segment-view.js';
import type { Kernels } from '../vector/kernels.js';
import type { PagedPart } from './stages.js';
import type { SegmentPart } from './tasks.js';

/** A segment, opened for scanning. */
export interface OpenedSegment {
  readonly pointer: number;
  readonly view: SegmentView;
  readonly flat: FlatView;
  /** Null when the segment is not clustered. */
  readonly ivf: IvfView | null;
}

export class OpenParts {
  readonly #segments = new Map<number, OpenedSegment>();
  readonly #paged = new Map<number, OpenedSkeleton>();

  constructor(private readonly kernels: Kernels) {}

  segment(part: SegmentPart): OpenedSegment {
    const known = this.#segments.get(part.tag);
    // A segment that was brought back into memory lies somewhere else.
    if (known?.pointer === part.pointer) return known;
    const opened = openPart(this.kernels, part);
    this.#segments.set(part.tag, opened);
    return opened;
  }

  /** The index of a segment without its postings. */
  paged(part: PagedPart): IvfView {
    return this.#skeleton(part).ivf;
  }

  /** Its 1-bit codes, as far as the skeleton tells; null when it has none. */
  oneBit(part: PagedPart): OneBitView | null {
    const skeleton = this.#skeleton(part);
    skeleton.oneBit ??= { view: openOneBit(this.kernels, skeleton.ivf) };
    return skeleton.oneBit.view;
  }

  /** The sections that are in memory. */
  viewOf(part: SegmentPart | PagedPart): SegmentView {
    if (part.kind === 'segment') return this.segment(part).view;
    const { view } = this.#skeleton(part);
    // What was attached for an earlier task may be gone from memory.
    for (const kind of ATTACHABLE) {
      const section = part.sections.find((each) => each.kind === kind);
      const bytes = section && this.kernels.u8.subarray(section.pointer, section.pointer + section.bytes);
      view.attach(kind, bytes ?? null);
    }
    return view;
  }

  forget(tags: readonly number[]): void {
    for (const tag of tags) {
      this.#segments.delete(tag);
      this.#paged.delete(tag);
    }
  }

  #skeleton(part: PagedPart): OpenedSkeleton {
    const known = this.#paged.get(part.tag);
    // A segment that was whole meanwhile may have its skeleton somewhere else.
    if (known?.pointer === part.pointer) return known;
    const opened = openSkeletonPart(this.kernels, part);
    this.#paged.set(part.tag, opened);
    return opened;
  }
}

/** Sections that filters read. */
const ATTACHABLE = ['ids', 'idIndex', 'attributes', 'attributeIndex'] as const;

interface OpenedSkeleton {
  readonly pointer: number;
  readonly view: SegmentView;
  readonly ivf: IvfView;
  /** Made when it is first asked for. */
  oneBit?: { readonly view: OneBitView | null };
}

function openSkeletonPart(kernels: Kernels, part: PagedPart): OpenedSkeleton {
  const { pointer, bytes, base } = part;
  const view = openSkeleton(kernels.u8.subarray(pointer, pointer + bytes), { verify: false, base });
  const at = (kind: 'centroids' | 'postingTable'): number => pointer + view.offsetOf(kind);
  const bytesOf = (kind: 'centroids' | 'postingTable'): number => view.required(kind).length;
  const none = { raw: 0, factors: 0, centroidRows: 0, postings: 0 };
  const pointers = { ...none, centroids: at('centroids'), postingTable: at('postingTable') };
  const elsewhere = { centroidRows: Infinity, postings: Infinity };
  const sizes = { ...elsewhere, centroids: bytesOf('centroids'), postingTable: bytesOf('postingTable') };
  return { pointer, view, ivf: openIvf(kernels, pointers, sizes) };
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
  return { pointer: part.pointer, view, flat, ivf };
}

function ivfSizesOf(view: SegmentView): IvfSizes {
  const bytes = (kind: keyof IvfSizes): number => view.required(kind).length;
  return {
    ...{ centroids: bytes('centroids'), postingTable: bytes('postingTable') },
    ...{ centroidRows: bytes('centroidRows'), postings: bytes('postings') },
  };
}
