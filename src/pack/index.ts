/** `sluicefs/build`: packing for programs. The command line is a thin layer over this. */
export { SluiceError } from '../format/errors.ts';
export type { FsmapFlag, FsmapOwner, FsmapRow } from '../format/fsmap.ts';
export { remedies } from '../format/remedies.ts';
export type { Attributes, FileAttributes } from './attributes.ts';
export type { BaseReuse } from './base.ts';
export { type BuildOptions, type BuildReport, build, defaultLaunchLevel, defaultLevel } from './build.ts';
export { type ExtractOptions, type ExtractReport, extract } from './extract.ts';
export { type FsckOptions, type FsckProblem, type FsckReport, fsck } from './fsck.ts';
export { type BlockCount, type Inspection, inspect } from './inspect.ts';
export type { LaunchTrace, TraceRead } from './launch-reads.ts';
export type { OnProgress, PackProgress } from './progress.ts';
export { type PublishedMap, publishedMap } from './published-map.ts';
