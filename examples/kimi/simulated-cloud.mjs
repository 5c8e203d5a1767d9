/**
 * A stand-in for Ollama's cloud, for the test script where no key is set: it speaks the parts of
 * Ollama's wire that a gateway uses, wants a key as the cloud does, and answers with a fixed
 * sentence. It is no model. GET /away?model=NAME makes a model answer 503, /back ends that.
 */
import { createServer } from 'node:http';

const models = ['deepseek-v3.1:671b-cloud', 'kimi-k2:1t-cloud', 'gpt-oss:120b-cloud', 'gpt-oss:20b-cloud'];
const away = new Set();

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://cloud.invalid');
  if (url.pathname === '/away' || url.pathname === '/back') {
    away.clear();
    if (url.pathname === '/away') away.add(url.searchParams.get('model'));
    return answer(response, 200, {});
  }
  if (request.headers.authorization !== 'Bearer simulated') return answer(response, 401, { error: 'unauthorized' });
  if (url.pathname === '/api/version') return answer(response, 200, { version: '0.0.0-simulated' });
  if (url.pathname === '/api/ps') return answer(response, 200, { models: [] });
  if (url.pathname === '/api/tags')
    return answer(response, 200, { models: models.map((name) => ({ name, model: name, size: 0, details: {} })) });
  if (url.pathname !== '/v1/chat/completions') return answer(response, 404, { error: 'not found' });
  let text = '';
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => chat(response, JSON.parse(text)));
});

function chat(response, { model }) {
  if (!models.includes(model)) return answer(response, 404, { error: { message: `model "${model}" not found` } });
  if (away.has(model)) return answer(response, 503, { error: { message: 'the model is away for this test' } });
  const content = `A simulated answer of ${model}`;
  answer(response, 200, {
    id: 'chatcmpl-simulated',
    object: 'chat.completion',
    created: 0,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
  });
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`));
