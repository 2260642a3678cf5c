export { type ActivityFields, anActivity, aTenantId } from './builders.ts';
export { createFakeClock, type FakeClock } from './fake-clock.ts';
export { createTestDatabase, type DatabaseTemplate, type TestDatabase } from './test-database.ts';
