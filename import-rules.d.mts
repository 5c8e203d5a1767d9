/** Room → the rooms that it may import. */
export declare const rooms: Readonly<Record<string, { readonly may: readonly string[]; readonly why: string }>>;
declare const configuration: unknown;
export default configuration;
