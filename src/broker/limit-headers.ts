import type { ChannelModel } from 'amqplib';

/** Larger message headers are not read. Real ones take some hundred bytes. */
export const MAX_HEADERS_BYTES = 8 * 1024;
/** Stands in for headers that were not read. */
export const UNREAD_HEADERS = 'x-unread-headers';

const FRAME_HEAD_BYTES = 7;
const FRAME_END_BYTES = 1;
const CONTENT_HEADER_FRAME = 2;
/** Class, weight, body size and property flags lie before the properties. */
const PROPERTIES_AT = FRAME_HEAD_BYTES + 14;
const FLAGS_AT = FRAME_HEAD_BYTES + 12;
const HAS_CONTENT_TYPE = 0x8000;
const HAS_CONTENT_ENCODING = 0x4000;
const HAS_HEADERS = 0x2000;

/** The parts of amqplib's connection this touches; it offers no other way in before headers are decoded. */
interface FrameReader {
  /** Bytes received and not yet decoded. */
  rest: Buffer;
  recvFrame(): unknown;
}

/**
 * amqplib decodes headers by recursion, so 30 KB of nested arrays in one message overflow its stack and cost the whole
 * connection; the broker then delivers the message again, to the next connection, until every message in work beside
 * it is over its delivery limit. Headers over 8 KiB (at five bytes a level some 1,600 deep; amqplib bears more than
 * 3,000) are therefore replaced by a mark before they are decoded; the door refuses such a message and parks it.
 */
export function limitHeaders(connection: ChannelModel): void {
  const reader = connection.connection as unknown as FrameReader;
  const receive = reader.recvFrame.bind(reader);
  reader.recvFrame = () => {
    reader.rest = replaceLargeHeaders(reader.rest);
    return receive();
  };
}

/** Replaces the headers of the frame that `bytes` begin with, if that frame is whole and its headers are too large. */
function replaceLargeHeaders(bytes: Buffer): Buffer {
  if (bytes.length < PROPERTIES_AT || bytes[0] !== CONTENT_HEADER_FRAME) return bytes;
  const end = FRAME_HEAD_BYTES + bytes.readUInt32BE(3);
  if (end - PROPERTIES_AT <= MAX_HEADERS_BYTES || bytes.length < end + FRAME_END_BYTES) return bytes;

  const flags = bytes.readUInt16BE(FLAGS_AT);
  if ((flags & HAS_HEADERS) === 0) return bytes;
  let tableAt = PROPERTIES_AT;
  if (flags & HAS_CONTENT_TYPE) tableAt += 1 + bytes.readUInt8(tableAt);
  if (flags & HAS_CONTENT_ENCODING) tableAt += 1 + bytes.readUInt8(tableAt);
  const tableEnd = tableAt + 4 + bytes.readUInt32BE(tableAt);

  const head = Buffer.from(bytes.subarray(0, tableAt));
  head.writeUInt32BE(end - FRAME_HEAD_BYTES - (tableEnd - tableAt) + MARK.length, 3);
  return Buffer.concat([head, MARK, bytes.subarray(tableEnd)]);
}

/** A table of one field: the mark, true. */
const MARK = Buffer.concat([
  Buffer.from([0, 0, 0, 1 + UNREAD_HEADERS.length + 2, UNREAD_HEADERS.length]),
  Buffer.from(UNREAD_HEADERS),
  Buffer.from('t\x01'),
]);
