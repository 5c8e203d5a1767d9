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
const noBudgets = refused(
  'budgets are declared in providers.yaml and model-mappings.yaml; limit requests with rpm and tokens with tpm',
);
const noAlerts = ignored('nobody is alerted; logs/signalbox.jsonl has a line for every failure');
const noUsers = ignored('users are not told apart: a request counts for its key');
const ownLogLevel = ignored('the log is the same for everybody');

/** Prices by anything else than a token of prompt or answer. */
const otherPrices =
  'cache_read_input_token_cost cache_creation_input_token_cost input_cost_per_second output_cost_per_second input_cost_per_image output_cost_per_image input_cost_per_pixel output_cost_per_pixel input_cost_per_character output_cost_per_character input_cost_per_audio_token output_cost_per_audio_token input_cost_per_query input_cost_per_token_batches output_cost_per_token_batches output_cost_per_reasoning_token input_cost_per_token_above_128k_tokens output_cost_per_token_above_128k_tokens input_cost_per_token_above_200k_tokens output_cost_per_token_above_200k_tokens';

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
    ...all(noBudgets, 'budgets budget_settings'),
    ...all(ownLogLevel, 'debug debug_router test_mode'),
    ...all(refused('set general_settings.master_key, which every request then needs'), 'require_auth'),
  },
  settings: {
    ...all(
      executed,
      'litellm_settings router_settings general_settings server_settings rate_limit_settings environment_variables',
    ),
    ...all(ignored('requests are logged to logs/signalbox.jsonl'), 'callback_settings logging'),
    ...all(refused('names and providers stand in providers.yaml and model-mappings.yaml'), 'model_list include'),
    ...all(noBudgets, 'budgets budget_settings'),
    ...all(ownLogLevel, 'debug debug_router test_mode'),
    ...all(refused('set general_settings.master_key, which every request then needs'), 'require_auth'),
  },
  litellm_settings: {
    ...all(
      executed,
      'drop_params request_timeout stream_timeout timeout num_retries fallbacks default_fallbacks context_window_fallbacks content_policy_fallbacks allowed_fails cooldown_time max_fallbacks max_concurrent_requests ssl_verify api_request_params',
    ),
    ...all(executed, 'cache cache_params'),
    ...all(
      logShippers,
      'success_callback failure_callback callbacks service_callback service_callbacks json_logs set_verbose turn_off_message_logging redact_user_api_key_info langfuse_default_tags logging tracing log_raw_request_response global_disable_no_log_param overwrite_user_with_key_hash',
    ),
    ...all(
      ignored('metrics come with the views'),
      'prometheus_metrics_config custom_prometheus_metadata_labels custom_prometheus_tags prometheus_initialize_budget_metrics prometheus_emit_stream_label require_auth_for_metrics_endpoint enable_end_user_cost_tracking_prometheus_only disable_end_user_cost_tracking extra_spend_tag_headers',
    ),
    ...all(ignored('nothing is sent to anybody and nothing is downloaded'), 'telemetry disable_hf_tokenizer_download'),
    ...all(
      ignored('the gateway serves on when Redis is away'),
      'fallback_to_no_cache_on_redis_error enable_redis_auth_cache',
    ),
    ...all(ignored('times are in UTC'), 'timezone'),
    ...all(ignored('the gateway’s own connections serve all providers'), 'force_ipv4 use_client'),
    ...all(
      noBudgets,
      'max_budget budget_duration max_end_user_budget max_internal_user_budget internal_user_budget_duration cost_discount_config cost_margin_config priority_reservation default_end_user_params',
    ),
    ...all(
      refused('named keys are not offered in this file yet'),
      'default_internal_user_params default_team_params default_team_settings default_key_generate_params upperbound_key_generate_params key_generation_settings',
    ),
    ...all(
      refused('requests are sent as they are; drop_params leaves fields out'),
      'modify_params add_function_to_prompt enable_json_schema_validation reasoning_auto_summary',
    ),
    ...all(refused('declare the provider in providers.yaml, with ca_file or verify_tls'), 'ssl_security_level'),
    ...all(refused('declare a server of OpenAI’s wire as openai/NAME with api_base'), 'custom_provider_map'),
    ...all(refused('limits count for keys and names, not for users'), 'max_user_parallel_requests'),
    ...all(
      ignored('chat completions are always sent as chat completions'),
      'use_chat_completions_url_for_anthropic_messages route_all_chat_openai_to_responses include_cost_in_streaming_usage check_provider_endpoint public_model_groups model_group_settings enable_caching_on_provider_specific_optional_params provider_url_destination_allowed_hosts network_mock',
    ),
  },
  router_settings: {
    ...all(
      executed,
      'routing_strategy num_retries timeout stream_timeout cooldown_time allowed_fails retry_after fallbacks default_fallbacks context_window_fallbacks context_window_fallback_dict content_policy_fallbacks max_fallbacks retry_policy allowed_fails_policy model_group_retry_policy model_group_alias disable_cooldowns enable_tag_filtering tag_filtering_match_any enable_pre_call_checks lab_extensions',
    ),
    ...all(executed, 'default_max_parallel_requests routing_strategy_args'),
    ...all(
      ignored('state is held in this one process'),
      'redis_host redis_port redis_password redis_db redis_url redis_namespace redis_max_connections redis_pool_size cache_kwargs client_ttl cache_responses caching_groups',
    ),
    ...all(
      ignored('a deployment that is wrong is told at start'),
      'ignore_invalid_deployments debug_level set_verbose alerting_config',
    ),
    ...all(
      refused('sessions are not bound to deployments'),
      'optional_pre_call_checks model_group_affinity_config deployment_affinity_ttl_seconds',
    ),
    ...all(noBudgets, 'provider_budget_config'),
    ...all(
      refused('health probes decide as docs/explanation/routing.md says'),
      'enable_health_check_routing health_check_staleness_threshold health_check_ignore_transient_errors',
    ),
    ...all(
      refused('declare it on each deployment'),
      'default_litellm_params routing_groups default_priority polling_interval search_tools guardrail_list',
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
    ...all(interfaceOfTheirs, 'ui_access_mode allow_user_auth block_robots control_plane_url'),
    ...all(
      noAlerts,
      'alert_to_webhook_url alerting_args alert_types alerting alerting_threshold slack_webhook_url spend_report_frequency',
    ),
    ...all(noUsers, 'user_header_name user_header_mappings'),
    ...all(logShippers, 'otel'),
    ...all(
      ignored('probes are cheap and their results are in /health?details=true'),
      'health_check_details health_check_concurrency use_shared_health_check health_check_skip_disabled_background_models background_health_check_model_groups',
    ),
    ...all(ignored('one process serves all requests'), 'num_workers'),
    ...all(refused('set general_settings.master_key, which every request then needs'), 'require_auth'),
    ...all(refused('requests need no user'), 'enforce_user_param custom_auth_run_common_checks'),
    ...all(
      refused(
        'the gateway checks keys itself: general_settings.master_key, or server_settings.keys with the models of each',
      ),
      'custom_auth enable_jwt_auth litellm_key_header_name allowed_ips public_routes admin_only_routes allowed_routes allow_client_side_credentials pass_through_endpoints key_management_system key_management_settings use_x_forwarded_for',
    ),
    ...all(ignored('probes never call a model, so they always run'), 'background_health_checks'),
    ...all(
      refused('requests name their model; further names for one are declared under router_settings.model_group_alias'),
      'completion_model embedding_model image_generation_model moderation_model infer_model_from_keys',
    ),
    ...all(
      refused('client headers stay with the gateway'),
      'forward_client_headers_to_llm_api forward_openai_org_id forward_llm_provider_auth_headers',
    ),
    ...all(refused('set rpm and tpm under rate_limit_settings'), 'token_rate_limit_type max_response_size_mb'),
  },
  server_settings: {
    ...all(
      executed,
      'port host cors max_body_bytes show_api_base keys max_queue_wait max_queue_length stream_heartbeat_after drain_seconds cache_max_bytes cache_ttl_by_model',
    ),
    ...all(ignored('the cheap /health is always served'), 'health_check_endpoint'),
    ...all(later, 'prometheus'),
  },
  rate_limit_settings: all(executed, 'enabled limits'),
  cache_params: {
    ...all(
      executed,
      'type host port username password ssl ttl namespace disk_cache_dir mode redis_url db supported_call_types',
    ),
    ...all(
      ignored('answers are compared word for word, in a store that server_settings.cache_max_bytes bounds'),
      'connection_pool_kwargs max_connections max_size_in_memory similarity_threshold vector_size redis_semantic_cache_embedding_model',
    ),
  },
  litellm_params: {
    ...all(
      executed,
      'model api_base base_url api_key api_version custom_llm_provider litellm_credential_name organization weight order tags timeout stream_timeout num_retries cooldown_time extra_body extra_headers headers additional_drop_params drop_params ssl_verify input_cost_per_token output_cost_per_token num_ctx keep_alive options rpm tpm max_parallel_requests',
    ),
    ...all(ignored('the gateway retries, not the client'), 'max_retries'),
    ...all(ignored('clients say whether they want a stream'), 'stream'),
    ...all(ignored('this is one program'), 'rust use_client'),
    ...all(
      ignored('it belongs into model_info'),
      'context_window supports_function_calling supports_vision supports_parallel_function_calling supports_reasoning supports_response_schema base_model',
    ),
    ...all(ignored('LiteLLM reads rpm and tpm'), 'rpm_limit tpm_limit'),
    ...all(ignored('fields pass unless drop_params or additional_drop_params name them'), 'allowed_openai_params'),
    ...all(ignored('requests pass through under the paths of this gateway'), 'use_in_pass_through'),
    ...all(ignored('the cache is declared under litellm_settings'), 'cache'),
    ...all(noBudgets, 'max_budget budget_duration budget_limit'),
    ...all(refused('the answer would not be the model’s'), 'mock_response mock_tool_calls mock_timeout'),
    ...all(refused('reasoning stays in its own field'), 'merge_reasoning_content_in_choices'),
    ...all(
      refused('prices count by token of prompt and answer: input_cost_per_token and output_cost_per_token'),
      otherPrices,
    ),
    ...all(
      refused('Azure is asked with api_key'),
      'azure_ad_token azure_ad_token_provider tenant_id client_id client_secret azure_scope azure_username azure_password',
    ),
    ...all(
      refused('requests to such a provider must be signed, which is not offered'),
      'vertex_location vertex_project vertex_credentials vertex_ai_location vertex_ai_project vertex_ai_credentials aws_access_key_id aws_secret_access_key aws_region_name aws_session_token aws_session_name aws_profile_name aws_role_name aws_web_identity_token aws_bedrock_runtime_endpoint',
    ),
    ...all(refused('guardrails are not offered'), 'guardrails'),
    ...all(
      refused('this is not offered'),
      'tag_regex itpm otpm configurable_clientside_auth_params region_name use_chat_completions_api default_api_key_rpm_limit default_api_key_tpm_limit roles initial_prompt_value final_prompt_value bos_token eos_token use_litellm_proxy prompt_id prompt_variables keepalive_seconds allow_client_keepalive_override auto_router_config auto_router_default_model auto_router_embedding_model complexity_router_config',
    ),
    ...all(
      refused('fallbacks of a name are declared under router_settings.fallbacks'),
      'fallbacks context_window_fallbacks',
    ),
  },
  model_info: {
    ...all(
      executed,
      'id mode max_tokens max_input_tokens max_output_tokens input_cost_per_token output_cost_per_token supports_function_calling supports_vision supports_response_schema supports_reasoning base_model description tags provider context_length notes status',
    ),
    ...all(
      ignored('probes never call a model; health_checks in providers.yaml declares them'),
      'health_check_timeout health_check_model health_check_max_tokens health_check_max_tokens_reasoning health_check_max_tokens_non_reasoning health_check_supports_max_tokens health_check_voice health_check_reasoning_effort disable_background_health_check',
    ),
    ...all(ignored('tokens are estimated by one rule'), 'custom_tokenizer'),
    ...all(
      refused('rights stand at keys: server_settings.keys, with the models of each'),
      'access_groups access_windows team_id team_public_model_name',
    ),
    ...all(refused('take the entry out instead'), 'blocked supported_environments'),
    ...all(
      refused('declare it under litellm_params, or for all under router_settings'),
      'allowed_fails allowed_fails_policy cooldown_time enable_tag_filtering allow_fail_open',
    ),
    ...all(
      refused('prices count by token of prompt and answer: input_cost_per_token and output_cost_per_token'),
      otherPrices,
    ),
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
