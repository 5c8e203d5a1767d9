import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Running, startPinned } from './processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** An answer of the size that small chats have; the instant upstream gives it to every request. */
export const cannedAnswer: string = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1700000000,
  model: 'bench-backend',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'A railway signal box sets routes, and its interlocking keeps them safe.',
      },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 21, completion_tokens: 14, total_tokens: 35 },
});

/** nginx as the instant upstream: it answers every request from its configuration. */
export function startInstantUpstream(port: number, core: number): Promise<Running> {
  return startNginx('upstream', port, core, [
    `location / { default_type application/json; return 200 '${cannedAnswer}'; }`,
  ]);
}

/** nginx as a plain reverse proxy, the yardstick: keep-alive on both sides, nothing buffered. */
export function startProxy(port: number, core: number, upstream: number): Promise<Running> {
  return startNginx(
    'nginx',
    port,
    core,
    [
      'location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 60s; }',
    ],
    `upstream up { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 10000000; }`,
  );
}

function startNginx(
  name: string,
  port: number,
  core: number,
  locations: readonly string[],
  upstream = '',
): Promise<Running> {
  const folder = temporaryFolder('bench');
  mkdirSync(join(folder, 'logs'));
  const configuration = `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 10000000; keepalive_timeout 600s; client_body_buffer_size 64k; tcp_nodelay on;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  ${upstream}
  server { listen 127.0.0.1:${port} backlog=4096; ${locations.join('\n')} }
}`;
  writeFileSync(join(folder, 'nginx.conf'), configuration);
  return startPinned({
    name,
    core,
    port,
    folder,
    command: ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
  });
}
