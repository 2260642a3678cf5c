/** The people and things of the demo: Harbour & Finch, an invented company that sells and bills stationery. */

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly team: 'billing' | 'support' | 'engineering' | 'management';
  readonly ip: string;
  readonly userAgent: string;
}

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0';
const safari =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';
const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

const names: readonly (readonly [string, Person['team']])[] = [
  ['Ada Okafor', 'billing'],
  ['Bruno Silva', 'billing'],
  ['Chiara Conti', 'billing'],
  ['Dmitri Volkov', 'billing'],
  ['Elif Yıldız', 'billing'],
  ['Farid Haddad', 'support'],
  ['Grace Lindqvist', 'support'],
  ['Hiroshi Tanaka', 'support'],
  ['Ines Moreau', 'support'],
  ['Jonas Weber', 'support'],
  ['Katarzyna Nowak', 'support'],
  ['Liam Byrne', 'support'],
  ['Mei Chen', 'engineering'],
  ['Noor de Vries', 'engineering'],
  ['Oskar Berg', 'engineering'],
  ['Priya Raman', 'engineering'],
  ['Quentin Dubois', 'engineering'],
  ['Rosa Jiménez', 'engineering'],
  ['Samuel Mensah', 'management'],
  ['Tove Nilsen', 'management'],
];

export const people: readonly Person[] = names.map(([name, team], index) => ({
  id: `usr_${String(index + 1).padStart(3, '0')}`,
  name,
  email: `${toAscii(name.split(' ')[0] ?? '')}.${toAscii(name.split(' ').at(-1) ?? '')}@harbourfinch.example`,
  team,
  // Addresses reserved for documentation (RFC 5737).
  ip: `192.0.2.${10 + index}`,
  userAgent: [firefox, safari, chrome][index % 3] ?? firefox,
}));

function toAscii(name: string): string {
  return name
    .replaceAll('ı', 'i')
    .normalize('NFD')
    .replaceAll(/[^A-Za-z]/g, '')
    .toLowerCase();
}

export const customers = [
  'Aldermoor Books',
  'Brightwater School',
  'Copperleaf Studio',
  'Dunmore Pharmacy',
  'Eastgate Library',
  'Fernhill Clinic',
  'Greyfriars Press',
  'Hollybank Nursery',
] as const;

export const brands = ['brand_paper', 'brand_ink', 'brand_archive'] as const;

/** Who tried passwords one night, and from where (RFC 5737). */
export const intruder = { ip: '203.0.113.66', userAgent: 'python-requests/2.32.4' } as const;
