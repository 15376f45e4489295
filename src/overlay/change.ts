/**
 * One change of a mounted image's tree, made at run time. The journal keeps them in the order in which they were made, as Incremental FS
 * keeps what its loader adds to a mounted image. Inodes below the image's own count are published ones.
 */
export type TreeChange =
  | {
      readonly type: 'create';
      /** Not used before. */
      readonly inode: number;
      /** Inode of the directory that gets the name. */
      readonly parent: number;
      readonly name: string;
      readonly node: NewNode;
    }
  /** One name more for a file. */
  | { readonly type: 'link'; readonly inode: number; readonly parent: number; readonly name: string }
  /** The name goes, and with its last name the file, or the (empty) directory. */
  | { readonly type: 'unlink'; readonly parent: number; readonly name: string }
  | { readonly type: 'set-meta'; readonly inode: number; readonly meta: Uint8Array<ArrayBuffer> }
  /** Only in a folded list: inodes below this are used up. */
  | { readonly type: 'next-inode'; readonly inode: number };

export type NewNode =
  | { readonly kind: 'directory'; readonly meta: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'file';
      /** Logical bytes. */
      readonly size: number;
      /** Bytes of each of its blocks but the last: a power of two from 4 KiB to 1 MiB. */
      readonly blockSize: number;
      /** Name of the private blob that holds its bytes: 64 hex digits that no other file has. */
      readonly blob: string;
      /** Content-Type; '' = by the name. */
      readonly mime: string;
      readonly meta: Uint8Array<ArrayBuffer>;
    };
