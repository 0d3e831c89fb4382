// Preloaded into a process (`node --import`), it sets that process's clock off by CLOCK_SHIFT_MS.

const shiftMs = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const RealDate = Date;

class ShiftedDate extends RealDate {
  /** @param {any[]} given */
  constructor(...given) {
    if (given.length === 0) super(ShiftedDate.now());
    else super(.../** @type {[number]} */ (given));
  }
  /** @override */
  static now() {
    return RealDate.now() + shiftMs;
  }
}
globalThis.Date = /** @type {DateConstructor} */ (/** @type {unknown} */ (ShiftedDate));
