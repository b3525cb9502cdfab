// A collection with typed attributes: write, search with a filter, read back.
// Run with OMENDB_URL (default http://127.0.0.1:8080) and OMENDB_TOKEN set.
import { f, OmenClient } from '@omendb/client';

interface Movie {
  year: number;
  genre: 'drama' | 'comedy' | 'horror';
  tags: string[];
}

const db = new OmenClient({ endpoint: process.env['OMENDB_URL'], token: process.env['OMENDB_TOKEN'] });
const movies = await db.collections.create<Movie>({ name: 'movies', dimensions: 3, metric: 'cosine' });

await movies.upsert([
  {
    id: 'alien',
    vector: [0.9, 0.1, 0.4],
    attributes: { year: 1979, genre: 'horror', tags: ['space', 'crew'] },
  },
  { id: 'solaris', vector: [0.8, 0.5, 0.1], attributes: { year: 1972, genre: 'drama', tags: ['space'] } },
  { id: 'airplane', vector: [0.1, 0.9, 0.8], attributes: { year: 1980, genre: 'comedy', tags: ['crew'] } },
]);

// The compiler knows the attributes: a misspelt name or a year in quotes does not compile.
const { hits, performance } = await movies.query({
  vector: [1, 0.2, 0.3],
  topK: 2,
  filter: { year: { $gte: 1970 }, tags: 'space' },
  select: ['year', 'genre'],
});
for (const { id, score, attributes } of hits)
  console.log(id, score.toFixed(3), attributes.year, attributes.genre);
console.log('searched exactly:', performance?.exact);

// The same kind of filter, put together at run time.
const wanted = f.and(f.in('genre', ['drama', 'comedy']), f.not(f.containsAny('tags', ['crew'])));
console.log('dramas and comedies without a crew:', await movies.count({ filter: wanted }));

await movies.patch([{ id: 'alien', attributes: { tags: ['space', 'crew', 'cat'] } }]);
const alien = await movies.get('alien', { includeVector: true });
console.log('alien:', alien?.attributes.tags.join(' '), alien?.vector.length, 'dimensions');

await db.collections.delete('movies');
await db.close();
