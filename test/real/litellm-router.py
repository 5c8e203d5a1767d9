"""Plays a table of cases with LiteLLM's own router: reads it as JSON from stdin, writes what was tried.

Every deployment is of a provider of our own, which answers as its case scripts: nothing is sent.
"""

import asyncio
import json
import logging
import random
import sys

import litellm
from litellm import CustomLLM, ModelResponse, Router

failures = {
    "upstream_error": lambda m: litellm.InternalServerError("scripted", "scripted", m),
    "upstream_rate_limited": lambda m: litellm.RateLimitError("scripted", "scripted", m),
    "upstream_bad_request": lambda m: litellm.BadRequestError("scripted", m, "scripted"),
    "upstream_auth": lambda m: litellm.AuthenticationError("scripted", "scripted", m),
    "upstream_timeout_total": lambda m: litellm.Timeout("scripted", m, "scripted"),
    "upstream_model_missing": lambda m: litellm.NotFoundError("scripted", m, "scripted"),
    "upstream_overloaded": lambda m: litellm.ServiceUnavailableError("scripted", "scripted", m),
    "context_length_exceeded": lambda m: litellm.ContextWindowExceededError("scripted", m, "scripted"),
    "upstream_content_filter": lambda m: litellm.ContentPolicyViolationError("scripted", m, "scripted"),
}


class Scripted(CustomLLM):
    def __init__(self):
        super().__init__()
        self.answers, self.tried = {}, []

    async def acompletion(self, *args, **kwargs) -> ModelResponse:
        model = kwargs["model"]
        self.tried.append(model)
        answer = self.answers.get(model, "ok")
        if isinstance(answer, list):
            answer = answer[min(self.tried.count(model), len(answer)) - 1]
        if answer != "ok":
            raise failures[answer](model)
        return litellm.mock_completion(model, [{"role": "user", "content": "x"}], mock_response="ok")


scripted = Scripted()


def router_of(case):
    # Each router registers callbacks, by which it learns of failures, and only some dozens are taken.
    litellm.logging_callback_manager._reset_all_callbacks()
    model_list = [
        {**entry, "litellm_params": {**entry["litellm_params"], "model": "scripted/" + entry["litellm_params"]["model"]}}
        for entry in case["model_list"]
    ]
    return Router(model_list=model_list, **case["router_settings"])


async def ask(router, case):
    scripted.tried = []
    try:
        await router.acompletion(**{"messages": [{"role": "user", "content": "Hi"}], **case["request"]})
        ends = "ok"
    except Exception as error:
        ends = type(error).__name__
    return scripted.tried, ends


async def play(case):
    random.seed(1)
    router = router_of(case)
    # Failures of earlier requests may set deployments aside.
    scripted.answers = case["before"]
    for _ in range(case["draws"] if case["before"] else 0):
        await ask(router, case)
    # It decides on that behind the requests.
    for _ in range(20 if case["before"] else 0):
        await no_wait(0.05)
    scripted.answers = {}
    first = set()
    for _ in range(case["draws"]):
        tried, ends = await ask(router, case)
        first.add(tried[0] if tried else ends)
    scripted.answers = case["answers"]
    sequences = []
    for _ in range(case["plays"]):
        tried, ends = await ask(router_of(case), case)
        sequences.append({"tried": tried, "ends": ends})
    return {"first": sorted(first), "plays": sequences}


no_wait = asyncio.sleep


async def main():
    logging.disable(logging.CRITICAL)
    litellm.suppress_debug_info = True
    litellm.custom_provider_map = [{"provider": "scripted", "custom_handler": scripted}]
    # A wait between two attempts has nothing to wait for here.
    asyncio.sleep = lambda _seconds, *rest: no_wait(0, *rest)
    print(json.dumps([await play(case) for case in json.load(sys.stdin)]))


asyncio.run(main())
