import { createKey, currentKey, listKeys, revokeKey } from '@annals/core';
import { procedure, router } from '../procedure.ts';

export const keyRouter = router({
  create: procedure('key.create').mutation(({ ctx, input }) => createKey({ ctx, input })),
  list: procedure('key.list').query(({ ctx }) => listKeys({ ctx })),
  revoke: procedure('key.revoke').mutation(({ ctx, input }) => revokeKey({ ctx, input })),
  current: procedure('key.current').query(({ ctx }) => currentKey({ ctx })),
});
