/** Whether the code of a connection's error is of TLS: the certificate's, or the protocol's. */
export function isOfTls(code: string): boolean {
  return /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|^EPROTO$/.test(code);
}
