import { getCheckpoint, getTile, proveActivity, proveConsistency } from '@annals/core';
import { encodeBase64 } from '@annals/tlog';
import { procedure, router } from '../procedure.ts';

export const integrityRouter = router({
  checkpoint: procedure('integrity.checkpoint').query(({ ctx, input }) => getCheckpoint({ ctx, input })),
  proof: procedure('integrity.proof').query(({ ctx, input }) => proveActivity({ ctx, input })),
  consistency: procedure('integrity.consistency').query(({ ctx, input }) => proveConsistency({ ctx, input })),
  tile: procedure('integrity.tile').query(async ({ ctx, input }) => ({
    bytes: encodeBase64(await getTile({ ctx, input })),
  })),
});
