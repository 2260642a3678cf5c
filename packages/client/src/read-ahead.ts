/** One page after the other. */
export interface PageReader<Page> {
  /** The page at a cursor, or the first. */
  readonly read: (cursor: string | undefined) => Promise<Page>;
  readonly first: string | undefined;
}

/**
 * Pages, the next of which is on its way while one is in use: for who wants them all. Never more than one ahead.
 *
 * Who ends the iteration early waits for the page that is on its way.
 */
export async function* readAhead<Page extends { readonly next?: string | undefined }>({
  read,
  first,
}: PageReader<Page>): AsyncGenerator<Page> {
  const begin = (cursor: string | undefined) => {
    const page = read(cursor);
    // Its failure is met once the page before it has been used.
    page.catch(() => undefined);
    return page;
  };
  let coming: Promise<Page> | undefined;
  try {
    coming = begin(first);
    while (coming) {
      const page: Page = await coming;
      coming = page.next === undefined ? undefined : begin(page.next);
      yield page;
    }
  } finally {
    await coming?.catch(() => undefined);
  }
}
