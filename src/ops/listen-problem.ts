import { findPortHolder } from './port-holder.ts';

/** Why an address cannot be listened on, with what to do. */
export type ListenProblem = {
  readonly about: 'port' | 'bind';
  readonly message: string;
  readonly fix: string | undefined;
};

/** Explains the error of a listener. */
export async function explainListenError(error: unknown, host: string, port: number): Promise<ListenProblem> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE': {
      const holder = await findPortHolder(port);
      const who = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`;
      return {
        about: 'port',
        message: `Port ${port} on ${host} is taken by ${who}`,
        fix: `Stop it, or take another port: signalbox up --port ${port + 1}`,
      };
    }
    case 'EACCES':
      return {
        about: 'port',
        message: `This user may not listen on port ${port}`,
        fix: 'Take a port above 1023: signalbox up --port 4000',
      };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        about: 'bind',
        message: `"${host}" is no address of this machine`,
        fix: 'Take 127.0.0.1, or 0.0.0.0 for every address',
      };
    default:
      return {
        about: 'port',
        message: `Cannot listen on ${host}, port ${port}: ${error instanceof Error ? error.message : String(error)}`,
        fix: undefined,
      };
  }
}
