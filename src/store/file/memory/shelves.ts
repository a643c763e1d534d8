import { BUFFER, type SpareBuffers } from './spare-buffers.ts';

/** Each piece is aligned, so that 32 bits say where it lies: shelf by shelf, in eights of bytes. */
const UNIT = 8;
const SMALLEST = 16 * 1024;
const UNITS = BUFFER / UNIT;
const MOST = 2 ** 32 / UNITS;
/** Before each piece: its length, and whose it is. */
const FRAME = 8;

interface Shelf {
  readonly bytes: Buffer;
  used: number;
  live: number;
}

/**
 * Pieces of bytes outside of the heap, in buffers of a megabyte: a garbage collection does not see them. A buffer that is
 * half empty is emptied into another, so that at least half of all that is taken is in use.
 */
export class Shelves {
  /** The first is never there: no piece lies at place 0. */
  readonly #shelves: (Shelf | undefined)[] = [undefined];
  readonly #unused: number[] = [];
  readonly #where: (owner: number) => number;
  readonly #moved: (owner: number, place: number) => void;
  readonly #spare: SpareBuffers;
  #current = 0;
  #taken = 0;

  /**
   * @param where the place of an owner's piece
   * @param moved tells of another
   */
  constructor(spare: SpareBuffers, where: (owner: number) => number, moved: (owner: number, place: number) => void) {
    this.#spare = spare;
    this.#where = where;
    this.#moved = moved;
  }

  /** Bytes of all buffers. */
  get taken(): number {
    return this.#taken;
  }

  /** The buffer a piece lies in. It is good until the next piece is taken or freed. */
  bytes(place: number): Buffer {
    return this.#shelves[Math.floor(place / UNITS)]!.bytes;
  }

  /** Where in its buffer. */
  at(place: number): number {
    return (place % UNITS) * UNIT + FRAME;
  }

  length(place: number): number {
    return this.bytes(place).readUInt32LE(this.at(place) - FRAME);
  }

  /** Room for a piece; its place. */
  take(owner: number, length: number): number {
    const size = sizeOf(length);
    let shelf = this.#shelves[this.#current];
    if (!shelf || shelf.used + size > shelf.bytes.length) shelf = this.#another(size);
    const at = shelf.used;
    shelf.bytes.writeUInt32LE(length, at);
    shelf.bytes.writeUInt32LE(owner, at + 4);
    shelf.used += size;
    shelf.live += size;
    return this.#current * UNITS + at / UNIT;
  }

  /** Lets go of a piece that is nobody's any more. */
  free(place: number): void {
    const number = Math.floor(place / UNITS);
    const shelf = this.#shelves[number]!;
    shelf.live -= sizeOf(this.length(place));
    if (number !== this.#current) {
      if (shelf.live <= shelf.bytes.length / 2) this.#empty(number, shelf);
    } else if (shelf.live === 0) this.#begin(number, shelf);
  }

  /** Fills an empty shelf anew. One that was made for a large piece goes: small ones beyond a buffer's end would have no place. */
  #begin(number: number, shelf: Shelf): void {
    if (shelf.bytes.length > BUFFER) this.#empty(number, shelf);
    else shelf.used = 0;
  }

  #empty(number: number, shelf: Shelf): void {
    for (let at = 0; shelf.live > 0; ) {
      const length = shelf.bytes.readUInt32LE(at);
      const owner = shelf.bytes.readUInt32LE(at + 4);
      if (this.#where(owner) === number * UNITS + at / UNIT) {
        const place = this.take(owner, length);
        shelf.bytes.copy(this.bytes(place), this.at(place), at + FRAME, at + FRAME + length);
        shelf.live -= sizeOf(length);
        this.#moved(owner, place);
      }
      at += sizeOf(length);
    }
    this.#shelves[number] = undefined;
    this.#unused.push(number);
    this.#taken -= shelf.bytes.length;
    this.#spare.give(shelf.bytes);
  }

  /** @throws RangeError at 32 GB */
  #another(size: number): Shelf {
    // A table that holds little takes little.
    const length = Math.max(Math.min(Math.max(this.#taken, SMALLEST), BUFFER), size);
    const used = length === BUFFER ? this.#spare.used() : undefined;
    const shelf = { bytes: used ?? Buffer.allocUnsafeSlow(length), used: 0, live: 0 };
    const number = this.#unused.pop() ?? this.#shelves.length;
    if (number >= MOST) throw new RangeError('a table of the store holds too much');
    this.#shelves[number] = shelf;
    this.#current = number;
    this.#taken += length;
    return shelf;
  }
}

const sizeOf = (length: number): number => Math.ceil((FRAME + length) / UNIT) * UNIT;
