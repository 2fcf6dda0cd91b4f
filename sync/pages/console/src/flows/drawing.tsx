// A flow as a drawing. Steps are drawn where they stand in a caller's way; a way is led elsewhere by pulling it from its
// handle, or in the form beside. A chunk of its own: only who edits flows loads it.
import { Background, Controls, type Connection, type Edge, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { Box, Group, Menu, Button, Text, useMantineColorScheme } from '@mantine/core';
import { IconAlertTriangle, IconPlayerPlay, IconPlus } from '@tabler/icons-react';
import type { Config, Flow } from '@shared/model';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { StepForm } from './step-form';
import { KINDS, type Kind, type WayName, fresh, freeName, lead, places, renamed, ways, without } from './steps';

interface Drawn extends Record<string, unknown> {
  title: string;
  detail: string;
  begins: boolean;
  fault: boolean;
  outs: { handle: string; label: string }[];
}

const WIDTH = 200;
const GAP = { x: 250, y: 150 };
const types = { step: StepNode };

export default function Drawing({ config, flow, off, chosen, choose, change, notes, faults }: {
  config: Config;
  flow: Flow;
  off: boolean;
  chosen: string | null;
  choose: (id: string | null) => void;
  change: (flow: Flow) => void;
  notes: (id: string) => ReactNode;
  faults: ReadonlySet<string>;
}) {
  const { t } = useTranslation();
  const { colorScheme } = useMantineColorScheme();
  const { nodes, edges } = useMemo(() => drawn(flow, faults, chosen, { kind: (kind) => t(`flows.kind.${kind}`), way: (way) => t(`flows.way.${way}`) }), [flow, faults, chosen, t]);
  const step = chosen === null ? undefined : flow.steps[chosen];
  const add = (kind: Kind) => {
    const id = freeName(flow, kind);
    change({ ...flow, steps: { ...flow.steps, [id]: fresh(kind, chosen ?? flow.start) } });
    choose(id);
  };
  const connect = ({ source, sourceHandle, target }: Connection) => {
    const from = flow.steps[source];
    if (from === undefined || sourceHandle === null) return;
    const [way = '', key] = sourceHandle.split(':');
    change({ ...flow, steps: { ...flow.steps, [source]: lead(from, way, target, key) } });
  };
  return (
    <div className="flow-drawing">
      <Box className="flow-canvas" role="region" aria-label={t('flows.drawing')}>
        <ReactFlow nodes={nodes} edges={edges} nodeTypes={types} colorMode={colorScheme === 'dark' ? 'dark' : 'light'} nodesDraggable={false} nodesConnectable={!off} edgesFocusable={false} deleteKeyCode={null} fitView fitViewOptions={{ maxZoom: 1 }} minZoom={0.2} onConnect={connect} onNodeClick={(_, node) => choose(node.id)} onPaneClick={() => choose(null)} onNodesChange={(all) => {
          for (const one of all) if (one.type === 'select' && one.selected) choose(one.id);
        }}>
          <Background />
          <Controls showInteractive={false} />
        </ReactFlow>
        {!off && (
          <Menu position="bottom-start" withinPortal>
            <Menu.Target><Button className="flow-add" size="sm" leftSection={<IconPlus size={16} />}>{t('flows.addStep')}</Button></Menu.Target>
            <Menu.Dropdown mah={380} style={{ overflowY: 'auto' }}>{KINDS.map((kind) => <Menu.Item key={kind} onClick={() => add(kind)}>{t(`flows.kind.${kind}`)}</Menu.Item>)}</Menu.Dropdown>
          </Menu>
        )}
      </Box>
      <Box className="flow-form">
        {chosen !== null && step !== undefined ? (
          <StepForm key={chosen} config={config} flow={flow} id={chosen} step={step} off={off} notes={notes(chosen)} set={(is) => change({ ...flow, steps: { ...flow.steps, [chosen]: is } })} rename={(to) => { change(renamed(flow, chosen, to)); choose(to); }} remove={() => { change(without(flow, chosen)); choose(null); }} begin={() => change({ ...flow, start: chosen })} />
        ) : (
          <Text size="sm" c="dimmed">{t('flows.chooseStep')}</Text>
        )}
      </Box>
    </div>
  );
}

function drawn(flow: Flow, faults: ReadonlySet<string>, chosen: string | null, words: { kind: (kind: Kind) => string; way: (way: Exclude<WayName, 'key'>) => string }): { nodes: Node<Drawn>[]; edges: Edge[] } {
  const at = places(flow);
  const nodes: Node<Drawn>[] = [];
  const edges: Edge[] = [];
  for (const [id, step] of Object.entries(flow.steps)) {
    const outs = ways(step).map(({ way, key }) => ({ handle: key === undefined ? way : `${way}:${key}`, label: way === 'key' ? (key ?? '') : words.way(way) }));
    const detail = 'prompt' in step ? step.prompt : 'queue' in step ? step.queue : 'hours' in step ? step.hours : 'phone' in step ? step.phone : 'flow' in step ? step.flow : 'variable' in step ? step.variable : 'url' in step ? step.url : '';
    const place = at[id] ?? { row: 0, column: 0 };
    const title = words.kind(step.do);
    nodes.push({
      id, type: 'step', position: { x: place.column * GAP.x, y: place.row * GAP.y }, width: WIDTH, selected: id === chosen, ariaLabel: `${title} ${id}`,
      data: { title, detail, begins: id === flow.start, fault: faults.has(id), outs },
    });
    for (const { way, key, to } of ways(step)) {
      const handle = key === undefined ? way : `${way}:${key}`;
      if (to in flow.steps) edges.push({ id: `${id} ${handle}`, source: id, sourceHandle: handle, target: to, markerEnd: { type: MarkerType.ArrowClosed } });
    }
  }
  return { nodes, edges };
}

function StepNode({ id, data, selected }: NodeProps<Node<Drawn>>) {
  return (
    <div className="flow-step" data-selected={selected} data-fault={data.fault}>
      <Handle type="target" position={Position.Top} />
      <Group gap={4} wrap="nowrap" justify="space-between">
        <Text size="xs" c="dimmed" truncate>{data.title}</Text>
        <Group gap={2} wrap="nowrap">{data.begins && <IconPlayerPlay size={13} aria-hidden />}{data.fault && <IconAlertTriangle size={14} aria-hidden color="var(--mantine-color-error)" />}</Group>
      </Group>
      <Text size="sm" fw={600} truncate>{id}</Text>
      {data.detail && <Text size="xs" truncate>{data.detail}</Text>}
      <div className="flow-outs">
        {data.outs.map(({ handle, label }, n) => (
          <span key={handle}>
            {label}
            <Handle type="source" id={handle} position={Position.Bottom} style={{ left: `${((n + 0.5) / data.outs.length) * 100}%` }} />
          </span>
        ))}
      </div>
    </div>
  );
}
