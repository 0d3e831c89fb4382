/**
 * What the client libraries print instead of the name, for the errors that say something of the account, the
 * connection or the service: `NAME: sentence | sentence`, one error per record (a record's further lines are indented).
 *
 * `#` stands for a number and `…` for "whatever follows"; two names before the colon share the sentence, the first is
 * taken unless the report says more. Sources: Telethon's and Pyrogram's error lists, Telegram's published error
 * database, the Bot API.
 */
export const ACCOUNT_SENTENCES = `
FLOOD_TEST_PHONE_WAIT_X: A wait of # seconds is required in the test servers
FLOOD_WAIT_X,FLOOD_PREMIUM_WAIT_X,SLOWMODE_WAIT_X,TAKEOUT_INIT_DELAY_X: A wait of # seconds is required…
FLOOD_WAIT_X: Please wait # seconds before repeating the action… | Must wait # seconds…
TOO_MANY_REQUESTS_RETRY_AFTER_X: Too Many Requests: retry after #… | Retry after # | Retry after #s | Flood control
  exceeded…
FLOOD_PREMIUM_WAIT_X: A wait of # seconds is required in non-premium accounts | Please wait # seconds before
  repeating the action, or purchase…
SLOWMODE_MULTI_MSGS_DISABLED: Slowmode is enabled, you cannot forward multiple messages to this group
SLOWMODE_WAIT_X: A wait of # seconds is required to send messages in this chat | Slowmode is enabled in this chat… |
  Slow mode is enabled… | Slowmode is active… | A wait of # seconds is required before sending another message in
  this chat
TAKEOUT_INIT_DELAY_X: You have to confirm the data export request using one of your mobile devices or wait # seconds
  | Sorry, for security reasons, you will be able to begin downloading your data in # seconds… | A wait of # seconds
  is required before being able to initiate the takeout
TAKEOUT_INVALID: The takeout id is invalid | The takeout session has been invalidated by another data export session
TAKEOUT_REQUIRED: The method must be invoked inside a takeout session | A takeout session needs to be initialized
  first… | You must initialize a takeout request first
PEER_FLOOD: Too many requests (caused by… | The method can't be used because your account is currently limited | The
  current account is spamreported, you cannot execute this action, check @spambot for more info | Sorry, you can
  only send messages to mutual contacts at the moment… | Sorry, you can only add mutual contacts to groups at the
  moment…
PEER_FLOOD,TOO_MANY_REQUESTS_RETRY_AFTER_X: Too many requests
FROZEN_METHOD_INVALID: The current account is frozen, and thus cannot execute the specified action | The method
  can't be used by frozen account… | You tried using a method that is not available for frozen accounts | You tried to
  use a method that is not available for frozen accounts | You try to use method that not available for frozen
  accounts | The method is not available for frozen accounts
FROZEN_PARTICIPANT_MISSING: The current account is frozen, and cannot access the specified peer | You tried using a
  method that is not available when your account is frozen and you are not member of the chat | You tried to use a
  method that is not available when your account is frozen and you are not member of the chat | Your account is frozen
  and can't access the chat
USER_BANNED_IN_CHANNEL: You are limited from sending messages in supergroups/channels… | You're banned from sending
  messages in supergroups/channels…
USER_RESTRICTED: You're spamreported… | You are limited/restricted. You can't perform this action | You're
  limited/restricted by telegram. You can't perform this action
PHONE_NUMBER_BANNED: The used phone number has been banned from Telegram… | The phone number is banned from
  Telegram… | The provided phone number is banned from telegram…
USER_DEACTIVATED_BAN: The current account was deleted and banned by Telegram's antispam system | The current user
  has been deleted/deactivated by Telegram's antispam system | Telegram's flood prevention system suspended this
  account…
USER_DEACTIVATED: The current account was deleted by the user | The current user has been deleted/deactivated
USER_DEACTIVATED,USER_DEACTIVATED_BAN: The user has been deleted/deactivated
ACCESS_TOKEN_EXPIRED: The bot token has expired | Bot token expired
ACCESS_TOKEN_INVALID: The bot access token is invalid | The provided token is not valid
ACTIVE_USER_REQUIRED: The method is only available to already activated users
AUTH_BYTES_INVALID: The authorization bytes are invalid | The provided authorization is invalid
AUTH_KEY_DUPLICATED: The authorization key (session file) was used under two different IP addresses simultaneously…
  | The same authorization key (session file) was used in more than one place simultaneously… | Concurrent usage of
  the current session from multiple connections was detected…
AUTH_KEY_INVALID: The specified auth key is invalid | The provided authorization key is invalid | The authorization
  key is invalid | The auth key is invalid | The key is invalid
AUTH_KEY_PERM_EMPTY: The method is unavailable for temporary authorization keys, not bound to a permanent
  authorization key | The method is unavailable for temporary authorization key, not bound to permanent… | The
  temporary auth key must be binded to the permanent auth key to use these methods
AUTH_KEY_UNREGISTERED: The specified authorization key is not registered in the system… | The authorization key is
  not registered in the system… | The auth key is not registered in the system… | The key is not registered in the
  system
AUTH_TOKEN_ALREADY_ACCEPTED: The authorization token was already used | The specified auth token was already accepted
AUTH_TOKEN_EXCEPTION: An error occurred while importing the auth token
AUTH_TOKEN_EXPIRED: The provided authorization token has expired and the updated QR-code must be re-scanned | The
  authorization token has expired
AUTH_TOKEN_INVALID: The specified auth token is invalid | An invalid authorization token was provided
CODE_EMPTY: The provided code is empty
CODE_HASH_INVALID: The provided code hash invalid | Code hash invalid
CODE_INVALID: The provided code is invalid… | Code invalid (i.e. from email)
EMAIL_HASH_EXPIRED: The email hash expired and cannot be used to verify it
EMAIL_INVALID: The email provided is invalid | The specified email is invalid | The given email is invalid
EMAIL_UNCONFIRMED: Email unconfirmed
EMAIL_VERIFY_EXPIRED: The verification email has expired
FIRSTNAME_INVALID: The first name is invalid
LASTNAME_INVALID: The last name is invalid
NEW_SALT_INVALID: The new salt is invalid
NEW_SETTINGS_INVALID: The new settings are invalid
PASSWORD_EMPTY: The provided password is empty
PASSWORD_HASH_INVALID: The two-step verification password is invalid | The provided password hash is invalid | The
  password (and thus its hash value) you entered is invalid
PASSWORD_MISSING: The account is missing the two-step verification password | The account must have 2-factor
  authentication enabled…
PASSWORD_REQUIRED: The two-step verification password is required for this method | The account must have 2-factor
  authentication enabled…
PHONE_CODE_EMPTY: The phone code is missing
PHONE_CODE_EXPIRED: The phone code you provided has expired | The confirmation code has expired
PHONE_CODE_HASH_EMPTY: The phone code hash is missing
PHONE_CODE_INVALID: The confirmation code is invalid | The provided phone code is invalid | The phone code entered
  was invalid
PHONE_NUMBER_APP_SIGNUP_FORBIDDEN: You can't sign up using this app
PHONE_NUMBER_FLOOD: This number has tried to login too many times | You asked for the code too many times
PHONE_NUMBER_INVALID: The phone number is invalid
PHONE_NUMBER_OCCUPIED: The phone number is already in use
PHONE_PASSWORD_FLOOD: You have tried to log-in too many times | You have tried logging in too many times
PHONE_PASSWORD_PROTECTED: The phone is password protected | This phone is password protected
SEND_CODE_UNAVAILABLE: Returned when all available options for this type of number were already used…
SESSION_EXPIRED: The session has expired | The authorization has expired
SESSION_PASSWORD_NEEDED: 2FA is enabled, use a password to login | The two-step verification is enabled and a
  password is required | The two-step verification is enabled, use a password to login | Account has 2FA enabled |
  Two-steps verification is enabled and a password is required
SESSION_REVOKED: The session was revoked by the user | The authorization has been invalidated, because of the user
  terminating all sessions…
SRP_ID_INVALID: Invalid SRP ID provided
SRP_PASSWORD_CHANGED: The password has changed | Password has changed
TEMP_AUTH_KEY_ALREADY_BOUND: The passed temporary key is already bound to another…
TEMP_AUTH_KEY_EMPTY: The temporary auth key provided is empty | No temporary auth key provided
TRANSPORT_ERROR_404: The server claims it doesn't know about the authorization key (session file) currently being
  used… | Auth key not found | Auth key not found in the system. You must delete your session file…
UNAUTHORIZED: Unauthorized
FILE_MIGRATE_X: The file is in Data Center No. # | The file currently being accessed is stored in DC #… | The file
  to be accessed is currently stored in DC #
NETWORK_MIGRATE_X: Your IP address is associated to DC #… | The source IP address is associated with DC #
PHONE_MIGRATE_X: Your phone number is associated to DC #… | The phone number a user is trying to use for
  authorization is associated with DC #
STATS_MIGRATE_X: Channel statistics for the specified channel are stored on DC #… | The channel statistics must be
  fetched from DC #
USER_MIGRATE_X: Your account is associated to DC #… | The user whose identity is being used to execute queries is
  associated with DC #
AUTH_RESTART: User authorization has restarted | Restart the authorization process
CALL_OCCUPY_FAILED: The call failed because the user is already making another call
CHP_CALL_FAIL: The statistics cannot be retrieved at this time
CONNECTION_NOT_INITED: Connection not initialized
ENCRYPTION_OCCUPY_FAILED: TDLib developer claimed it is not an error while accepting secret chats and 500 is used
  instead of 420
HISTORY_GET_FAILED: Fetching of history failed
INTERDC_X_CALL_ERROR: An error occurred while Telegram was intercommunicating with DC#… | An error occurred while
  communicating with DC #
INTERDC_X_CALL_RICH_ERROR: A rich error occurred while Telegram was intercommunicating with DC#… | A rich error
  occurred while communicating with DC #
MEMBER_NO_LOCATION: An internal failure occurred while fetching user info (couldn't find location)
MEMBER_OCCUPY_PRIMARY_LOC_FAILED: Occupation of primary member location failed
MSGID_DECREASE_RETRY: The request should be retried with a lower message ID
MSG_WAIT_FAILED: Message failed to be sent | A waiting call returned an error
MSG_WAIT_TIMEOUT: Spent too much time waiting for a previous query in the invokeAfterMsg request queue…
No workers running: No workers running
PARTICIPANT_CALL_FAILED: Failure while making call
PERSISTENT_TIMESTAMP_EMPTY: Persistent timestamp empty
PERSISTENT_TIMESTAMP_INVALID: Persistent timestamp invalid
PERSISTENT_TIMESTAMP_OUTDATED: Persistent timestamp outdated
POSTPONED_TIMEOUT: The postponed call has timed out
PTS_CHANGE_EMPTY: No PTS change
REG_ID_GENERATE_FAILED: Failure while generating registration ID
RPC_CALL_FAIL: Telegram is having internal issues… | Telegram is having internal problems…
RPC_MCGET_FAIL: Telegram is having internal issues, please try again later
STORAGE_CHECK_FAILED: Server storage check failed
TIMEOUT: Timeout while fetching data | A timeout occurred while fetching data | A timeout occurred while fetching
  data from the worker
UNKNOWN_METHOD: The method you tried to call cannot be called on non-CDN DCs
WORKER_BUSY_TOO_LONG_RETRY: Telegram workers are too busy to respond immediately
2FA_CONFIRM_WAIT_X: A wait of # seconds is required because this account is active and protected by a 2FA password |
  Since this account is active and protected by a 2FA password, we will delete it in 1 week for security purposes… |
  The account is 2FA protected so it will be deleted in a week…
ADMINS_TOO_MUCH: The chat has too many administrators | Too many admins
ALBUM_PHOTOS_TOO_MANY: Too many photos were included in the album
API_ID_INVALID: The api_id/api_hash combination is invalid | API ID invalid
API_ID_PUBLISHED_FLOOD: You are using an API key that is limited on the server side because it was published
  somewhere | This API id was published somewhere, you can't use it now
BOT_API_CONFLICT: Conflict: terminated by other getUpdates request… | terminated by other getUpdates request… |
  Conflict: can't use getUpdates method while webhook is active…
CHANNELS_ADMIN_PUBLIC_TOO_MUCH: You are an administrator of too many public channels | You're admin of too many
  public channels…
CHANNELS_TOO_MUCH: You have joined too many channels or supergroups, leave some and try again | You have joined too
  many channels/supergroups
CONNECTION_API_ID_INVALID: The provided API id is invalid
CONNECTION_LAYER_INVALID: Layer invalid | The connection layer is invalid… | The very first request must always be
  InvokeWithLayerRequest
EMAIL_UNCONFIRMED_X: Email unconfirmed, the length of the code must be # | The provided email isn't confirmed, # is
  the length of the verification code that was just sent to the email | Email unconfirmed, the length of the code
  must be #
INPUT_LAYER_INVALID: The provided layer is invalid
INVITE_REQUEST_SENT: The request to join this chat or channel has been successfully sent | You have successfully
  requested to join this chat or channel
OPTIONS_TOO_MUCH: You defined too many options for the poll
PREMIUM_SUB_ACTIVE_UNTIL_X: You already have a premium subscription active until unixtime #…
PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_XMIN: Import for this chat is already in progress, wait # minutes before starting a
  new one | Similar to a flood wait, must wait # minutes
QUIZ_CORRECT_ANSWERS_TOO_MUCH: There can only be one correct answer
RANDOM_ID_DUPLICATE: You provided a random ID that was already used
RESULTS_TOO_MUCH: The result contains too many items | You sent too many results…
SCHEDULE_TOO_MUCH: You tried to schedule too many messages in this chat | You cannot schedule more messages in this
  chat (last known limit of 100 per chat)
STORY_SEND_FLOOD_X: A wait of # seconds is required to continue posting stories
UPDATE_APP_TO_LOGIN: Update app to login | Please update your client to login
`;
