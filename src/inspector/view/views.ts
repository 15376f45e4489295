import { BlockMapView } from './block-map-view.ts';
import { CountersView } from './counters-view.ts';
import { ErrorsView } from './errors-view.ts';
import { FilesView } from './files-view.ts';
import { LaunchView } from './launch-view.ts';
import { LoaderView } from './loader-view.ts';
import { PendingView } from './pending-view.ts';
import { StorageView } from './storage-view.ts';
import { ToolsView } from './tools-view.ts';
import { VersionsView } from './versions-view.ts';
import type { ViewElement } from './view-element.ts';

/** A tab of the panel. */
export interface InspectorViewEntry {
  /** What {@link InspectorTarget} calls it. */
  readonly id: string;
  readonly title: string;
  readonly tag: string;
  readonly element: new () => ViewElement;
}

/** In the order of the tabs. */
export const inspectorViews: readonly InspectorViewEntry[] = [
  { id: 'map', title: 'Blocks', tag: 'sluice-block-map-view', element: BlockMapView },
  { id: 'files', title: 'Files', tag: 'sluice-files-view', element: FilesView },
  { id: 'launch', title: 'Launch', tag: 'sluice-launch-view', element: LaunchView },
  { id: 'pending', title: 'Pending reads', tag: 'sluice-pending-view', element: PendingView },
  { id: 'loader', title: 'Loader', tag: 'sluice-loader-view', element: LoaderView },
  { id: 'storage', title: 'Storage', tag: 'sluice-storage-view', element: StorageView },
  { id: 'counters', title: 'Counters', tag: 'sluice-counters-view', element: CountersView },
  { id: 'errors', title: 'Errors', tag: 'sluice-errors-view', element: ErrorsView },
  { id: 'versions', title: 'Versions', tag: 'sluice-versions-view', element: VersionsView },
  { id: 'tools', title: 'Tools', tag: 'sluice-tools-view', element: ToolsView },
];
