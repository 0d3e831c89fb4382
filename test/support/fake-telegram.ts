import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { AuthKey } from 'telegram/crypto/AuthKey.js';
import { IGE } from 'telegram/crypto/IGE.js';
import { BinaryReader } from 'telegram/extensions/index.js';
import { crc32, readBufferFromBigInt, returnBigInt } from 'telegram/Helpers.js';
import { Api } from 'telegram/tl/index.js';

/** Reaction of the server to a request: an answer, an error, silence, or a cut connection. */
export type Answer = TlObject | TlObject[] | { error: [code: number, message: string] } | 'silence' | 'cut';

interface TlObject {
  getBytes: () => Buffer;
}

/** How the server treats one session; what is not scripted is answered as for a healthy account. */
export interface Script {
  /** By class name, such as `users.GetUsers`. */
  answers?: Record<string, Answer | Promise<Answer>>;
  /** On so many connections the key is not known (-404), then it is. */
  unknownFor?: number;
}

export interface FakeTelegram {
  port: number;
  /** Class names of the requests, in order of arrival. */
  calls: string[];
  /** Connections accepted so far. */
  connections: () => number;
  /** The most that were open at the same time. */
  peak: () => number;
  /** Makes the server know a key of 256 bytes. */
  addKey: (authKey: Buffer, script?: Script) => Promise<void>;
  /** Resolves when every connection accepted so far is closed. */
  quiet: () => Promise<void>;
  close: () => Promise<void>;
}

interface Login {
  key: Buffer;
  script: Script;
  refused: number;
}

const RPC_RESULT = 0xf35c6d01;
const VECTOR = 0x1cb5c415;

/**
 * A server that speaks MTProto 2.0 over the full TCP transport, as far as a logged-in client needs it
 * (https://core.telegram.org/mtproto/description). It answers whatever the keys' scripts say.
 */
export async function startFakeTelegram(): Promise<FakeTelegram> {
  const logins = new Map<string, Login>();
  const calls: string[] = [];
  const open = new Map<net.Socket, Promise<unknown>>();
  let accepted = 0;
  let peak = 0;

  const server = net.createServer((socket) => {
    accepted++;
    open.set(socket, new Promise((resolve) => socket.once('close', resolve)));
    peak = Math.max(peak, open.size);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
    const sendPacket = createPacketWriter(socket);
    readPackets(socket, (packet) => {
      const keyId = packet.subarray(0, 8);
      const login = logins.get(keyId.toString('hex'));
      if (login === undefined || login.refused < (login.script.unknownFor ?? 0)) {
        if (login !== undefined) login.refused++;
        sendPacket(int32(-404));
        return;
      }
      void serve(login, packet, calls, socket, (message) => sendPacket(Buffer.concat([keyId, message])));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as net.AddressInfo).port,
    calls,
    connections: () => accepted,
    peak: () => peak,
    addKey: async (raw, script = {}) => {
      const key = new AuthKey();
      await key.setKey(raw);
      logins.set(readBufferFromBigInt(key.keyId!, 8).toString('hex'), { key: raw, script, refused: 0 });
    },
    quiet: async () => {
      await Promise.all(open.values());
    },
    close: async () => {
      for (const socket of open.keys()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Full transport: length, sequence number, payload, CRC32 of all before. */
function createPacketWriter(socket: net.Socket): (payload: Buffer) => void {
  let sent = 0;
  return (payload) => {
    const whole = Buffer.concat([int32(payload.length + 12), int32(sent++), payload]);
    if (!socket.destroyed) socket.write(Buffer.concat([whole, int32(crc32(whole))]));
  };
}

function readPackets(socket: net.Socket, take: (payload: Buffer) => void): void {
  let buffered = Buffer.alloc(0);
  socket.on('data', (data) => {
    buffered = Buffer.concat([buffered, data]);
    while (buffered.length >= 4 && buffered.length >= buffered.readInt32LE(0)) {
      const size = buffered.readInt32LE(0);
      take(buffered.subarray(8, size - 4));
      buffered = buffered.subarray(size);
    }
  });
}

/** Decrypts a message of the client, and answers every request in it. */
async function serve(
  { key, script }: Login,
  packet: Buffer,
  calls: string[],
  socket: net.Socket,
  send: (encrypted: Buffer) => void,
): Promise<void> {
  const plain = cipherOf(key, packet.subarray(8, 24), 0).decryptIge(packet.subarray(24));
  const saltAndSession = plain.subarray(0, 16);
  const body = plain.subarray(32, 32 + plain.readInt32LE(28));
  for (const { messageId, request } of await readRequests(body, plain.readBigInt64LE(16))) {
    calls.push(request);
    const answer = await (script.answers?.[request] ?? healthyAnswer(request));
    if (answer === 'cut') socket.destroy();
    if (answer === 'cut' || answer === 'silence') continue;
    const result = Buffer.concat([int32(RPC_RESULT), int64(messageId), serialize(answer)]);
    send(encrypt(key, Buffer.concat([saltAndSession, int64(nextMessageId()), int32(1), int32(result.length), result])));
  }
}

/** The requests of a message, taken out of containers and of what the client wraps its first one in. */
async function readRequests(body: Buffer, messageId: bigint): Promise<{ messageId: bigint; request: string }[]> {
  // Containers are read asynchronously, everything else at once.
  const object = unwrap((await new BinaryReader(body).tgReadObject()) as TlRequest);
  if (object.messages !== undefined) {
    return object.messages.flatMap(({ msgId, obj }) => {
      const request = unwrap(obj).className;
      return request === 'MsgsAck' ? [] : [{ messageId: BigInt(msgId.toString()), request }];
    });
  }
  return object.className === 'MsgsAck' ? [] : [{ messageId, request: object.className }];
}

interface TlRequest {
  className: string;
  query?: TlRequest;
  /** Messages of a container. */
  messages?: { msgId: { toString: () => string }; obj: TlRequest }[];
}

function unwrap(object: TlRequest): TlRequest {
  return object.query !== undefined && /^Invoke|^InitConnection$/.test(object.className)
    ? unwrap(object.query)
    : object;
}

function healthyAnswer(request: string): Answer {
  switch (request) {
    case 'help.GetConfig':
      return config();
    case 'users.GetUsers':
      return [new Api.User({ id: returnBigInt(1), self: true, firstName: 'Test' })];
    case 'help.GetAppConfig':
      return appConfig({});
    default:
      return { error: [400, 'METHOD_INVALID'] };
  }
}

/** An answer to `help.getAppConfig` with numbers in it. */
export const appConfig = (numbers: Record<string, number>): Answer =>
  new Api.help.AppConfig({
    hash: 0,
    config: new Api.JsonObject({
      value: Object.entries(numbers).map(
        ([key, value]) => new Api.JsonObjectValue({ key, value: new Api.JsonNumber({ value }) }),
      ),
    }),
  });

const config = () =>
  new Api.Config({
    date: 1_790_000_000,
    expires: 1_790_003_600,
    testMode: false,
    thisDc: 2,
    dcOptions: [],
    dcTxtDomainName: '',
    chatSizeMax: 200,
    megagroupSizeMax: 200_000,
    forwardedCountMax: 100,
    onlineUpdatePeriodMs: 210_000,
    offlineBlurTimeoutMs: 5_000,
    offlineIdleTimeoutMs: 30_000,
    onlineCloudTimeoutMs: 300_000,
    notifyCloudDelayMs: 30_000,
    notifyDefaultDelayMs: 1_500,
    pushChatPeriodMs: 60_000,
    pushChatLimit: 2,
    editTimeLimit: 172_800,
    revokeTimeLimit: 2_147_483_647,
    revokePmTimeLimit: 2_147_483_647,
    ratingEDecay: 2_419_200,
    stickersRecentLimit: 200,
    channelsReadMediaPeriod: 604_800,
    callReceiveTimeoutMs: 20_000,
    callRingTimeoutMs: 90_000,
    callConnectTimeoutMs: 30_000,
    callPacketTimeoutMs: 10_000,
    meUrlPrefix: 'https://t.me/',
    captionLengthMax: 1_024,
    messageLengthMax: 4_096,
    webfileDcId: 4,
  });

function serialize(answer: TlObject | TlObject[] | { error: [number, string] }): Buffer {
  if (Array.isArray(answer)) {
    return Buffer.concat([int32(VECTOR), int32(answer.length), ...answer.map((object) => object.getBytes())]);
  }
  if (!('error' in answer)) return answer.getBytes();
  const [errorCode, errorMessage] = answer.error;
  return new Api.RpcError({ errorCode, errorMessage }).getBytes();
}

const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** Key derivation of MTProto 2.0; `x`: 0 for what the client sends, 8 for what it receives. */
function cipherOf(key: Buffer, messageKey: Buffer, x: 0 | 8): IGE {
  const a = sha256(messageKey, key.subarray(x, x + 36));
  const b = sha256(key.subarray(x + 40, x + 76), messageKey);
  return new IGE(
    Buffer.concat([a.subarray(0, 8), b.subarray(8, 24), a.subarray(24, 32)]),
    Buffer.concat([b.subarray(0, 8), a.subarray(8, 24), b.subarray(24, 32)]),
  );
}

function encrypt(key: Buffer, message: Buffer): Buffer {
  const padding = 12 + ((16 - ((message.length + 12) % 16)) % 16);
  const padded = Buffer.concat([message, randomBytes(padding)]);
  const messageKey = sha256(key.subarray(96, 128), padded).subarray(8, 24);
  return Buffer.concat([messageKey, cipherOf(key, messageKey, 8).encryptIge(padded)]);
}

let lastMessageId = 0n;

/** Near the time in units of 2^-32 s; odd, as answers are. */
function nextMessageId(): bigint {
  const fromTime = ((BigInt(Date.now()) << 32n) / 1000n) & ~3n;
  lastMessageId = fromTime + 1n > lastMessageId ? fromTime + 1n : lastMessageId + 4n;
  return lastMessageId;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}
