// Which calls of no queue a branch records.
import { Card, Title } from '@mantine/core';
import { SaveBar, useApply, useDraft, useFindings, type Place } from '@shared/edit/editing';
import { DirectionFields, recordingValid } from '@shared/edit/recording';
import { useTranslation } from 'react-i18next';

export function SiteRecording({ place }: { place: Place }) {
  const { t } = useTranslation();
  const stands = place.config.site.recording;
  const { draft, set, reset } = useDraft(stands, 'recording');
  const { apply, busy, error, clear } = useApply(place);
  const notes = useFindings(place);
  const changed = JSON.stringify(draft) !== JSON.stringify(stands);
  const valid = Object.values(draft).every((recording) => recording === null || recordingValid(recording));
  return (
    <Card>
      <Title order={2} size="h5" mb="sm">{t('path.fields.recording')}</Title>
      <DirectionFields directions={draft} set={set} disabled={place.readOnly || busy} notes={notes('site/recording')} />
      <SaveBar count={changed ? 1 : 0} busy={busy} error={error} valid={valid} discard={() => { clear(); reset(); }} save={() => void apply([{ set: 'site_recording', recording: draft }])} />
    </Card>
  );
}
