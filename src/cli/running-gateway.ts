import { type AdminClient, AdminError, connectAdmin } from '../ops/admin-client.ts';
import type { SystemTarget } from '../ops/admin-record.ts';
import type { Terminal } from './terminal.ts';

/** The system that a verb's options name. */
export function targetOf(
  options: { readonly config: string | undefined; readonly 'state-dir': string | undefined },
  { folder, environment }: Pick<Terminal, 'folder' | 'environment'>,
): SystemTarget {
  return { config: options.config, stateFolder: options['state-dir'], folder, environment };
}

/** A gateway that can be asked, or why there is none. */
export type FoundGateway =
  | { readonly kind: 'running'; readonly admin: AdminClient }
  | { readonly kind: 'none'; readonly problem: AdminError };

/** Looks for the running gateway of a system. */
export async function findGateway(target: SystemTarget): Promise<FoundGateway> {
  try {
    const admin = await connectAdmin(target);
    // A gateway that was killed leaves its word behind, so it has to answer once.
    await admin.decisions(1);
    return { kind: 'running', admin };
  } catch (error) {
    if (error instanceof AdminError) return { kind: 'none', problem: error };
    throw error;
  }
}
