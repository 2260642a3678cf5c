import { applyRetention, listPolicies, planRetention, setPolicies } from '@annals/core';
import { procedure, router } from '../procedure.ts';

export const retentionRouter = router({
  policies: procedure('retention.policies').query(({ ctx }) => listPolicies({ ctx })),
  setPolicies: procedure('retention.setPolicies').mutation(({ ctx, input }) => setPolicies({ ctx, input })),
  plan: procedure('retention.plan').mutation(({ ctx }) => planRetention({ ctx })),
  applyPlan: procedure('retention.applyPlan').mutation(({ ctx, input }) => applyRetention({ ctx, input })),
});
