// Which flow answers a public number.
import { Box, Button, Card, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconPhoneIncoming, IconPlus } from '@tabler/icons-react';
import { RemoveButton, useApply, useFindings, type Place } from '@shared/edit/editing';
import { phone } from '@shared/format';
import { NUMBER } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { Empty } from '@shared/ui/bits';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

export function NumbersEditor({ place }: { place: Place }) {
  const { t } = useTranslation();
  const { config, readOnly } = place;
  const { apply, busy, error, clear } = useApply(place);
  const notes = useFindings(place);
  const [adding, setAdding] = useState(false);
  const [number, setNumber] = useState('');
  const [flow, setFlow] = useState<string | null>(null);
  const flows = Object.entries(config.flows).map(([value, { label }]) => ({ value, label }));
  const numbers = Object.entries(config.numbers);
  const known = (of: string) => (of in config.flows ? flows : [...flows, { value: of, label: of }]);
  const open = () => {
    clear();
    setNumber('');
    setFlow(flows[0]?.value ?? null);
    setAdding(true);
  };
  const add = !readOnly && flows.length > 0 && <Button variant="light" leftSection={<IconPlus size={16} />} onClick={open}>{t('numbers.add')}</Button>;
  return (
    <Card padding={numbers.length === 0 ? 'lg' : 0}>
      {numbers.length > 0 && <Text size="sm" c="dimmed" p="md" pb={0}>{t('numbers.about')}</Text>}
      {numbers.length === 0 ? (
        <Empty icon={<IconPhoneIncoming size={24} />} title={t('numbers.none')} action={add}>{flows.length === 0 ? t('numbers.noFlow') : t('numbers.noneText')}</Empty>
      ) : (
        <>
          <ul className="plain">
            {numbers.map(([each, leads]) => (
              <li key={each} className="number-row">
                <Text fw={500} size="sm">{phone(each)}</Text>
                <Box>
                  <Select aria-label={`${t('numbers.flow')}: ${each}`} data={known(leads)} value={leads} allowDeselect={false} disabled={readOnly || busy} onChange={(next) => next && next !== leads && void apply([{ set: 'number_put', number: each, flow: next }])} />
                  {notes(`numbers/${each}`)}
                </Box>
                <Box>{!readOnly && <RemoveButton label={t('numbers.remove')} text={t('numbers.removeText')} remove={() => apply([{ set: 'number_remove', number: each }])} />}</Box>
              </li>
            ))}
          </ul>
          {add && <Group p="md">{add}</Group>}
        </>
      )}
      {error !== null && !adding && <Text c="var(--mantine-color-error)" size="sm" p="md" role="alert">{refusalText(t, error)}</Text>}
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('numbers.add')} closeButtonProps={{ 'aria-label': t('close') }}>
        <form onSubmit={(event) => {
          event.preventDefault();
          if (flow) void apply([{ set: 'number_put', number, flow }]).then((done) => done && setAdding(false));
        }}>
          <Stack>
            {error !== null && <Text c="var(--mantine-color-error)" size="sm" role="alert">{refusalText(t, error)}</Text>}
            <TextInput label={t('numbers.number')} description={t('numbers.numberHint')} value={number} inputMode="tel" required data-autofocus onChange={(e) => setNumber(e.currentTarget.value.replace(/[\s()-]/g, ''))} error={number !== '' && !NUMBER.test(number) && t('numbers.numberBad')} />
            <Select label={t('numbers.flow')} data={flows} value={flow} onChange={setFlow} allowDeselect={false} />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={() => setAdding(false)}>{t('cancel')}</Button>
              <Button type="submit" loading={busy} disabled={!NUMBER.test(number) || flow === null}>{t('add')}</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Card>
  );
}
