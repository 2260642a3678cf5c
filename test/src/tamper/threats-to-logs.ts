import { openEpochIn } from '@annals/core';
import { expect } from 'vitest';
import { audit, invalidCodes } from './audit.ts';
import { tenantId } from './catalogue.ts';
import { change, codesOf, forgeHistory, loseSigned, nobodyHolds, type Scenario, sign } from './deeds.ts';
import { rewriteLog } from './rewrite.ts';
import { aWitness } from './services.ts';

/** Changes of the log as a whole, by the words of docs/integrity.md. */
export const threatsToLogs: Readonly<Record<string, Scenario>> = {
  'rewrite activities and tiles together': async (history) => {
    await change(history, `message = 'forged'`);
    await rewriteLog(history);
    for (const table of ['log', 'batch', 'tile']) {
      await history.admin.query(`update annals.${table} set epoch = 2 where tenant_id = $1`, [tenantId]);
    }
    await expect(sign(history)).rejects.toThrow('epoch 2 was not opened');
    await history.undo();
    await forgeHistory(history);
    expect(await codesOf(history)).toEqual(['held_checkpoint_mismatch']);
    expect(await codesOf(history, { held: history.held.slice(0, 1) })).toEqual(['held_checkpoint_mismatch']);
    expect(await codesOf(history, nobodyHolds)).toEqual([]);
  },

  'cut off the end of the log': async (history) => {
    const lost = await loseSigned(history);
    expect(await codesOf(history, { held: [lost] })).toEqual(['held_checkpoint_beyond']);
    expect(await codesOf(history)).toEqual([]);
  },

  'show one auditor another log than the other': async (history) => {
    const witness = aWitness();
    const withQuorum = history.policy.replace('quorum none', `${witness}\nquorum w`);
    await forgeHistory(history);
    expect(await codesOf(history, nobodyHolds)).toEqual([]);
    expect(await codesOf(history, { held: [], policy: withQuorum })).toEqual(['quorum_missing']);
    expect(await codesOf(history)).toEqual(['held_checkpoint_mismatch']);
  },

  'restore an older backup': async (history) => {
    const { core, ctx, dir } = history;
    const lost = await loseSigned(history);
    await openEpochIn(core.services, { dir, tenantId, principal: ctx.principal });
    await sign(history);
    expect(await codesOf(history, { held: [lost] })).toEqual(['held_checkpoint_beyond']);
    const report = await audit(history, { held: history.held });
    expect(invalidCodes(report)).toEqual([]);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ code: 'entries_lost', severity: 'notice' }),
    );
  },

  'steal the signing key and rewrite everything': async (history) => {
    await forgeHistory(history);
    expect(await codesOf(history)).toEqual(['held_checkpoint_mismatch']);
    expect(await codesOf(history, nobodyHolds)).toEqual([]);
  },
};
