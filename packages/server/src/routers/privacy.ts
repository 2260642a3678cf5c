import { applyAnonymize, applyRedact, getCertificate, planAnonymize, planRedact } from '@annals/core';
import { procedure, router } from '../procedure.ts';

export const privacyRouter = router({
  planAnonymize: procedure('privacy.planAnonymize').mutation(({ ctx, input }) =>
    planAnonymize({ ctx, input }),
  ),
  applyAnonymize: procedure('privacy.applyAnonymize').mutation(({ ctx, input }) =>
    applyAnonymize({ ctx, input }),
  ),
  planRedact: procedure('privacy.planRedact').mutation(({ ctx, input }) => planRedact({ ctx, input })),
  applyRedact: procedure('privacy.applyRedact').mutation(({ ctx, input }) => applyRedact({ ctx, input })),
  certificate: procedure('privacy.certificate').query(({ ctx, input }) => getCertificate({ ctx, input })),
});
