import { type Logger, pino } from 'pino';

/**
 * Structured logs on stderr, one JSON object a line; stdout is for the operator. Fields never hold personal
 * data: no inputs, no filters, no database texts, and errors by type, code and stack only.
 */
export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: { service: 'annals' },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['headers.authorization', 'apiKey', 'password', 'url'],
    },
    process.stderr,
  );
}
