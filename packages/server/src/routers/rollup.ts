import { checkRollups } from '@annals/core';
import { procedure, router } from '../procedure.ts';

export const rollupRouter = router({
  check: procedure('rollup.check').mutation(({ ctx, input }) => checkRollups({ ctx, input })),
});
