import { createHold, listHolds, releaseHold } from '@annals/core';
import { procedure, router } from '../procedure.ts';

export const holdRouter = router({
  create: procedure('hold.create').mutation(({ ctx, input }) => createHold({ ctx, input })),
  list: procedure('hold.list').query(({ ctx, input }) => listHolds({ ctx, input })),
  release: procedure('hold.release').mutation(({ ctx, input }) => releaseHold({ ctx, input })),
});
