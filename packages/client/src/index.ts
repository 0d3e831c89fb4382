export type { HeldAccount, WithAccountOptions, Wish } from './account.js';
export type { ActOptions, Outcome } from './act.js';
export type * from './contract.js';
export { AccountManagerError, type ClientCode, type ErrorCode, type Failure } from './errors.js';
export { type AccountManager, connectAccountManager } from './manager.js';
export type { ConnectOptions } from './options.js';
export type { RequestOptions } from './requests.js';
export type { EventHandler, SubscribeOptions, Subscription } from './subscribe.js';
export { isTelegramError } from './telegram-error.js';
