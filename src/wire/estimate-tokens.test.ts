import { expect, test } from 'vitest';
import { estimatePrompt, estimateText } from './estimate-tokens.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Texts with their tokens, the mean of the o200k and cl100k vocabularies. */
const counted: readonly (readonly [text: string, tokens: number])[] = [
  ['The signalman sets the points before the train leaves the station, and nothing moves against a closed signal.', 21],
  [
    'export function add(left: number, right: number): number {\n  // Sums two numbers\n  return left + right;\n}\n',
    27,
  ],
  ['{"id":"req-7","status":200,"items":[{"name":"alpha","count":12},{"name":"beta","count":7}],"ok":true}', 34.5],
  [
    '2026-11-24 12:31:05.118 INFO 10.2.3.4 GET /v1/models 200 1532us id=8f3a91c2\n2026-11-24 12:31:06.007 WARN 10.2.3.9 POST /v1/chat 503 90211us id=77b0e4d1\n',
    88,
  ],
  ['Der Fahrdienstleiter stellt die Weichen, bevor der Zug den Bahnhof verlässt, und prüft danach die Signale.', 29],
  ['Дежурный переводит стрелки до того, как поезд отправится со станции, и проверяет сигналы.', 30.5],
  ['信号员在列车离开车站之前扳动道岔，然后检查所有信号。', 25.5],
  ['駅員は列車が出発する前にポイントを切り替え、信号を確認します。', 30.5],
];

test.each(counted)('4.3: %j is estimated within a quarter', (text, tokens) => {
  const bytes = encode(text);
  const estimate = estimateText(bytes, 0, bytes.length).tokens / tokens;
  expect(estimate).toBeGreaterThan(0.75);
  expect(estimate).toBeLessThan(1.25);
});

/** Texts with their tokens as Gemma's tokenizer counts them, which knows many scripts. */
const ofGemma: readonly (readonly [text: string, tokens: number])[] = [
  ['Дежурный переводит стрелки до того, как поезд отправится со станции, и проверяет сигналы.', 23],
  ['信号员在列车离开车站之前扳动道岔，然后检查所有信号。', 18],
  ['駅員は列車が出発する前にポイントを切り替え、信号を確認します。', 17],
  ['นายสถานีสับรางก่อนที่รถไฟจะออกจากสถานี แล้วตรวจสอบสัญญาณทั้งหมด', 18],
  ['स्टेशन मास्टर ट्रेन के स्टेशन छोड़ने से पहले पटरी बदलता है और फिर सभी सिग्नल जाँचता है।', 23],
  ['역무원은 열차가 역을 떠나기 전에 선로를 바꾸고 모든 신호를 확인합니다.', 22],
  ['Ο σταθμάρχης γυρίζει τα κλειδιά πριν φύγει το τρένο από τον σταθμό και ελέγχει τα σήματα.', 36],
  ['يحول ناظر المحطة السكة قبل أن يغادر القطار المحطة ثم يفحص جميع الإشارات.', 24],
];

test.each(ofGemma)('4.3: %j has no fewer tokens than it has at least', (text, tokens) => {
  const bytes = encode(text);
  const { tokens: estimate, spare } = estimateText(bytes, 0, bytes.length);
  expect(estimate - spare).toBeLessThanOrEqual(tokens);
});

test('4.3: of Latin text nothing is spared', () => {
  const { tokens, least } = prompt([{ role: 'user', content: 'Plain words, 12 signs.\n' }]);
  expect(least).toBe(tokens);
});

function prompt(value: unknown): ReturnType<typeof estimatePrompt> {
  const bytes = encode(JSON.stringify(value));
  return estimatePrompt(bytes, { start: 0, end: bytes.length });
}

test('4.3: an escaped text counts as the text it stands for', () => {
  const text = 'Say "hello" to\nthe\ttrain \\ driver';
  const bytes = encode(text);
  const plain = estimateText(bytes, 0, bytes.length).tokens;
  expect(Math.abs(prompt(text).tokens - plain)).toBeLessThanOrEqual(1.5);
});

test('4.3: messages cost their text and what a template puts around them', () => {
  const one = prompt([{ role: 'user', content: 'Hello there' }]).tokens;
  const two = prompt([
    { role: 'user', content: 'Hello there' },
    { role: 'user', content: 'Hello there' },
  ]).tokens;
  expect(one).toBe(Math.ceil(2 * 0.9 + 4 + 3));
  expect(two).toBe(Math.ceil(4 * 0.9 + 8 + 3));
});

test('4.3: pictures count by the piece, never by their letters', () => {
  const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(200_000)}` } };
  const estimate = prompt([{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, picture, picture] }]);
  expect(estimate.pictures).toBe(2);
  expect(estimate.tokens).toBeGreaterThan(2 * 768);
  expect(estimate.tokens).toBeLessThan(2 * 768 + 20);
});

test('4.3: the word image_url in a text is no picture', () => {
  expect(prompt([{ role: 'user', content: 'image_url' }]).pictures).toBe(0);
});

test('4.3: numbers are tokens already', () => {
  expect(prompt([[1, 22, 333], [4]]).tokens).toBe(4);
});

test('4.3: long texts are counted in samples, to the same result', () => {
  const sentence = 'The train leaves at noon. ';
  const perSentence = estimateText(encode(sentence.repeat(100)), 0, sentence.length * 100).tokens / 100;
  const many = 40_000;
  expect(prompt(sentence.repeat(many)).tokens / many / perSentence).toBeCloseTo(1, 1);
});
