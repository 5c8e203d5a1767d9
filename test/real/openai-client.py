"""What a program with OpenAI's own Python client does with the gateway; prints one JSON object of results."""

import json
import sys

import openai

url, chat, tool_model, embed = sys.argv[1:5]
client = openai.OpenAI(base_url=f"{url}/v1", api_key="not-needed", max_retries=0)
question = [{"role": "user", "content": "Count"}]
tool = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "Does it",
        "parameters": {"type": "object", "properties": {"a": {"type": "boolean"}}},
    },
}
results = {}

results["models"] = sorted(model.id for model in client.models.list())
results["model"] = client.models.retrieve(chat).id

whole = client.chat.completions.create(model=chat, messages=question)
results["chat"] = whole.choices[0].message.content.strip()
results["chat_model"] = whole.model

with client.chat.completions.create(
    model=chat, messages=question, stream=True, stream_options={"include_usage": True}
) as stream:
    chunks = list(stream)
results["stream"] = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices).strip()
results["stream_usage"] = chunks[-1].usage.completion_tokens

call = client.chat.completions.create(model=tool_model, messages=question, tools=[tool]).choices[0].message.tool_calls[0]
results["tool"] = [call.function.name, json.loads(call.function.arguments)]

structured = client.chat.completions.create(
    model=chat,
    messages=question,
    response_format={
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "schema": {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]},
        },
    },
    max_tokens=40,
)
results["structured"] = sorted(json.loads(structured.choices[0].message.content))

results["embedding"] = [len(item.embedding) for item in client.embeddings.create(model=embed, input=["a", "b"]).data]

stream = client.chat.completions.create(model=chat, messages=question, stream=True)
next(iter(stream))
stream.close()
results["aborted"] = True


def refused(ask):
    try:
        ask()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]
    return None


results["unknown"] = refused(lambda: client.chat.completions.create(model="nobody", messages=question))
results["bad"] = refused(lambda: client.chat.completions.create(model=chat, messages="none"))
print(json.dumps(results))
