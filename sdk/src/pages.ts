/* Lists that come page by page. */

/**
 * Items that are fetched as they are asked for: `for await (const item of list)`, or `for await (const page
 * of list.pages())`. Each loop begins at the start. Leaving a loop early asks for nothing more.
 */
export class Paged<Item, Page extends { readonly nextPageToken: string }> implements AsyncIterable<Item> {
  readonly #fetch: (pageToken: string) => Promise<Page>;
  readonly #itemsOf: (page: Page) => readonly Item[];

  /** `fetch` gets the page that a token stands for; the empty token stands for the first. */
  constructor(fetch: (pageToken: string) => Promise<Page>, itemsOf: (page: Page) => readonly Item[]) {
    this.#fetch = fetch;
    this.#itemsOf = itemsOf;
  }

  /** The items one by one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const page of this.pages()) yield* this.#itemsOf(page);
  }

  /** The pages as they come. */
  async *pages(): AsyncGenerator<Page, void, undefined> {
    let token = '';
    do {
      const page = await this.#fetch(token);
      token = page.nextPageToken;
      yield page;
    } while (token !== '');
  }

  /** All items in one array. */
  async toArray(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages()) items.push(...this.#itemsOf(page));
    return items;
  }
}
