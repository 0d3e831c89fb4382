/**
 * Sentences of the errors that say something of one request: its target, a right missing there, a bad parameter.
 * None of them touches the account. Written like `ACCOUNT_SENTENCES`. Of the hundreds of "The … is invalid" only
 * those that need a name are listed; `findPhrase` reads the rest.
 */
export const REQUEST_SENTENCES = `
ALLOW_PAYMENT_REQUIRED_X: This peer charges # Telegram Stars per message… | The user has enabled paid messages with
  # stars
BUTTON_USER_PRIVACY_RESTRICTED: The privacy settings of the user specified in a keyboard button do not allow
  creating such button | The privacy settings of the user specified in an inline button do not allow…
CALL_PEER_INVALID: The provided call peer object is invalid
PRIVACY_PREMIUM_REQUIRED: You need a Telegram Premium subscription to send a message to this user | The user has
  restricted from sending messages or this action requires a… | This user only accepts messages from contacts and
  Premium users | Only Premium users can message this user
USER_IS_BLOCKED: The user blocked you | You were blocked by this user | The user is blocked | Bot was blocked by the
  user | User is blocked
USER_NOT_MUTUAL_CONTACT: The user is not a mutual contact | The provided user is not a mutual contact
USER_PRIVACY_RESTRICTED: The user's privacy settings is preventing you to perform this action | The user's privacy
  settings do not allow you to do this
VOICE_MESSAGES_FORBIDDEN: Voice messages are restricted | This user's privacy settings forbid you from sending voice
  messages | User restricted receiving of voice messages… | User restricted receiving of video notes…
YOUR_PRIVACY_RESTRICTED: You cannot fetch the read date of this message because you have disallowed other users to
  do so…
BOTS_TOO_MUCH: The chat has too many bots | There are too many bots in this chat/channel
BOT_GROUPS_BLOCKED: This bot can't be added to groups
BOT_INVALID: This is not a valid bot
CHANNEL_BANNED: The channel is banned
CHANNEL_INVALID: The channel parameter is invalid | The provided channel is invalid | Invalid channel object…
CHANNEL_PRIVATE: The channel/supergroup is not accessible | You haven't joined this channel/supergroup | The channel
  specified is private and you lack permission to access it…
CHANNEL_PUBLIC_GROUP_NA: The channel/supergroup is not available | channel/supergroup not available
CHANNEL_TOO_LARGE: The channel is too large | Channel is too large to be deleted…
CHAT_ABOUT_NOT_MODIFIED: About text has not changed
CHAT_ABOUT_TOO_LONG: Chat about too long
CHAT_FORBIDDEN: This chat is not available to the current user | Bot was kicked from the group chat… | Bot was
  kicked from the supergroup chat… | Bot was kicked from the channel chat… | The group chat was deleted | Group chat
  was deleted | Group chat was deactivated | Chat was deleted | Have no access to the chat | You cannot write in
  this chat
CHAT_FORWARDS_RESTRICTED: You can't forward messages from a protected chat | The chat restricts forwarding content |
  Message can't be forwarded… | Message has protected content and can't be forwarded
CHAT_ID_EMPTY: The provided chat ID is empty
CHAT_ID_INVALID: The chat id being used is invalid or not known yet… | The provided chat id is invalid | Chat not
  found | Can't access the chat | Invalid object ID for a chat… | Chat_id is empty
CHAT_INVALID: The chat is invalid | Invalid chat | Group chat was upgraded to a supergroup chat | The group has been
  migrated to a supergroup… | Group migrated to supergroup… | The chat is invalid for this request
CHAT_LINK_EXISTS: The action failed because the supergroup is linked to a channel | The chat is linked to a channel
  and cannot be used in that request
CHAT_MEMBER_ADD_FAILED: Could not add participants
CHAT_NOT_MODIFIED: The chat settings (title, permissions, photo, etc..) were not modified… | The chat or channel
  wasn't modified… | Chat is not modified… | Chat title is not modified | Chat description is not modified
CHAT_RESTRICTED: The chat is restricted and cannot be used | You can't send messages in this chat, you were
  restricted | You were restricted in this chat | The chat is restricted and cannot be used in that request
CHAT_TITLE_EMPTY: The chat title is empty | No chat title provided
CONTACT_ID_INVALID: The provided contact ID is invalid
CONTACT_NAME_EMPTY: The provided contact name cannot be empty
ENTITY_MENTION_USER_INVALID: You can't use this entity
INPUT_USER_DEACTIVATED: The target user has been deleted/deactivated | User is deactivated | User is deleted | The
  specified user was deleted
INVITE_HASH_EMPTY: The invite hash is empty
INVITE_HASH_EXPIRED: The chat invite link is no longer valid | The invite link has expired | Chat invite link has
  expired… | Invite link is expired | The chat the user tried to join has expired and is not valid anymore
INVITE_HASH_INVALID: The invite link hash is invalid | The invite link is invalid | The invite hash is invalid
LINK_NOT_MODIFIED: The channel is already linked to this group
MEGAGROUP_ID_INVALID: The group is invalid
MEGAGROUP_REQUIRED: The request can only be used with a megagroup channel
MESSAGE_IDS_EMPTY: The requested message doesn't exist or you provided no message id | No message ids were provided
MESSAGE_ID_INVALID: The message id is invalid | The provided message id is invalid | Message not found… | Message to
  edit not found | Message to delete not found | Message to reply not found | Message to be replied not found |
  Message to forward not found | Message to copy not found | Message to pin not found | Message to react not found |
  Message can't be edited | Message can't be deleted | Message can't be deleted for everyone | Message thread not
  found | Reply message not found | Message identifier is not specified | The specified message ID is invalid or you
  can't do that operation on such message
MESSAGE_NOT_MODIFIED: The message was not modified because you tried to edit it using the same content | The
  provided message data is identical to the previous message data… | Message is not modified… | Content of the
  message was not modified
MSG_ID_INVALID: The message ID used in the peer was invalid
NEED_CHAT_INVALID: The provided chat is invalid
NEED_MEMBER_INVALID: The provided member is invalid or does not exist (for example a thumb size)
PARTICIPANT_VERSION_OUTDATED: The other participant does not use an up to date telegram client with support for
  calls
PEER_ID_INVALID: The peer id being used is invalid or not known yet… | The provided peer id is invalid | An invalid
  Peer was used… | Peer id invalid: #… | Peer id invalid… | ID not found: #… | ID not found: -#… | Could not find
  the input entity for… | Could not find any entity corresponding to… | Cannot find any entity corresponding to… |
  Cannot get entity from a channel… | Cannot get entity by phone number as a bot… | Could not find input entity with
  key… | Bot can't initiate conversation with a user | Have no info about the chat… | No cached entity for the given
  key
PEER_ID_NOT_SUPPORTED: The provided peer ID is not supported
PHONE_NOT_OCCUPIED: No user is associated to the specified phone number
PHONE_NUMBER_UNOCCUPIED: The phone number is not yet being used
SCHEDULE_STATUS_PRIVATE: You cannot schedule a message until the person comes online if their privacy does not show
  this information
SEARCH_QUERY_EMPTY: The search query is empty
TOPIC_CLOSED: This topic was closed, you can't send messages to it anymore | Topic_closed
TOPIC_DELETED: The specified topic was deleted | The topic was deleted
USERNAME_INVALID: The username is invalid | The provided username is not valid | Nobody is using this username, or
  the username is unacceptable…
USERNAME_NOT_OCCUPIED: The username is not occupied by anyone | The provided username is not occupied | No user has…
  | Username not found | The username is not in use by anyone else yet
USERS_TOO_FEW: Not enough users…
USERS_TOO_MUCH: The maximum number of users has been exceeded…
USER_ALREADY_INVITED: You have already invited this user
USER_ALREADY_PARTICIPANT: The user is already a participant of this chat | The user is already in the group | User
  is already a participant of the chat | The authenticated user is already a participant of the chat
USER_BLOCKED: User blocked
USER_BOT: Bots can only be admins in channels
USER_CHANNELS_TOO_MUCH: The user is already in too many channels or supergroups | One of the users you tried to add
  is already in too many channels/supergroups
USER_DELETED: You can't send this secret message because the other participant deleted their account
USER_ID_INVALID: The user id being used is invalid or not known yet… | The provided user id is invalid | Invalid
  object ID for a user… | User not found | Member not found | Participant not found | Invalid user_id specified
USER_INVALID: The provided user is invalid | Invalid user provided | The given user was invalid
USER_IS_BOT: A bot cannot send messages to other bots or to itself | Bot can't send messages to bots | Bot can't
  send messages to the bot | Bots can't send messages to other bots
USER_KICKED: This user was kicked from this chat | This user was kicked from this supergroup/channel
USER_NOT_PARTICIPANT: The user is not a member of this chat | You're not a member of this supergroup/channel | Bot
  is not a member of the channel chat… | Bot is not a member of the supergroup chat… | Bot is not a member of the
  group chat… | User is not a member of the chat | The target user is not a member of the specified megagroup or
  channel
USER_WAS_KICKED: User was kicked from the chat
YOU_BLOCKED_USER: You blocked this user
ADMIN_RANK_EMOJI_NOT_ALLOWED: Emoji are not allowed in admin titles or ranks
AUTOARCHIVE_NOT_AVAILABLE: You cannot use this feature yet
BOT_GAMES_DISABLED: Bot games cannot be used in this type of chat
BOT_INLINE_DISABLED: This bot can't be used in inline mode
BOT_POLLS_DISABLED: You cannot create polls under a bot account
BROADCAST_FORBIDDEN: The request can't be used in channels | This request can't be used in channels | The request
  cannot be used in broadcast channels
BROADCAST_PUBLIC_VOTERS_FORBIDDEN: You cannot broadcast polls where the voters are public
BROADCAST_REQUIRED: The request can only be used with a broadcast channel
CHAT_ADMIN_INVITE_REQUIRED: You don't have rights to invite other users | You do not have the rights to do this
CHAT_ADMIN_REQUIRED: The method requires chat admin privileges | You must be an admin in this chat to do this | Chat
  admin privileges are required to do that in the specified chat… | Need administrator rights in the channel chat… |
  Not enough rights… | You must be an administrator…
CHAT_SEND_GIFS_FORBIDDEN: You can't send animations in this chat | You can't send gifs in this chat
CHAT_SEND_INLINE_FORBIDDEN: You cannot use inline bots to send messages in this chat | You can't send inline
  messages in this group | You cannot send inline results in this chat
CHAT_SEND_MEDIA_FORBIDDEN: You can't send media messages in this chat | You can't send media in this chat
CHAT_SEND_PLAIN_FORBIDDEN: You can't send non-media (text) messages in this chat
CHAT_SEND_STICKERS_FORBIDDEN: You can't send stickers in this chat
CHAT_WRITE_FORBIDDEN: You don't have rights to send messages in this chat | Have no rights to send a message | Have
  no write access to the chat | Have no rights to send messages… | Need to have rights to send messages… | You can't
  write in this chat
FRESH_CHANGE_ADMINS_FORBIDDEN: Recently logged-in users cannot add or change admins
FRESH_CHANGE_PHONE_FORBIDDEN: Recently logged-in users cannot use this request
FRESH_RESET_AUTHORISATION_FORBIDDEN: The current session is too new and cannot be used to reset other authorisations
  yet
INLINE_BOT_REQUIRED: The action must be performed through an inline bot callback
MESSAGE_AUTHOR_REQUIRED: You are not the author of this message | Message author required
MESSAGE_DELETE_FORBIDDEN: You can't delete one of the messages you tried to delete… | You don't have rights to
  delete messages in this chat…
PASSWORD_TOO_FRESH_X: The two-step verification password was added recently and you are required to wait # seconds |
  The password was added too recently and # seconds must pass before using the method
PIN_RESTRICTED: You can't pin messages in private chats with other people
POLL_VOTE_REQUIRED: Cast a vote in the poll before calling this method
PREMIUM_ACCOUNT_REQUIRED: A premium account is required to execute this action | Premium account required…
REFLECTOR_NOT_AVAILABLE: Invalid call reflector server
RIGHT_FORBIDDEN: Either your admin rights do not allow you to do this… | Your admin rights do not allow you to do
  this | You don't have enough rights for this action…
SCHEDULE_BOT_NOT_ALLOWED: Bots are not allowed to schedule messages
SENSITIVE_CHANGE_FORBIDDEN: Your sensitive content settings cannot be changed at this time
SESSION_TOO_FRESH_X: You can't do this action because the current session was logged-in recently | The session
  logged in too recently and # seconds must pass before calling the method
TMP_PASSWORD_DISABLED: The temporary password is disabled
USERPIC_UPLOAD_REQUIRED: You must have a profile picture before using this method
USER_ADMIN_INVALID: You're not an admin | The action requires admin privileges… | User is an administrator of the
  chat | Can't remove chat owner | Can't demote chat creator | Either you're not an admin or you tried to ban an
  admin that you didn't promote
USER_BOT_REQUIRED,USER_BOT_INVALID: This method can only be called by a bot
USER_CREATOR: You can't leave this channel because you're its creator | You can't leave this channel, because you're
  its creator
AUDIO_TITLE_EMPTY: The title attribute of the audio must be non-empty
BANK_CARD_NUMBER_INVALID: Incorrect credit card number
BANNED_RIGHTS_INVALID: You cannot use that set of permissions in this request…
BOT_CHANNELS_NA: Bots can't edit admin privileges
BOT_DOMAIN_INVALID: The domain used for the auth button does not match the one configured in @BotFather
BOT_METHOD_INVALID: The API access for bot users is restricted…
BOT_MISSING,BOT_PAYMENTS_DISABLED: This method can only be run by a bot
BOT_RESPONSE_TIMEOUT: The bot did not answer to the callback query in time | A timeout occurred while fetching data
  from the bot
BROADCAST_ID_INVALID: The channel is invalid
CALL_ALREADY_ACCEPTED: The call was already accepted
CALL_ALREADY_DECLINED: The call was already declined
CDN_METHOD_INVALID: This method cannot be invoked on a CDN server…
DC_ID_INVALID: This occurs when an authorization is tried to be exported for the same data center one is currently
  connected to
EMOTICON_INVALID: The specified emoticon cannot be used or was not a emoticon
ENCRYPTION_ALREADY_ACCEPTED: Secret chat already accepted
ENCRYPTION_ALREADY_DECLINED: The secret chat was already declined
ENCRYPTION_DECLINED: The secret chat was declined
ENCRYPTION_ID_INVALID: The provided secret chat ID is invalid
ENTITIES_TOO_LONG: It is no longer possible to send such long data inside entity tags…
ENTITY_BOUNDS_INVALID: Can't parse entities… | Can't find end of the entity… | Some of provided entities have
  invalid bounds…
FILEREF_UPGRADE_NEEDED: The file reference needs to be refreshed before being used again
FILE_ID_INVALID: Wrong file identifier… | Wrong remote file identifier specified… | Invalid file_id…
FILE_PART_0_MISSING: File part 0 missing
FILE_PART_SIZE_CHANGED: The file part size (chunk size) cannot change during upload
FILE_REFERENCE_EMPTY: The file reference must exist to access the media and it cannot be empty
FILE_REFERENCE_EXPIRED: File reference expired… | The file reference has expired…
FROM_PEER_INVALID: The given from_user peer cannot be used for the parameter
GAME_BOT_INVALID: You cannot send that game with the current bot
GRAPH_OUTDATED_RELOAD: Data can't be used for the channel statistics, graphs outdated
IMAGE_PROCESS_FAILED: Failure while processing image
IMPORT_FORMAT_UNRECOGNIZED: Unknown import format
INPUT_FETCH_ERROR: An error occurred while deserializing TL parameters
INPUT_FETCH_FAIL: Failed deserializing TL payload
INPUT_METHOD_INVALID: The invoked method does not exist anymore or has never existed
LIMIT_INVALID: An invalid limit was provided. See https://core.telegram.org/api/files#downloading-files
MD5_CHECKSUM_INVALID: The MD5 check-sums do not match
MEDIA_EMPTY: The media you tried to send is invalid | The provided media object is invalid…
MEDIA_PREV_INVALID: The old media cannot be edited with anything else (such as stickers or voice notes)
MEGAGROUP_PREHISTORY_HIDDEN: You can't set this discussion group because it's history is hidden
MESSAGE_EDIT_TIME_EXPIRED: You can no longer edit this message because too much time has passed | You can't edit
  this message anymore, too much time has passed since its creation
MESSAGE_EMPTY: The message sent is empty or contains invalid characters | Message text is empty | Message must be
  non-empty | Text must be non-empty | The message cannot be empty unless a file is provided | Empty or invalid
  UTF-8 message was sent
MESSAGE_POLL_CLOSED: The poll was closed and can no longer be voted on
MESSAGE_TOO_LONG: The message text is too long | Message is too long | Text is too long
MULTI_MEDIA_TOO_LONG: Too many media files were included in the same album
OFFSET_PEER_ID_INVALID: The provided offset peer is invalid
PACK_SHORT_NAME_OCCUPIED: A stickerpack with this name already exists
PARTICIPANTS_TOO_FEW: Not enough participants
PHOTO_CONTENT_URL_EMPTY: The content from the URL used as a photo appears to be empty or has caused another HTTP
  error
PHOTO_SAVE_FILE_INVALID: The photo you tried to send cannot be saved by Telegram…
PHOTO_THUMB_URL_EMPTY: The URL used as a thumbnail appears to be empty or has caused another HTTP error
POLL_ANSWERS_INVALID: The poll did not have enough answers or had too many
POLL_OPTION_DUPLICATE: A duplicate option was sent in the same poll
POLL_OPTION_INVALID: A poll option used invalid data (the data may be too long)
POLL_UNSUPPORTED: This layer does not support polls in the issued method
PRIVACY_TOO_LONG: Cannot add that many entities in a single request
QUERY_ID_INVALID: Query is too old and response timeout expired or query ID is invalid
QUIZ_CORRECT_ANSWERS_EMPTY: A quiz must specify one correct answer
QUIZ_CORRECT_ANSWER_INVALID: The correct answer is not an existing answer
QUIZ_MULTIPLE_INVALID: A poll cannot be both multiple choice and quiz
REPLY_MARKUP_TOO_LONG: The data embedded in the reply markup buttons was too much
RESULT_ID_DUPLICATE: Duplicated IDs on the sent results. Make sure to use unique IDs
RESULT_ID_INVALID: The given result cannot be used to send the selection to the bot
RSA_DECRYPT_FAILED: Internal RSA decryption failed
SCHEDULE_DATE_TOO_LATE: The date you tried to schedule is too far in the future…
SECONDS_INVALID: Slow mode only supports certain values (e.g. 0, 10s, 30s, 1m, 5m, 15m and 1h)
SHORTNAME_OCCUPY_FAILED: An error occurred when trying to register the short-name used for the sticker pack. Try a
  different name
STICKERSET_OWNER_ANONYMOUS: This sticker set can't be used as the group's official stickers because it was created
  by one of its anonymous admins
STICKER_PNG_NOPNG: Stickers must be a png file but the used image was not a png
STICKER_TGS_NOTGS: Stickers must be a tgs file but the used file was not a tgs
STICKER_THUMB_PNG_NOPNG: Stickerset thumb must be a png file but the used file was not png
STICKER_THUMB_TGS_NOTGS: Stickerset thumb must be a tgs file but the used file was not tgs
TMP_PASSWORD_INVALID: Password auth needs to be regenerated
TTL_MEDIA_INVALID: The provided media cannot be used with a TTL
UNTIL_DATE_INVALID: That date cannot be specified in this request (try using None)
USERNAME_NOT_MODIFIED: The username is not different from the current username
USERNAME_OCCUPIED: The username is already in use by someone else | The username is already taken
VIDEO_CONTENT_TYPE_INVALID: The video content type is not supported with the given parameters…
VIDEO_FILE_INVALID: The given video cannot be used
WALLPAPER_FILE_INVALID: The given file cannot be used as a wallpaper
WEBDOCUMENT_URL_INVALID: The given URL cannot be used
WEBPAGE_CURL_FAILED: Failure while fetching the webpage with cURL
`;
