import { arch, cpus, platform, release, totalmem } from 'node:os';

/** Where figures were taken; they mean little elsewhere. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly postgres?: string;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
  };
}

export function machineLine({ cpu, cores, memoryGiB, system, node, postgres }: Machine): string {
  const server = postgres === undefined ? '' : `, PostgreSQL ${postgres}`;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}${server}`;
}
