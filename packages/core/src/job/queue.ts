/** Hands jobs to workers; the durable state of a job is its row, so a message may come twice or late. */
export interface JobQueue {
  /** Ask a worker to run the job, now or after what runs before it. */
  enqueue(job: { readonly tenantId: string; readonly jobId: string }): Promise<void>;
}
