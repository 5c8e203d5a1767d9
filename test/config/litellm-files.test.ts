import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { compile } from '../../src/config/compile.ts';
import { renderDiagnostic } from '../../src/config/frame.ts';

const folder = join(import.meta.dirname, 'fixtures/litellm');
/** UPDATE_GOLDEN=1 writes what is found anew; the difference is then read in git. */
const isUpdate = process.env['UPDATE_GOLDEN'] === '1';
/** Every key that a file asks for is set: what is found is about the file. */
function environmentOf(text: string): Readonly<Record<string, string>> {
  const keys = [...text.matchAll(/[A-Z_]*_KEY\b|\bAZ\b/g)].map(([name]) => [name, 'sk-set-0123456789abcdef']);
  return { ...Object.fromEntries(keys), AZURE_US_BASE: 'https://us.openai.azure.com', RP: 'redis-password' };
}

const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

function compileText(text: string, lenient: boolean) {
  return compile([{ kind: 'litellm', path: 'config.yaml', text }], {
    environment: environmentOf(text),
    lenient,
  });
}

/** What a version does not execute yet is proven where it is noted. */
const passing: ReadonlySet<string> = new Set(['not-executed-yet']);

/** What a person is told of a file, without the frames, and what is left of it under --lenient. */
function told(text: string): string {
  const lasting = compileText(text, false).diagnostics.filter((one) => !passing.has(one.code));
  const lines = lasting.map((one) => renderDiagnostic(one, undefined, { colour: false }));
  const { value, diagnostics } = compileText(text, true);
  const served = value?.groups.map((group) => group.name).join(', ');
  const errors = diagnostics.filter((one) => one.severity === 'error').map((one) => one.code);
  const lenient = served === undefined ? `refused: ${[...new Set(errors)].join(', ')}` : `serves ${served}`;
  return `${[...lines, `--lenient ${lenient}`].join('\n')}\n`;
}

describe('spine 2.2: LiteLLM files as people write them', () => {
  test.each(names)('%s is told as its golden says', (name) => {
    const golden = join(folder, name.replace('.yaml', '.golden.txt'));
    const text = told(readFileSync(join(folder, name), 'utf8'));
    if (isUpdate) writeFileSync(golden, text);
    expect(existsSync(golden)).toBe(true);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test('no finding and no frame shows a secret of these files', () => {
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8');
      const pictures = compileText(text, false).diagnostics.map((one) =>
        [renderDiagnostic(one, text, { colour: false }), JSON.stringify(one)].join('\n'),
      );
      expect(pictures.join('\n'), name).not.toMatch(/sk-1234|verysecret|sk-abcdef|zzzzzzzz|12345\b/);
    }
  });
});

/** Keys that stand in public files, by section, whether LiteLLM reads them there or not. */
const written: Readonly<Record<string, string>> = {
  litellm_settings:
    'drop_params request_timeout set_verbose success_callback num_retries callbacks cache failure_callback cache_params telemetry json_logs budget_duration max_budget fallbacks default_fallbacks turn_off_message_logging max_parallel_requests allowed_fails cooldown_time service_callback context_window_fallbacks forward_client_headers_to_llm_api langfuse_default_tags modify_params redact_user_api_key_info require_auth_for_metrics_endpoint default_end_user_params extra_spend_tag_headers max_end_user_budget stream timezone additional_drop_params cache_control_injection_points cache_kwargs cache_responses content_policy_fallbacks custom_provider_map debug_level default_fallback_models default_max_tokens default_model default_params drop_unsupported_params enable_end_user_cost_tracking_prometheus_only global_disable_no_log_param host log_level log_raw_request_response log_requests master_key max_user_parallel_requests middleware no_auth overwrite_user_with_key_hash parse_tool_call_from_content port prometheus_initialize_budget_metrics proxy_mode reasoning_auto_summary rpm rps streaming use_chat_completions_url_for_anthropic_messages use_client',
  router_settings:
    'routing_strategy num_retries timeout cooldown_time allowed_fails retry_after enable_pre_call_checks fallbacks redis_host redis_port retry_policy redis_password cache_responses context_window_fallbacks model_group_alias stream_timeout allowed_fails_policy default_model deployment_affinity_ttl_seconds enable_loadbalancing max_retries model_alias model_group_affinity_config poll_interval routing_strategy_args set_verbose',
  general_settings:
    'master_key database_url store_model_in_db proxy_batch_write_at disable_spend_logs store_prompts_in_spend_logs allow_requests_on_db_unavailable disable_error_logs allow_user_auth database_connection_pool_limit health_check_interval request_timeout alerting completion_model max_parallel_requests maximum_spend_logs_retention_period set_verbose json_logs user_header_name always_include_stream_usage budget_duration cache cache_params custom_auth drop_params max_budget max_internal_user_budget maximum_spend_logs_retention_interval num_retries num_workers otel proxy_budget_rescheduler_min_time ttl alert_types alerting_threshold allow_client_side_credentials allowed_fails allowed_ips background_health_checks background_workers batch_size custom_auth_run_common_checks custom_headers database_connection_timeout default_internal_user_params default_max_tokens disable_database enable_admin_ui enable_jwt_auth enable_metrics enforce_user_param fallback_on_errors infer_model_from_keys key_generation_settings log_level pass_through_endpoints proxy_base_url proxy_budget_rescheduler_max_time redis_url retry_after rpm stream_timeout tpm ui_access_mode ui_password ui_username use_azure_key_vault use_redis_transaction_buffer user_header_mappings verbose',
  root: 'environment_variables logging files_settings rate_limits budgets anthropic_proxy cache cache_settings callbacks cost_tracking jwt_auth_config key_management_settings mcp_servers server_settings team_management',
};

/** Keys whose effect is shown elsewhere in these tests. */
const executed = new Set(
  'drop_params request_timeout num_retries cache_params fallbacks default_fallbacks allowed_fails cooldown_time context_window_fallbacks content_policy_fallbacks routing_strategy timeout retry_after retry_policy model_group_alias stream_timeout allowed_fails_policy master_key health_check_interval max_parallel_requests always_include_stream_usage environment_variables server_settings enable_pre_call_checks routing_strategy_args cache rate_limits'.split(
    ' ',
  ),
);

const rows = Object.entries(written).flatMap(([section, keys]) =>
  keys.split(' ').map((key) => [section, key] as const),
);

describe('spine 2.2: no key that people write is passed over in silence', () => {
  test.each(rows.filter(([, key]) => !executed.has(key)))('%s.%s', (section, key) => {
    const list = [{ model_name: 'm', litellm_params: { model: 'ollama/m' } }];
    const text = stringify({
      model_list: list,
      ...(section === 'root' ? { [key]: [1] } : { [section]: { [key]: 1 } }),
    });
    const about = compileText(text, false).diagnostics.filter((one) => JSON.stringify(one.found ?? '').includes(key));
    expect(about.map((one) => one.code)).toHaveLength(1);
    expect(about[0]?.span?.line).toBeGreaterThan(4);
  });
});
