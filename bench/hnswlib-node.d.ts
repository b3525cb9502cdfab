// The part of hnswlib-node that the benchmark uses. Declared here because the package is optional: without a
// C++ compiler it is absent, and everything but the comparison with it still has to compile.
declare module 'hnswlib-node' {
  namespace hnswlib {
    class HierarchicalNSW {
      constructor(space: 'l2' | 'ip' | 'cosine', dimensions: number);
      initIndex(options: {
        maxElements: number;
        m: number;
        efConstruction: number;
        randomSeed: number;
      }): void;
      addPoint(point: number[], label: number): void;
      setEf(ef: number): void;
      searchKnn(query: number[], k: number): { readonly neighbors: number[]; readonly distances: number[] };
      readIndexSync(file: string): void;
      writeIndexSync(file: string): void;
    }
  }
  export default hnswlib;
}
