/** Sections whose keys LiteLLM gives a meaning, in its files and in our settings.yaml. */
export type Section =
  | 'root'
  | 'settings'
  | 'litellm_settings'
  | 'router_settings'
  | 'general_settings'
  | 'server_settings'
  | 'rate_limit_settings'
  | 'cache_params'
  | 'litellm_params'
  | 'model_info';

/** What becomes of a key. */
export type KeyFate =
  | { readonly kind: 'executed' }
  /** In the plan, typed and checked, but not executed by this version. */
  | { readonly kind: 'later' }
  /** Would change who answers, who may ask, a limit, an answer or a cost, and is not executed. */
  | { readonly kind: 'refused'; readonly instead: string }
  /** Changes none of these. */
  | { readonly kind: 'ignored'; readonly instead: string };

const executed: KeyFate = { kind: 'executed' };
const later: KeyFate = { kind: 'later' };
const refused = (instead: string): KeyFate => ({ kind: 'refused', instead });
const ignored = (instead: string): KeyFate => ({ kind: 'ignored', instead });

const all = (fate: KeyFate, keys: string): Readonly<Record<string, KeyFate>> =>
  Object.fromEntries(keys.split(' ').map((key) => [key, fate]));

const logShippers = ignored('requests are logged to logs/signalbox.jsonl, one JSON line each');
const noDatabase = ignored('no database is needed');
const interfaceOfTheirs = ignored('LiteLLM’s own web interface is not part of this gateway');

/** Every key that is known, by section; docs/reference/litellm-keys.md is written from it. */
export const litellmKeys: Readonly<Record<Section, Readonly<Record<string, KeyFate>>>> = {
  root: {
    ...all(
      executed,
      'model_list litellm_settings router_settings general_settings server_settings rate_limit_settings environment_variables include credential_list signalbox',
    ),
    ...all(ignored('requests are logged to logs/signalbox.jsonl'), 'callback_settings logging'),
    ...all(refused('guardrails are not offered'), 'guardrails'),
    ...all(
      refused('tools of MCP servers are not offered'),
      'mcp_servers search_tools vector_store_registry prompts assistant_settings files_settings finetune_settings',
    ),
    ...all(refused('budgets are not executed yet'), 'budgets budget_settings'),
  },
  settings: {
    ...all(
      executed,
      'litellm_settings router_settings general_settings server_settings rate_limit_settings environment_variables',
    ),
    ...all(ignored('requests are logged to logs/signalbox.jsonl'), 'callback_settings logging'),
    ...all(refused('names and providers stand in providers.yaml and model-mappings.yaml'), 'model_list include'),
    ...all(refused('budgets are not executed yet'), 'budgets budget_settings'),
  },
  litellm_settings: {
    ...all(
      executed,
      'drop_params request_timeout stream_timeout timeout num_retries fallbacks default_fallbacks context_window_fallbacks content_policy_fallbacks allowed_fails cooldown_time max_fallbacks',
    ),
    // The first key speaks for those that belong to it: one finding for one cause.
    ...all(later, 'cache'),
    ...all(executed, 'cache_params'),
    ...all(
      logShippers,
      'success_callback failure_callback callbacks service_callback service_callbacks json_logs set_verbose turn_off_message_logging redact_user_api_key_info langfuse_default_tags logging tracing log_raw_request_response',
    ),
    ...all(
      ignored('metrics come with the views'),
      'prometheus_metrics_config custom_prometheus_metadata_labels custom_prometheus_tags prometheus_initialize_budget_metrics prometheus_emit_stream_label require_auth_for_metrics_endpoint enable_end_user_cost_tracking_prometheus_only disable_end_user_cost_tracking extra_spend_tag_headers',
    ),
    ...all(
      ignored('nothing is sent to anybody'),
      'telemetry disable_hf_tokenizer_download timezone fallback_to_no_cache_on_redis_error enable_redis_auth_cache force_ipv4',
    ),
    ...all(
      refused('budgets are not executed yet; set rpm and tpm instead'),
      'max_budget budget_duration max_end_user_budget max_internal_user_budget internal_user_budget_duration cost_discount_config cost_margin_config priority_reservation default_end_user_params',
    ),
    ...all(
      refused('named keys are not offered in this file yet'),
      'default_internal_user_params default_team_params default_team_settings default_key_generate_params upperbound_key_generate_params key_generation_settings',
    ),
    ...all(
      refused('requests are sent as they are; drop_params leaves fields out'),
      'modify_params add_function_to_prompt enable_json_schema_validation',
    ),
    ...all(refused('set verify_tls at a provider'), 'ssl_verify ssl_security_level'),
    ...all(
      ignored('chat completions are always sent as chat completions'),
      'use_chat_completions_url_for_anthropic_messages route_all_chat_openai_to_responses include_cost_in_streaming_usage check_provider_endpoint public_model_groups model_group_settings enable_caching_on_provider_specific_optional_params provider_url_destination_allowed_hosts network_mock',
    ),
  },
  router_settings: {
    ...all(
      executed,
      'routing_strategy num_retries timeout stream_timeout cooldown_time allowed_fails retry_after fallbacks default_fallbacks context_window_fallbacks context_window_fallback_dict content_policy_fallbacks max_fallbacks retry_policy allowed_fails_policy model_group_retry_policy model_group_alias disable_cooldowns enable_tag_filtering tag_filtering_match_any enable_pre_call_checks',
    ),
    ...all(later, 'routing_strategy_args default_max_parallel_requests'),
    ...all(
      ignored('state is held in this one process'),
      'redis_host redis_port redis_password redis_db redis_url redis_namespace cache_kwargs client_ttl cache_responses caching_groups',
    ),
    ...all(
      ignored('a deployment that is wrong is told at start'),
      'ignore_invalid_deployments debug_level set_verbose alerting_config',
    ),
    ...all(
      refused('sessions are not bound to deployments'),
      'optional_pre_call_checks model_group_affinity_config deployment_affinity_ttl_seconds',
    ),
    ...all(refused('budgets are not executed yet'), 'provider_budget_config'),
    ...all(
      refused('health probes decide as docs/explanation/routing.md says'),
      'enable_health_check_routing health_check_staleness_threshold health_check_ignore_transient_errors',
    ),
    ...all(
      refused('declare it on each deployment'),
      'default_litellm_params routing_groups default_priority polling_interval search_tools guardrail_list lab_extensions',
    ),
  },
  general_settings: {
    ...all(
      executed,
      'master_key health_check_interval max_parallel_requests global_max_parallel_requests always_include_stream_usage max_request_size_mb',
    ),
    ...all(
      noDatabase,
      'database_url salt_key store_model_in_db supported_db_objects database_connection_pool_limit database_connection_timeout allow_requests_on_db_unavailable disable_spend_logs disable_spend_updates disable_error_logs store_prompts_in_spend_logs maximum_spend_logs_retention_period maximum_spend_logs_retention_interval proxy_batch_write_at use_redis_transaction_buffer proxy_budget_rescheduler_min_time proxy_budget_rescheduler_max_time disable_reset_budget disable_prisma_schema_update user_api_key_cache_ttl',
    ),
    ...all(
      interfaceOfTheirs,
      'ui_access_mode allow_user_auth block_robots control_plane_url otel alert_to_webhook_url alerting_args alert_types alerting alerting_threshold slack_webhook_url spend_report_frequency health_check_details health_check_concurrency use_shared_health_check num_workers',
    ),
    ...all(
      refused('keys are checked by the gateway itself'),
      'custom_auth enable_jwt_auth litellm_key_header_name allowed_ips public_routes admin_only_routes allowed_routes user_header_name user_header_mappings enforce_user_param allow_client_side_credentials pass_through_endpoints key_management_system key_management_settings use_x_forwarded_for',
    ),
    ...all(ignored('probes never call a model, so they always run'), 'background_health_checks'),
    ...all(
      refused('requests name their model'),
      'completion_model embedding_model image_generation_model moderation_model infer_model_from_keys',
    ),
    ...all(
      refused('client headers stay with the gateway'),
      'forward_client_headers_to_llm_api forward_openai_org_id forward_llm_provider_auth_headers',
    ),
    ...all(refused('set rpm and tpm under rate_limit_settings'), 'token_rate_limit_type max_response_size_mb'),
  },
  server_settings: {
    ...all(executed, 'port host cors max_body_bytes show_api_base keys stream_heartbeat_after drain_seconds'),
    ...all(ignored('the cheap /health is always served'), 'health_check_endpoint'),
    ...all(later, 'prometheus'),
  },
  rate_limit_settings: { ...all(executed, 'enabled'), ...all(later, 'limits') },
  cache_params: {
    ...all(executed, 'type host port password ttl namespace disk_cache_dir mode redis_url db'),
    ...all(
      ignored('no such store is offered'),
      'connection_pool_kwargs max_connections max_size_in_memory similarity_threshold vector_size redis_semantic_cache_embedding_model supported_call_types',
    ),
  },
  litellm_params: {
    ...all(
      executed,
      'model api_base base_url api_key api_version custom_llm_provider litellm_credential_name organization weight order tags timeout stream_timeout num_retries cooldown_time extra_body extra_headers headers additional_drop_params drop_params input_cost_per_token output_cost_per_token num_ctx keep_alive options',
    ),
    ...all(later, 'rpm tpm max_parallel_requests'),
    ...all(
      ignored('the gateway retries, not the client'),
      'max_retries use_in_pass_through rust stream cache rpm_limit tpm_limit context_window allowed_openai_params supports_function_calling supports_vision supports_parallel_function_calling',
    ),
    ...all(refused('budgets are not executed yet'), 'max_budget budget_duration'),
    ...all(refused('the answer would not be the model’s'), 'mock_response'),
    ...all(refused('reasoning stays in its own field'), 'merge_reasoning_content_in_choices'),
    ...all(refused('declare verify_tls at a provider'), 'ssl_verify'),
    ...all(
      refused('requests to this provider must be signed, which is not offered'),
      'vertex_location vertex_project vertex_credentials aws_access_key_id aws_secret_access_key aws_region_name aws_session_token',
    ),
    ...all(
      refused('this is not offered'),
      'tag_regex itpm otpm configurable_clientside_auth_params region_name use_chat_completions_api default_api_key_rpm_limit default_api_key_tpm_limit roles initial_prompt_value final_prompt_value bos_token eos_token fallbacks context_window_fallbacks use_litellm_proxy',
    ),
  },
  model_info: {
    ...all(
      executed,
      'id mode max_tokens max_input_tokens max_output_tokens input_cost_per_token output_cost_per_token supports_function_calling supports_vision supports_response_schema supports_reasoning base_model description tags provider context_length notes status',
    ),
    ...all(ignored('declare health_checks at a provider'), 'health_check_timeout'),
  },
};

/** The section that takes a key which stands in another. */
export function rightSection(key: string, wrong: Section): Section | undefined {
  const sections: readonly Section[] = [
    'litellm_settings',
    'router_settings',
    'general_settings',
    'server_settings',
    'cache_params',
  ];
  return sections.find((section) => section !== wrong && Object.hasOwn(litellmKeys[section], key));
}
