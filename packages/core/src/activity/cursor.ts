import { AnnalsError, type ListInput, orders } from '@annals/contract';
import { endOfTime, timeOfId } from './activity-id.ts';

export type Order = ListInput['order'];

/** Where a page begins, seen from the record with this id: beyond it, or with it. */
export interface Cursor {
  /** `after` walks on in the order of the pages, `before` back. */
  readonly side: 'after' | 'before';
  readonly inclusive: boolean;
  readonly id: string;
}

const shape = /^([01])([01])([01])([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/;

export function formatCursor(order: Order, { side, inclusive, id }: Cursor): string {
  const flags = `${orders.indexOf(order)}${Number(side === 'before')}${Number(inclusive)}`;
  return Buffer.from(flags + id).toString('base64url');
}

/** Errors `invalid_input` at `cursor` for what is no cursor, or one of the other order. */
export function parseCursor(order: Order, text: string): Cursor {
  const [, ordered, side, inclusive, id] =
    shape.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? [];
  if (id === undefined || timeOfId(id) >= endOfTime) throw invalid('must be the next or previous of a page');
  if (Number(ordered) !== orders.indexOf(order)) throw invalid(`must come from a page of the order ${order}`);
  const cursor: Cursor = { side: side === '0' ? 'after' : 'before', inclusive: inclusive === '1', id };
  // Decoding passes over characters that do not belong.
  if (formatCursor(order, cursor) !== text) throw invalid('must be the next or previous of a page');
  return cursor;
}

function invalid(message: string): AnnalsError {
  return new AnnalsError({ code: 'invalid_input', message, path: 'cursor' });
}
