import { brands, customers, type Person } from './cast.ts';
import type { Draft } from './generate.ts';
import type { Random } from './random.ts';

interface Workday {
  readonly random: Random;
  readonly person: Person;
  readonly midnight: Date;
}

/** What one act adds to who, when and where; over each kind apart, since `details` depends on it. */
type Act = OmitEach<Draft, 'actor' | 'occurredAt' | 'context'>;
type OmitEach<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;

/** One person's day: sign in, work, now and then fail, sign out. Few work at weekends. */
export function workday({ random, person, midnight }: Workday): Draft[] {
  const weekend = [0, 6].includes(midnight.getUTCDay());
  if (!random.chance(weekend ? 0.12 : 0.93)) return [];
  const sessionId = `ses_${random.hex(12)}`;
  let at = midnight.getTime() + random.int(7 * 60, 9 * 60 + 30) * 60_000;
  const draft = (act: Act): Draft => {
    at += random.int(20, 900) * 1_000;
    return {
      ...act,
      actor: { type: 'user', id: person.id, label: person.name },
      occurredAt: new Date(at),
      context: {
        ip: person.ip,
        userAgent: person.userAgent,
        sessionId,
        requestId: `req_${random.hex(16)}`,
      },
    };
  };
  const drafts = random.chance(0.08) ? [draft(failedLogin(person))] : [];
  drafts.push(draft(login(random)));
  const acts = random.int(weekend ? 4 : 18, weekend ? 12 : 52);
  for (let act = 0; act < acts; act += 1) drafts.push(draft(workOf(person, random)));
  drafts.push(draft({ action: 'user.logged_out', kind: 'auth', channel: 'web', source: 'auth' }));
  return drafts;
}

function login(random: Random): Act {
  return {
    action: 'user.logged_in',
    kind: 'auth',
    channel: 'web',
    source: 'auth',
    message: 'Signed in',
    details: { method: 'password', mfa: random.chance(0.8), factor: 'totp' },
  };
}

function failedLogin(person: Person): Act {
  return {
    action: 'user.login_failed',
    kind: 'auth',
    outcome: 'failure',
    severity: 'warning',
    channel: 'web',
    source: 'auth',
    message: `Wrong password for ${person.email}`,
    details: { method: 'password', failureReason: 'wrong password' },
    metadata: { email: person.email },
  };
}

function workOf(person: Person, random: Random): Act {
  const act = random.weighted(actsOfTeam[person.team]);
  return { scopeId: random.pick(brands), channel: random.chance(0.85) ? 'web' : 'mobile', ...act(random) };
}

const invoiceId = (random: Random) => `inv_${random.int(1_000, 4_999)}`;
const customer = (random: Random) => random.pick(customers);

function invoice(random: Random, verb: 'created' | 'sent' | 'voided' | 'updated'): Act {
  const id = invoiceId(random);
  return {
    action: `invoice.${verb}`,
    operation: verb === 'created' ? 'create' : 'update',
    source: 'billing',
    target: { type: 'invoice', id, label: `Invoice ${id.slice(4)}` },
    message: `Invoice ${id.slice(4)} for ${customer(random)} ${verb}`,
    ...(verb === 'voided' && { severity: 'warning', reason: 'Issued twice' }),
    tags: ['billing'],
    metadata: { amountCents: random.int(900, 480_000), currency: random.pick(['EUR', 'GBP', 'USD']) },
  };
}

function customerRead(random: Random): Act {
  const name = customer(random);
  return {
    action: 'customer.viewed',
    kind: 'data_access',
    operation: 'read',
    source: 'support',
    target: { type: 'customer', id: customerId(name), label: name },
    details: { resource: 'customer', fields: ['name', 'address', 'contact'], rowCount: 1 },
  };
}

function customerChange(random: Random): Act {
  const name = customer(random);
  const [before, after] = [random.pick(['free', 'team']), random.pick(['team', 'business'])];
  return {
    action: 'customer.updated',
    kind: 'data_change',
    operation: 'update',
    source: 'support',
    target: { type: 'customer', id: customerId(name), label: name },
    message: `Plan of ${name} changed to ${after}`,
    details: {
      resource: 'customer',
      recordId: customerId(name),
      before: { plan: before },
      after: { plan: after },
      changedFields: ['plan'],
    },
    visibility: 'client',
    metadata: { plan: after },
  };
}

function customerExport(random: Random): Act {
  const denied = random.chance(0.35);
  return {
    action: 'customer.exported',
    kind: 'data_access',
    operation: 'read',
    outcome: denied ? 'denied' : 'success',
    severity: denied ? 'warning' : 'info',
    source: 'support',
    target: { type: 'report', id: `rep_${random.int(100, 180)}`, label: 'Customer list' },
    message: denied ? 'Export of the customer list denied' : 'Customer list exported',
    details: { resource: 'customer', rowCount: denied ? 0 : random.int(40, 900), permission: 'export' },
    tags: ['export'],
  };
}

function deployment(random: Random): Act {
  const failed = random.chance(0.12);
  return {
    action: failed ? 'deployment.failed' : 'deployment.completed',
    outcome: failed ? 'failure' : 'success',
    severity: failed ? 'error' : 'info',
    source: 'delivery',
    target: { type: 'service', id: random.pick(['checkout', 'ledger', 'mailer', 'search']) },
    message: failed ? 'Deployment rolled back' : 'Deployment completed',
    tags: ['deploy', 'production'],
    metadata: { commit: random.hex(12), durationSeconds: random.int(40, 600) },
  };
}

function settings(random: Random): Act {
  const [from, to] = [random.pick(['light', 'dark']), random.pick(['light', 'dark'])];
  return {
    action: 'settings.updated',
    operation: 'update',
    source: 'settings',
    target: { type: 'settings', id: 'global' },
    metadata: { path: random.pick(['ui.theme', 'mail.footer', 'security.session_hours']), from, to },
  };
}

function permission(random: Random): Act {
  return {
    action: 'member.role_changed',
    operation: 'update',
    severity: 'warning',
    source: 'settings',
    target: { type: 'user', id: `usr_${String(random.int(1, 20)).padStart(3, '0')}` },
    subject: { id: `usr_${String(random.int(1, 20)).padStart(3, '0')}` },
    reason: 'Change of team',
    metadata: { role: random.pick(['viewer', 'editor', 'admin']) },
  };
}

function customerId(name: string): string {
  return `cus_${name.toLowerCase().replaceAll(/[^a-z]+/g, '_')}`;
}

type WeightedAct = readonly [(random: Random) => Act, number];

const actsOfTeam: Record<Person['team'], readonly WeightedAct[]> = {
  billing: [
    [(random) => invoice(random, 'created'), 30],
    [(random) => invoice(random, 'updated'), 24],
    [(random) => invoice(random, 'sent'), 28],
    [(random) => invoice(random, 'voided'), 3],
    [customerRead, 15],
  ],
  support: [
    [customerRead, 60],
    [customerChange, 24],
    [customerExport, 2],
    [(random) => invoice(random, 'sent'), 14],
  ],
  engineering: [
    [deployment, 20],
    [settings, 12],
    [customerRead, 8],
  ],
  management: [
    [customerRead, 30],
    [customerExport, 6],
    [settings, 6],
    [permission, 4],
  ],
};
