// What the compiler must accept and refuse. Each expected error fails the build when it is no error any more.
import { expect } from 'chai';
import { f, OmenClient } from '#sdk/index.js';
import type { Collection, Filter, QueryResult } from '#sdk/index.js';

interface Movie {
  title: string;
  year: number;
  rating?: number;
  seen: boolean;
  tags: string[];
  genre: 'drama' | 'comedy';
}

/** Accepts a value of exactly one type. */
function exactly<T>() {
  return <U extends T>(value: U & ([T] extends [U] ? U : never)): U => value;
}

/** Compiled, never called. */
export async function queries(
  movies: Collection<Movie>,
  anything: Collection,
  vector: Float32Array,
): Promise<void> {
  const none = await movies.query({ vector });
  // @ts-expect-error no attribute was selected
  void none.hits[0]?.attributes.year;
  // @ts-expect-error the vector was not asked for
  none.hits[0]?.vector.length;

  const some = await movies.query({ vector: [1, 2], select: ['year', 'tags'], includeVector: true });
  exactly<number | undefined>()(some.hits[0]?.attributes.year);
  exactly<Float32Array | undefined>()(some.hits[0]?.vector);
  // @ts-expect-error the title was not selected
  void some.hits[0]?.attributes.title;
  // @ts-expect-error there is no such attribute
  await movies.query({ vector, select: ['director'] });

  const all = await movies.query({ vector, select: '*' });
  exactly<boolean | undefined>()(all.hits[0]?.attributes.seen);

  const open = await anything.query({ vector, select: ['whatever'] });
  void open.hits[0]?.attributes.whatever;
  // @ts-expect-error something else was selected
  void open.hits[0]?.attributes.other;
  const named: QueryResult<Movie, readonly ['year'], false> = await movies.query({
    vector,
    select: ['year'],
  });
  void named;
}

/** Compiled, never called. */
export async function records(movies: Collection<Movie>, anything: Collection): Promise<void> {
  const movie = { title: 'Alien', year: 1979, seen: true, tags: ['space'], genre: 'drama' } as const;
  await movies.upsert([{ id: 'a', vector: [1], attributes: { ...movie, tags: [...movie.tags] } }]);
  // @ts-expect-error the year is a number
  await movies.upsert([{ id: 'a', vector: [1], attributes: { ...movie, tags: [], year: '1979' } }]);
  // @ts-expect-error a vector is numbers
  await movies.upsert([{ id: 'a', vector: 'text' }]);
  await movies.patch([{ id: 'a', attributes: { year: 1980, rating: null } }]);
  // @ts-expect-error the year is a number
  await movies.patch([{ id: 'a', attributes: { year: '1980' } }]);
  await anything.upsert([
    { id: 'a', vector: Buffer.alloc(8), attributes: { any: 1n, list: ['x'], no: false } },
  ]);
  // @ts-expect-error an attribute is no object
  await anything.upsert([{ id: 'a', vector: [1], attributes: { nested: { x: 1 } } }]);
  await movies.delete({ ids: ['a'] });
  await movies.delete({ filter: { year: 1 } });
  // @ts-expect-error ids or a filter, not both
  await movies.delete({ ids: ['a'], filter: { year: 1 } });
  const record = await movies.get('a');
  exactly<string | undefined>()(record?.attributes.title);
  for await (const { id, attributes } of movies.scan({ select: ['year'] }))
    exactly<[string, number]>()([id, attributes.year]);
  await movies.bulk([{ id: 'a', vector: [1] }]);
  // @ts-expect-error the year is a number
  await movies.bulk([{ id: 'a', vector: [1], attributes: { year: 'x' } }]);
}

const accepted: Filter<Movie>[] = [
  {},
  { year: 1979 },
  { year: 1979n, title: null, seen: true, genre: 'drama', tags: 'space' },
  { year: { $gte: 1970, $lt: 1990, $ne: 1980 }, rating: { $exists: true } },
  { tags: { $containsAll: ['a', 'b'], $in: ['c'] }, title: { $prefix: 'Al' } },
  { $and: [{ year: 1 }, { $or: [{ seen: false }, { $not: { tags: 'x' } }] }], $id: { $prefix: 'm/' } },
  { $id: 'one' },
  f.and(f.gte('year', 1970), f.in('genre', ['drama']), f.not(f.eq('seen', true)), f.ids(['a'])),
];

const refused: Filter<Movie>[] = [
  // @ts-expect-error the year is a number
  { year: '1979' },
  // @ts-expect-error there is no such attribute
  { director: 'Scott' },
  // @ts-expect-error booleans have no order
  { seen: { $gt: false } },
  // @ts-expect-error not a genre
  { genre: 'horror' },
  // @ts-expect-error only arrays contain
  { title: { $containsAny: ['x'] } },
  // @ts-expect-error only text has a prefix
  { year: { $prefix: '19' } },
  // @ts-expect-error there is no such operator
  { year: { $like: 1 } },
  // @ts-expect-error the year is a number
  f.and(f.eq('year', 'x')),
];

const untyped: Filter[] = [
  { any: 1, other: { $gt: 'x', $in: [1, 'a'] }, $and: [{ x: true }], $not: { y: null } },
  f.or(f.eq('a', 1)),
];

describe('The types of the client', () => {
  it('are checked when this file is compiled', () => {
    expect([accepted.length, refused.length, untyped.length]).to.deep.equal([8, 8, 2]);
    expect(new OmenClient().collection<Movie>('movies').name).to.equal('movies');
    // @ts-expect-error an object cannot be an attribute
    expect(new OmenClient().collection<{ nested: { x: 1 } }>('x').name).to.equal('x');
  });
});
