/** The block of the runbook's "Adding a New Provider", letter by letter. */
export const newProvider = `  new_provider:
    type: openai_compatible  # or ollama, llama_cpp, vllm
    base_url: http://127.0.0.1:8002
    status: active
    description: "Description of new provider"
    models:
      - name: model-name
        size: "7B"
        specialty: general
    health_endpoint: /v1/models
`;

/** Its second block: the routing rules. */
export const newRules = `exact_matches:
  "model-name":
    provider: new_provider
    priority: primary
    fallback: ollama
    description: "New provider model"
`;
