/** What may be asked of a mounted tree. Paths as in the image; what goes wrong has Node's codes, see tree-operations.ts. */
export type TreeOperation =
  | {
      readonly type: 'create-file';
      readonly path: string;
      readonly size: number;
      /** A power of two from 4 KiB to 1 MiB. */
      readonly blockSize: number;
      /** Content-Type; '' = by the name. */
      readonly mime: string;
      readonly meta: Uint8Array<ArrayBuffer>;
      /** All of it, or nothing: then blocks are provided later. */
      readonly content: Uint8Array<ArrayBuffer> | undefined;
    }
  | { readonly type: 'mkdir'; readonly path: string; readonly recursive: boolean }
  | { readonly type: 'link'; readonly existing: string; readonly path: string }
  | { readonly type: 'unlink'; readonly path: string }
  | { readonly type: 'rmdir'; readonly path: string }
  | { readonly type: 'set-meta'; readonly path: string; readonly meta: Uint8Array<ArrayBuffer> };
