"""llama.cpp's own HTTP server out of the xllamacpp wheel, which carries the server but not its program."""

import argparse
import signal

import xllamacpp

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--alias", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--slots", type=int, default=1)
parser.add_argument("--context", type=int, default=0)
parser.add_argument("--embeddings", action="store_true")
parser.add_argument("--template")
options = parser.parse_args()

parameters = xllamacpp.CommonParams()
parameters.model.path = options.model
parameters.model_alias = {options.alias}
parameters.hostnames = ["127.0.0.1"]
parameters.port = options.port
parameters.n_parallel = options.slots
parameters.n_ctx = options.context
# More threads than one wait for each other by spinning, which a busy machine pays dearly.
parameters.cpuparams.n_threads = 1
parameters.cpuparams_batch.n_threads = 1
parameters.endpoint_metrics = True
parameters.endpoint_slots = True
parameters.offline = True
if options.embeddings:
    parameters.embedding = True
    parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
if options.template:
    with open(options.template, encoding="utf-8") as file:
        parameters.chat_template = file.read()

# The native code must be ended by the kernel: Python would unwind under its running threads.
signal.signal(signal.SIGINT, signal.SIG_DFL)
server = xllamacpp.Server(parameters)
while True:
    signal.pause()
