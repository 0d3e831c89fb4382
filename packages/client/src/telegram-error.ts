import type { AccountErrorRequest } from './contract.js';
import { messageOf } from './errors.js';

/** Fields that the libraries put on their errors. */
interface LibraryError {
  /** GramJS: the name of Telegram's error, or of the class. */
  errorMessage?: unknown;
  /** GramJS, mtcute: Telegram's code, such as 420. */
  code?: unknown;
  /** mtcute: the name of Telegram's error. */
  text?: unknown;
  /** Telegram's own form, as MTKruto keeps it. */
  error_message?: unknown;
  errorCode?: unknown;
  error_code?: unknown;
  /** The wait that Telegram asks for. */
  seconds?: unknown;
}

const fieldsOf = (error: unknown): LibraryError => (typeof error === 'object' && error !== null ? error : {});

/** Whether an error is Telegram's word, as GramJS, mtcute and MTKruto throw it; not one of the network or the program. */
export function isTelegramError(error: unknown): boolean {
  const { errorMessage, code, text, error_message: own, errorCode, error_code: ownCode } = fieldsOf(error);
  const named = [errorMessage, text, own].some((name) => typeof name === 'string');
  return named && [code, errorCode, ownCode].some((number) => typeof number === 'number');
}

/** An error in the terms of `account.error`: as the library has it, for the service knows what it means. */
export function describeTelegramError(
  error: unknown,
): Pick<AccountErrorRequest, 'error_type' | 'error_message' | 'error_code' | 'seconds'> {
  const { errorMessage, code, text, error_message: own, errorCode, error_code: ownCode, seconds } = fieldsOf(error);
  const name = [errorMessage, text, own].find((found): found is string => typeof found === 'string');
  const message = messageOf(error);
  const number = [code, errorCode, ownCode].find((found): found is number => Number.isInteger(found));
  return {
    error_type: error instanceof Error ? error.constructor.name : undefined,
    error_message: name === undefined || message.includes(name) ? message : `${name}: ${message}`,
    error_code: number,
    seconds: typeof seconds === 'number' && seconds >= 0 ? seconds : undefined,
  };
}
