import type { FakeScheduler } from './fake-scheduler.js';
import { settle } from './fake-scheduler.js';
import type { S3Stub } from './s3-stub.js';

/** Lets time pass as long as a call to a stub waits for it: while the stub works, or is asked nothing new. */
export async function passingTime<T>(
  call: Promise<T>,
  { stub, scheduler }: { readonly stub: S3Stub; readonly scheduler: FakeScheduler },
): Promise<T> {
  let over = false;
  const ended = call.finally(() => (over = true));
  void ended.catch(() => undefined);
  while (!over) {
    const seen = stub.requests.length;
    await settle();
    if (stub.inWork > 0 || stub.requests.length === seen) await scheduler.advance(50);
  }
  return ended;
}
