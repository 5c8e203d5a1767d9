import { setTimeout as pause } from 'node:timers/promises';
import type { DrainReport } from '../contract/drain-report.ts';
import type { AdminClient } from './admin-client.ts';

/** How often the gateway is asked whether a provider is empty. */
const lookMs = 250;

/** Waits until nothing runs at a draining provider any more, for so long at most; gives how it is then. */
export async function waitForDrain(
  admin: Pick<AdminClient, 'drain'>,
  begun: DrainReport,
  { limitMs, onLook }: { readonly limitMs: number; readonly onLook: (report: DrainReport) => void },
): Promise<DrainReport> {
  const end = performance.now() + limitMs;
  let report = begun;
  while (report.draining && report.running > 0 && performance.now() < end) {
    onLook(report);
    await pause(lookMs);
    report = (await admin.drain(begun.provider)) ?? report;
  }
  return report;
}
