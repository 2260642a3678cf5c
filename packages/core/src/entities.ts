import { ApiKeyEntity } from './access/entity.ts';
import { ActivityEntity, BatchEntity } from './activity/entity.ts';
import { JobEntity } from './job/entity.ts';
import { PlanEntity } from './plan/entity.ts';
import { PolicyEntity } from './retention/entity.ts';
import { TenantEntity } from './tenant/entity.ts';

export const entities = [
  TenantEntity,
  ApiKeyEntity,
  ActivityEntity,
  BatchEntity,
  PlanEntity,
  JobEntity,
  PolicyEntity,
];
