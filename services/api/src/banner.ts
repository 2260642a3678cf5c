import type { DevAccess } from './dev-access.ts';

/** What the operator sees once Annals is ready: where it is, the key, and two calls that work when pasted. */
export function renderBanner(access: DevAccess, demo: { stored: number } | undefined): string {
  const { url, apiKey, tenantId } = access;
  return [
    '',
    `  Annals listens on ${url}`,
    '',
    `  tenant           ${tenantId}${demo && demo.stored > 0 ? ` (${demo.stored.toLocaleString('en')} demo activities stored)` : ''}`,
    `  development key  ${apiKey}`,
    '',
    '  Try it from a shell:',
    '',
    `    curl -s ${url}/trpc/activity.log -H 'authorization: Bearer ${apiKey}' -H 'content-type: application/json' -d '{"json":{"activities":[{"action":"hello.said","actor":{"type":"user","id":"me"}}]}}'`,
    '',
    '  or in TypeScript, from the root of this repository:',
    '',
    `    node_modules/.bin/node --conditions=@annals/source --input-type=module-typescript -e "import { createAnnals } from '@annals/client'; console.log(await createAnnals({ url: '${url}', apiKey: '${apiKey}' }).log({ action: 'hello.said', actor: { type: 'user', id: 'me' } }));"`,
    '',
    '  or ask:  npx pnpm@12 annals list --query "action:user.login_failed"',
    '',
    '  Ctrl-C stops everything; the data stays.',
    '',
  ].join('\n');
}
