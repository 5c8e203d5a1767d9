import { AdminError } from '../ops/admin-client.ts';
import type { Problem } from './fail.ts';

/** What an error says that is no fault of ours: of the gateway that was asked, or of files and folders; else undefined. */
export function problemOfError(error: unknown): Problem | undefined {
  // A gateway may end while a command waits for it.
  if (error instanceof AdminError) return error;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const fix = fixes.get(error.code);
  return fix === undefined ? undefined : { kind: 'refused', message: `The system refuses it: ${error.message}`, fix };
}

const fixes = new Map([
  ['EACCES', 'Let this user write there, or name another folder'],
  ['EPERM', 'Let this user write there, or name another folder'],
  ['EROFS', 'Name a folder on a disk that can be written'],
  ['ENOSPC', 'Make room on the disk, then try again'],
  ['EDQUOT', 'Make room within your quota, then try again'],
  ['EISDIR', 'Move the folder that stands where a file is wanted'],
  ['ENOTDIR', 'Move the file that stands where a folder is wanted'],
]);
