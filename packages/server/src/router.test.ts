import { type ProcedureInput, type ProcedureName, type ProcedureOutput, procedures } from '@annals/contract';
import type { AnyTRPCProcedure, inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import { expect, expectTypeOf, test } from 'vitest';
import { type AnnalsRouter, createAnnalsRouter } from './router.ts';

test("the router has the contract's procedures, of the contract's types, and no others", () => {
  const { _def: definition } = createAnnalsRouter();
  const built = Object.entries(definition.procedures as unknown as Record<string, AnyTRPCProcedure>);
  const types = Object.fromEntries(built.map(([name, { _def: procedure }]) => [name, procedure.type]));
  const specs = Object.entries(procedures);
  expect(types).toEqual(Object.fromEntries(specs.map(([name, { type }]) => [name, type])));
});

/** A procedure's type in the router, by its name in the contract. */
type At<Router, Name extends string> = Name extends `${infer Group}.${infer Verb}`
  ? Group extends keyof Router
    ? Verb extends keyof Router[Group]
      ? Router[Group][Verb]
      : never
    : never
  : never;

type Inputs = { [Name in ProcedureName]: At<inferRouterInputs<AnnalsRouter>, Name> };
type Subscription = 'job.watch' | 'activity.tail';
type Outputs = { [Name in Exclude<ProcedureName, Subscription>]: At<inferRouterOutputs<AnnalsRouter>, Name> };

test('callers and resolvers are typed as the contract says', () => {
  expectTypeOf<Inputs>().toEqualTypeOf<{ [Name in ProcedureName]: ProcedureInput<Name> }>();
  expectTypeOf<Outputs>().toExtend<{ [Name in keyof Outputs]: ProcedureOutput<Name> }>();
});
