import type { LogItem, LogResult } from '@annals/contract';

/**
 * What JSON.stringify makes of `encodeOutput` of a result, at a quarter of its cost: the usual items hold nothing that
 * JSON escapes, and their dates stand in known places. A test holds the two together.
 */
export function encodeLogResult({ results, ...rest }: LogResult): string {
  const iso = createIso();
  let items = '';
  let dates = '';
  for (let at = 0; at < results.length; at += 1) {
    const item = results[at] as LogItem;
    items += `${at > 0 ? ',' : ''}${encodeItem(item, iso)}`;
    if (item.status === 'refused') continue;
    dates += `${dates === '' ? '' : ','}"results.${at}.occurredAt":["Date"]`;
    if (item.status === 'stored') dates += `,"results.${at}.recordedAt":["Date"]`;
  }
  const json = `{"results":[${items}],${JSON.stringify(rest).slice(1)}`;
  return dates === '' ? `{"json":${json}}` : `{"json":${json},"meta":{"values":{${dates}},"v":1}}`;
}

function encodeItem(item: LogItem, iso: (date: Date) => string): string {
  // A proof has its own arrays, and what is refused may quote its path.
  if (item.status !== 'stored' || item.proof) return JSON.stringify(item);
  const { id, occurredAt, recordedAt, batchId, position, leaf } = item;
  const times = `"occurredAt":"${occurredAt.toISOString()}","recordedAt":"${iso(recordedAt)}"`;
  return `{"status":"stored","id":"${id}",${times},"batchId":"${batchId}","position":${position},"leaf":"${leaf}"}`;
}

/** All items of a call have the same receive time. */
function createIso(): (date: Date) => string {
  let last: Date | undefined;
  let text = '';
  return (date) => {
    if (date !== last) text = date.toISOString();
    last = date;
    return text;
  };
}
