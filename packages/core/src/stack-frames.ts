/**
 * Where an error was thrown, for logs: the frames of its stack without its message, which may quote values, span
 * lines, look like frames, and be repeated where an error's stack holds that of its cause.
 */
export function stackFrames({ stack = '', message }: Error): string[] {
  const whole = stack.startsWith(message) ? stack.slice(message.length) : stack;
  const lines = whole.replaceAll(`: ${message}`, '').split('\n');
  return lines.filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line)).map((line) => line.trim());
}
