import type { Closers } from './closers.ts';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.ts';
import { startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts';

/** A gateway before one fake upstream. */
export type OneUpstream = { readonly upstream: FakeUpstream; readonly gateway: TestGateway };

/** Starts them with the provider `u` of the model `m`, without retries; `closers` takes what ends them. */
export function oneUpstream(
  closers: Closers,
): (provider?: Record<string, unknown>, more?: Partial<TestGatewayOptions>) => Promise<OneUpstream> {
  return async (provider = {}, { settings, ...more } = {}) => {
    const upstream = await startFakeUpstream(['m']);
    const gateway = await startGateway({
      providers: { u: { type: 'openai_compatible', base_url: upstream.url, models: ['m'], ...provider } },
      ...more,
      settings: { ...settings, router_settings: { num_retries: 0, ...(settings?.['router_settings'] as object) } },
    });
    closers.push(upstream.close, gateway.close);
    return { upstream, gateway };
  };
}
