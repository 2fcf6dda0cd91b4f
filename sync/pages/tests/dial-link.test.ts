import { expect, test } from 'vitest';
import { dialled } from '../desk/src/dial-link';

test('a link fills in a number and nothing else', () => {
  for (const [search, number] of [
    ['?dial=tel:%2B49-30-1234', '+49-30-1234'],
    ['?dial=TEL%3A5551001%3Bphone-context%3Dexample.com', '5551001'],
    ['?dial=0301234', '0301234'],
    ['?dial=(030)%2012%2F34', '(030) 12/34'],
    ['?dial=', ''],
    ['', ''],
    ['?dial=javascript:alert(1)', ''],
    ['?dial=tel:ann@example.com', ''],
    [`?dial=${'1'.repeat(33)}`, ''],
    ['?other=5551001', ''],
  ] as const) expect(dialled(search), search).toBe(number);
});
