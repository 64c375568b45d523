/** What is to be drawn anew after a change, one part of the page after the other: so the browser
 * answers in between, however much there is. */

const waiting = new Map<string, () => void>();
let running = 0;
let busy: (isBusy: boolean) => void = () => undefined;

/** Who wants to know whether something is left to be done. */
export function watchJobs(watch: (isBusy: boolean) => void): void {
  busy = watch;
  busy(running > 0);
}

/** Something is to be done until this is fulfilled. */
export function wait(work: Promise<unknown>): void {
  if (running++ === 0) busy(true);
  const end = (): void => {
    if (--running === 0) busy(false);
  };
  work.then(end, end);
}

let isRunning = false;

async function run(): Promise<void> {
  isRunning = true;
  while (waiting.size > 0) {
    await pause();
    const [[name, job]] = waiting;
    waiting.delete(name);
    job();
  }
  isRunning = false;
}

/** Does this later, once for each name. */
export function later(name: string, job: () => void): void {
  waiting.delete(name);
  waiting.set(name, job);
  if (!isRunning) wait(run());
}

/** Lets the browser do something else. */
export const pause = (): Promise<void> => new Promise((done) => setTimeout(done));
