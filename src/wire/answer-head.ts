import type { ReadContext } from './answer.ts';

/** What an answer begins with that is written here, whole or in chunks. */
export type AnswerHead = {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
};

/** The beginning of an answer, or of each of its chunks. */
export function answerHead(context: ReadContext, form: 'whole' | 'chunk'): AnswerHead {
  const isChat = context.endpoint === 'chat';
  return {
    id: `${isChat ? 'chatcmpl' : 'cmpl'}-${context.requestId}`,
    object: isChat ? (form === 'chunk' ? 'chat.completion.chunk' : 'chat.completion') : 'text_completion',
    created: context.createdAt,
    model: context.askedModel,
  };
}
