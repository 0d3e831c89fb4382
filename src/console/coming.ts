import type { ReplyBody } from '../../contracts/operations.js';
import type { AccountStatus, DisabledReason, ErrorClass, Purpose } from '../../contracts/fields.js';

/** Fields of contract 1.1, section 4a, that the schemas do not have yet; what is there already comes from them. */
export interface Coming {
  'query.accounts': {
    body: {
      user_id?: number | null;
      status?: AccountStatus | null;
      disabled_reason?: DisabledReason | null;
      leased_by?: string | null;
      search?: string | null;
      only_available?: boolean | null;
      limit?: number | null;
      cursor?: string | null;
    };
    reply: Omit<ReplyBody<'query.accounts'>, 'accounts'> & {
      total: number;
      total_is_at_least: boolean;
      accounts: (Omit<ReplyBody<'query.accounts'>['accounts'][number], 'phone'> & {
        user_id: number;
        phone: string | null;
        recovery_at: string | null;
        restricted_by: {
          classified_as: ErrorClass | null;
          telegram_error: string | null;
          reason: string | null;
        } | null;
      })[];
    };
  };
  'query.explain': {
    body: { request_id: string } | { user_id: number; purpose: Purpose; target_channel_id?: string | null };
    reply: ReplyBody<'query.explain'> & { request?: { summary: string; service_name: string; answered_at: string } };
  };
}
