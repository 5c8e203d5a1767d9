/** What keeps a store from working, in words that name no host and no path: clients read them too. */
export function storeProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined && /CERT|SIGNATURE|^ERR_(SSL|TLS)/.test(code))
    return `its TLS certificate is not accepted (${code})`;
  // So the client of Redis ends what it says of an answer that it cannot read.
  if (error.message.endsWith('Please report this.')) return 'what answers there is no Redis';
  return code === undefined ? error.message : (knownCodes[code] ?? `it fails with ${code}`);
}

const knownCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused: nothing listens there',
  ERR_INVALID_URL: 'its address is no URL',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'it cannot be reached in time',
  EHOSTUNREACH: 'its host cannot be reached',
  ENOTFOUND: 'its host is not known',
  EAI_AGAIN: 'its host cannot be looked up',
  EACCES: 'its folder may not be written to',
  EROFS: 'its folder may not be written to',
  ENOSPC: 'the disk is full',
};
