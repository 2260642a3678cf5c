import { ApiKeyEntity } from './access/entity.ts';
import { ActivityEntity, BatchEntity } from './activity/entity.ts';
import { HoldEntity } from './hold/entity.ts';
import { JobEntity } from './job/entity.ts';
import { CheckpointEntity, FollowerEntity, LogEntity, TileEntity } from './log/entity.ts';
import { ErasureItemEntity, ManifestEntity, PurgeItemEntity } from './manifest/entity.ts';
import { PlanEntity } from './plan/entity.ts';
import { PolicyEntity } from './retention/entity.ts';
import { RollupCellEntity, RollupEntity } from './rollup/entity.ts';
import { TenantEntity } from './tenant/entity.ts';

export const entities = [
  TenantEntity,
  ApiKeyEntity,
  ActivityEntity,
  BatchEntity,
  LogEntity,
  TileEntity,
  CheckpointEntity,
  FollowerEntity,
  ManifestEntity,
  ErasureItemEntity,
  PurgeItemEntity,
  HoldEntity,
  PlanEntity,
  JobEntity,
  PolicyEntity,
  RollupEntity,
  RollupCellEntity,
];
