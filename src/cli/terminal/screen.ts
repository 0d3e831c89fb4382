/** The whole terminal, taken until it is closed. */
export interface Screen {
  size: () => { columns: number; rows: number };
  draw: (lines: readonly string[]) => void;
  /** Aborts when the user presses q or Ctrl-C. */
  closed: AbortSignal;
  /** It was Ctrl-C. */
  isInterrupted: () => boolean;
  /** Gives the terminal back as it was. */
  close: () => void;
}

/** https://invisible-island.net/xterm/ctlseqs/ctlseqs.html: another buffer, no cursor. */
const TAKE = '\x1b[?1049h\x1b[?25l';
const GIVE_BACK = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const CTRL_C = '\x03';

export function openScreen(): Screen {
  const { stdin, stdout } = process;
  const closed = new AbortController();
  let isInterrupted = false;
  let isOpen = true;
  const onKey = (keys: Buffer): void => {
    const text = keys.toString('utf8');
    isInterrupted ||= text.includes(CTRL_C);
    if (isInterrupted || /q/i.test(text)) closed.abort();
  };
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stdin.off('data', onKey);
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(GIVE_BACK);
  };
  stdout.write(TAKE);
  stdin.setRawMode(true);
  stdin.on('data', onKey);
  stdin.resume();
  // However the program ends.
  process.once('exit', close);
  return {
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    draw: (lines) => {
      if (!isOpen) return;
      stdout.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`);
    },
    closed: closed.signal,
    isInterrupted: () => isInterrupted,
    close,
  };
}
