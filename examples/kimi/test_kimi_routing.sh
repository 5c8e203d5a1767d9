#!/usr/bin/env bash
# Proves how requests for Kimi and for reasoning are routed. Exit code 0 where every test passes.
#
#   ./test_kimi_routing.sh                    starts a gateway of its own with the config beside it
#   SIGNALBOX_URL=http://127.0.0.1:4000 …     asks a gateway that runs (its key: LITELLM_MASTER_KEY)
#
# Without OLLAMA_API_KEY the gateway of its own asks a simulated cloud, and nothing leaves this machine.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

work=$(mktemp -d)
started=()
finish() {
  for pid in ${started[@]+"${started[@]}"}; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap finish EXIT

# A list and no function, so that what runs in the background is the gateway itself, which is ended by its id.
if [ -n "${SIGNALBOX:-}" ]; then signalbox=("$SIGNALBOX")
elif [ -f ../../bin/signalbox.js ]; then signalbox=(node ../../bin/signalbox.js)
else signalbox=(signalbox); fi

failures=0
pass() { echo "  PASSED: $1"; }
fail() { echo "  FAILED: $1"; failures=$((failures + 1)); }

# Waits until a file holds a line that fits, and prints what the pattern catches of it.
caught() {
  for _ in $(seq 1 150); do
    local found; found=$(sed -n "s|.*$2.*|\1|p" "$1" 2>/dev/null | head -1)
    if [ -n "$found" ]; then echo "$found"; return 0; fi
    sleep 0.1
  done
  return 1
}

simulated=""
gateway=${SIGNALBOX_URL:-}
if [ -z "$gateway" ]; then
  if [ -z "${OLLAMA_API_KEY:-}" ]; then
    node simulated-cloud.mjs > "$work/cloud" & started+=($!)
    simulated=$(caught "$work/cloud" '\(http://[0-9.:]*\)') || { echo "The simulated cloud does not start"; exit 1; }
    export OLLAMA_CLOUD_URL=$simulated OLLAMA_API_KEY=simulated
    echo "OLLAMA_API_KEY is not set: a simulated cloud answers at $simulated, and no model runs"
  fi
  "${signalbox[@]}" up --config config --state-dir "$work/state" --port 0 --json > "$work/gateway" 2> "$work/problem" & started+=($!)
  gateway=$(caught "$work/gateway" '"address": *"\(http://[0-9.:]*\)"') || { echo "The gateway does not start:"; cat "$work/problem" "$work/gateway"; exit 1; }
fi
echo "Gateway: $gateway"

# Asks a name; the status goes to $status, who answered to $route, the text to $text.
ask() {
  local key=(); [ -n "${LITELLM_MASTER_KEY:-}" ] && key=(-H "Authorization: Bearer $LITELLM_MASTER_KEY")
  status=$(curl -s -m 300 -o "$work/body" -D "$work/head" -w '%{http_code}' "$gateway/v1/chat/completions" ${key[@]+"${key[@]}"} \
    -d "{\"model\": \"$1\", \"max_tokens\": 200, \"messages\": [{\"role\": \"user\", \"content\": \"$2\"}]}")
  route=$(tr -d '\r' < "$work/head" | sed -n 's/^x-signalbox-route: //Ip')
  text=$(node -e 'const {choices, error} = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")); const m = choices?.[0]?.message; console.log(error?.message ?? m?.content ?? "")' "$work/body" 2>/dev/null)
}

echo
echo "Test 1: Direct request to kimi-k2:1t-cloud"
ask kimi-k2:1t-cloud "Say hello in one sentence."
echo "$text"
if [ "$status" = 200 ] && [ "$route" = ollama_cloud/kimi-k2:1t-cloud ] && [ -n "$text" ]; then pass "answered by $route"
else fail "wanted 200 from ollama_cloud/kimi-k2:1t-cloud, found $status from ${route:-nobody}"; fi

echo
echo "Test 2: Reasoning capability request (load balanced)"
: > "$work/routes"
for _ in 1 2 3 4; do
  ask reasoning "Which is larger, 9.9 or 9.11?"
  [ "$status" = 200 ] && echo "$route" >> "$work/routes"
done
echo "$text"
sort "$work/routes" | uniq -c
answered=$(wc -l < "$work/routes" | tr -d ' ')
members=$(sort -u "$work/routes" | grep -c '^ollama_cloud/\(deepseek-v3.1:671b\|kimi-k2:1t\)-cloud$')
if [ "$answered" = 4 ] && [ "$members" = 2 ]; then pass "4 requests, answered by both members"
else fail "wanted 4 answers from 2 members, found $answered from $members"; fi

echo
echo "Test 3: Fallback chain integrity, proven without a request"
if "${signalbox[@]}" route test config/route-tests.yaml --config config; then pass "every route is as declared"
else fail "a route is not as declared"; fi

echo
echo "Test 4: Fallback when kimi-k2:1t-cloud fails"
if [ -n "$simulated" ]; then
  curl -s "$simulated/away?model=kimi-k2:1t-cloud" > /dev/null
  ask kimi-k2:1t-cloud "Are you there?"
  curl -s "$simulated/back" > /dev/null
  echo "$text"
  if [ "$status" = 200 ] && [ "$route" = ollama_cloud/gpt-oss:120b-cloud ]; then pass "answered by $route"
  else fail "wanted 200 from ollama_cloud/gpt-oss:120b-cloud, found $status from ${route:-nobody}"; fi
else
  echo "  SKIPPED: a real cloud does not fail on demand; unset OLLAMA_API_KEY to see it in the simulated one"
fi

echo
if [ "$failures" = 0 ]; then echo "All tests passed"; exit 0; fi
echo "$failures FAILED. What may help:"
echo "  signalbox doctor --config config                  is OLLAMA_API_KEY set, from where, and how long is it"
echo "  signalbox provider probe ollama_cloud --config config   does the cloud answer, and take the key"
echo "  signalbox route explain kimi-k2:1t-cloud --config config"
exit 1
