// The branches as tiles: what is wrong stands out before anything is read.
import { Anchor, Card, Group, SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { SiteLine } from '../api';
import { BoxHealth, Completeness, DataAge, Findings, LinkState } from './parts';

export function Tiles({ sites }: { sites: readonly SiteLine[] }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }}>
      {sites.map((site) => <Tile key={site.site} site={site} />)}
    </SimpleGrid>
  );
}

function Tile({ site }: { site: SiteLine }) {
  const { t } = useTranslation();
  const lines: [string, ReactNode][] = [
    [t('sites.age'), <DataAge key="age" site={site} />],
    [t('sites.completeness'), <Completeness key="completeness" site={site} />],
    [t('sites.health'), <BoxHealth key="health" health={site.health} />],
    [t('sites.software'), <Text key="software" size="sm">{site.software ?? '–'}</Text>],
    [t('sites.findings'), <Findings key="findings" site={site} />],
  ];
  return (
    <Card padding="md" className="tile">
      <Group justify="space-between" align="flex-start" wrap="nowrap" mb="sm" mih={44}>
        <div>
          <Anchor component={Link} to={`/sites/${site.site}`} fw={600} c="inherit" className="tile-link">{site.label}</Anchor>
          <Text size="xs" c="dimmed">{[site.site, ...site.tags].join(' · ')}</Text>
        </div>
        <LinkState site={site} />
      </Group>
      <dl className="facts">
        {lines.map(([name, value]) => (
          <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
        ))}
      </dl>
    </Card>
  );
}
