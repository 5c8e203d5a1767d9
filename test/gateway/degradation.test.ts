import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const echo = (more: object = {}): object => ({ type: 'echo', models: [{ name: 'small', size: '8B' }], ...more });

/** What an answer says of being less than was asked for. */
async function degradedBy(
  providers: Record<string, object>,
  mappings: Record<string, unknown>,
  model: string,
): Promise<string | null> {
  const gateway = await startGateway({ providers, mappings });
  const answer = await gateway.chat({ model });
  expect(answer.status, await answer.clone().text()).toBe(200);
  await gateway.close();
  return answer.headers.get('x-signalbox-degraded');
}

describe('spine 3.8: x-signalbox-degraded', () => {
  test('an answer as asked for does not have it', async () => {
    expect(await degradedBy({ here: echo() }, {}, 'small')).toBeNull();
  });

  test('disabled: the name’s own provider rests', async () => {
    const off = { type: 'echo', status: 'disabled', models: ['large'] };
    expect(
      await degradedBy(
        { here: echo(), off },
        { exact_matches: { large: { provider: 'off', fallback: 'small' } } },
        'large',
      ),
    ).toBe('disabled; from=large; to=small');
  });

  test('neither: one of its providers rests, and the other is off', async () => {
    const off = { type: 'echo', status: 'disabled', models: ['large'] };
    const gone = { type: 'openai_compatible', base_url: 'http://127.0.0.1:1', tier: 'local', models: ['large'] };
    const large = { strategy: 'direct', providers: ['off', 'gone'], fallback: 'small' };
    expect(await degradedBy({ here: echo(), off, gone }, { load_balancing: { large } }, 'large')).toBeNull();
  });

  test('tier: a fallback of a lower tier', async () => {
    const premium = {
      type: 'openai_compatible',
      base_url: 'http://127.0.0.1:1',
      tier: 'cloud_premium',
      models: ['large'],
    };
    expect(
      await degradedBy(
        { here: echo({ tier: 'local' }), premium },
        { exact_matches: { large: { provider: 'premium', fallback: 'small' } } },
        'large',
      ),
    ).toBe('tier; from=cloud_premium; to=local');
  });

  test('unsatisfied: a capability asks for more than its models have', async () => {
    const capabilities = { analysis: { preferred_models: ['small'], min_model_size: '70B' } };
    expect(await degradedBy({ here: echo() }, { capabilities }, 'analysis')).toBe(
      'unsatisfied; from=70B parameters; to=small',
    );
  });

  test('default_chain: nobody knows the name', async () => {
    expect(await degradedBy({ here: echo() }, { fallback_chains: { default: ['small'] } }, 'nobody')).toBe(
      'default_chain; from=nobody; to=small',
    );
  });
});
