import type { UrlReport } from '../contract/url-report.ts';
import { isOfTls } from '../plan/connection-code.ts';

/** What a failed connection means, and what to do about it, by the code of its error. */
export function describeConnection(code: string, url: string): NonNullable<UrlReport['problem']> {
  const { hostname, host, protocol, port } = new URL(url);
  if (code === 'ECONNREFUSED')
    return {
      code: 'refused',
      message: `Nothing listens at ${host}: the connection is refused`,
      fix: isHere(hostname)
        ? `Start the server, or check its port${port === '' ? ' (none is given)' : ''}; from a container this machine is host.docker.internal`
        : 'Start the server there and let it listen on more than 127.0.0.1',
    };
  if (code === 'ETIMEDOUT')
    return {
      code: 'timeout',
      message: `${host} gives no answer in time`,
      fix: 'Check the host and its firewall; a server that is loading may be slow, give it --timeout SECONDS',
    };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { code: 'unknown_host', message: `The host name "${hostname}" cannot be found`, fix: 'Check its spelling' };
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return { code: 'unreachable', message: `There is no way to ${hostname}`, fix: 'Check the network and the address' };
  if (isOfTls(code)) return tlsProblem(code, url);
  if (code === 'malformed')
    return {
      code: 'not_http',
      message: `What answers at ${host} is no HTTP`,
      fix: protocol === 'http:' ? `Try https://${host}, or check the port` : 'Check the port',
    };
  return {
    code: 'reset',
    message: `${host} cuts the connection (${code})`,
    fix: protocol === 'http:' ? `Try https://${host}, or look at the server’s own log` : 'Look at the server’s own log',
  };
}

function isHere(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

function tlsProblem(code: string, url: string): NonNullable<UrlReport['problem']> {
  const { host, hostname } = new URL(url);
  if (code === 'EPROTO' || code.includes('WRONG_VERSION') || code.includes('SSL_PACKET'))
    return { code: 'tls', message: `${host} speaks no TLS`, fix: `Try http://${host}` };
  if (code === 'CERT_HAS_EXPIRED')
    return { code: 'tls', message: `The certificate of ${host} has expired`, fix: 'Renew it at the server' };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      code: 'tls',
      message: `The certificate of ${host} is for another name than "${hostname}"`,
      fix: 'Use the name that stands in the certificate',
    };
  return {
    code: 'tls',
    message: `The certificate of ${host} is signed by nobody that is trusted here (${code})`,
    fix: 'Set ca_file of the provider to the certificate of its authority',
  };
}
