import { createTenant, listTenants } from '@annals/core';
import { procedure, router } from '../procedure.ts';

export const tenantRouter = router({
  list: procedure('tenant.list').query(({ ctx }) => listTenants({ ctx })),
  create: procedure('tenant.create').mutation(({ ctx, input }) => createTenant({ ctx, input })),
});
