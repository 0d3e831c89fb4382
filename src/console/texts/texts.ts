import { ACCOUNT_TEXTS } from './account.js';
import { ALERT_TEXTS } from './alerts.js';
import { CURE_TEXTS } from './cures.js';
import { EVENT_TEXTS } from './events.js';
import { FLEET_TEXTS } from './fleet.js';
import { FRAME_TEXTS } from './frame.js';
import { NAME_TEXTS } from './names.js';
import type { Text } from './text.js';
import { VIEW_TEXTS } from './views.js';

/** THE table of texts: everything that the console says by itself. */
export const TEXTS = {
  ...FRAME_TEXTS,
  ...NAME_TEXTS,
  ...EVENT_TEXTS,
  ...CURE_TEXTS,
  ...ALERT_TEXTS,
  ...FLEET_TEXTS,
  ...ACCOUNT_TEXTS,
  ...VIEW_TEXTS,
} satisfies Record<string, Text>;
export type TextKey = keyof typeof TEXTS;
