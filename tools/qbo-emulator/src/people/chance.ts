// Seeded chance and the invented names of our world. Equal seeds give equal companies; no name is anybody's.
import { seededRandom } from '../faults/index.js';

const given = [
  'Ada',
  'Bruno',
  'Carmen',
  'Dmitri',
  'Elif',
  'Farah',
  'Gustav',
  'Hana',
  'Ivo',
  'Jamila',
  'Kofi',
  'Lena',
  'Mateo',
  'Nadia',
  'Oskar',
  'Priya',
  'Quentin',
  'Rosa',
  'Samir',
  'Tuula',
  'Uma',
  'Viktor',
  'Wanda',
  'Ximena',
  'Yusuf',
  'Zora',
];
const family = [
  'Abbott',
  'Barros',
  'Castellan',
  'Duarte',
  'Eklund',
  'Fontaine',
  'Greaves',
  'Holloway',
  'Ibarra',
  'Jansen',
  'Kowalski',
  'Lindqvist',
  'Moreau',
  'Novak',
  'Okafor',
  'Petrov',
  'Quill',
  'Rautio',
  'Sandoval',
  'Tanaka',
  'Underhill',
  'Vasquez',
  'Whitfield',
  'Yilmaz',
  'Zeller',
];
const places = [
  'Alder',
  'Birchwood',
  'Cedar Hill',
  'Dry Creek',
  'Elm Park',
  'Fernway',
  'Glen Arbor',
  'Hawthorn',
  'Ironbridge',
  'Juniper',
  'Kestrel',
  'Larkspur',
  'Millpond',
  'North Quay',
  'Orchard',
  'Pinecrest',
  'Quarry Lane',
  'Ridgeway',
  'Stonegate',
  'Thornbury',
  'Upland',
  'Valley View',
  'Westbrook',
  'Yarrow',
];
const buyers = [
  'Bakery',
  'Books',
  'Cafe',
  'Dental',
  'Estates',
  'Fitness',
  'Gallery',
  'Hotel',
  'Homeowners',
  'Kindergarten',
  'Law Office',
  'Market',
  'Motors',
  'Pharmacy',
  'Property Group',
  'School',
  'Studio',
  'Tea House',
  'Vineyards',
  'Winery',
];
const sellers = [
  'Aggregates',
  'Building Supply',
  'Equipment Rental',
  'Freight',
  'Fuel',
  'Hardware',
  'Insurance',
  'Irrigation',
  'Lumber',
  'Nursery',
  'Office Supply',
  'Paving',
  'Power & Light',
  'Printing',
  'Seeds',
  'Soil & Mulch',
  'Stoneworks',
  'Tool Repair',
  'Trucking',
  'Waste Services',
];
const goods = [
  'Basalt Edging',
  'Bark Mulch',
  'Bird Bath',
  'Cedar Bench',
  'Clay Planter',
  'Drip Line',
  'Fern Tray',
  'Garden Lamp',
  'Gravel Bag',
  'Hose Reel',
  'Ivy Screen',
  'Lawn Seed',
  'Oak Trellis',
  'Paver',
  'Pond Liner',
  'Rain Barrel',
  'Sprinkler Head',
  'Stepping Stone',
  'Topsoil',
  'Valve Box',
];
const services = [
  'Aeration',
  'Consultation',
  'Drainage Survey',
  'Garden Design',
  'Hedge Trimming',
  'Lawn Mowing',
  'Leaf Removal',
  'Patio Laying',
  'Planting',
  'Pruning',
  'Spring Clean-up',
  'Tree Felling',
  'Watering',
  'Weed Control',
];
const streets = [
  'Acacia Ave',
  'Beacon St',
  'Chestnut Rd',
  'Dale Close',
  'Eastern Way',
  'Foundry Ln',
  'Granary Sq',
  'Harbour Dr',
];
const notes = [
  'Agreed by phone',
  'As discussed on site',
  'Client asked for an early start',
  'Per quote',
  'Second visit',
  'Weather delay included',
  'Check access code with the office',
  'Thanks for the quick reply',
];

/** Where companies of a country have their towns. */
const towns: Record<string, readonly (readonly [string, string, string])[]> = {
  US: [
    ['San Mateo', 'CA', '94401'],
    ['Bayshore', 'CA', '94326'],
    ['Middlefield', 'CA', '94303'],
    ['South Orange', 'NJ', '07079'],
  ],
  CA: [
    ['Toronto', 'ON', 'M5H 2N2'],
    ['Calgary', 'AB', 'T2P 2M5'],
  ],
  GB: [
    ['Leeds', 'West Yorkshire', 'LS1 4AP'],
    ['Bristol', 'Avon', 'BS1 5TR'],
  ],
  AU: [
    ['Geelong', 'VIC', '3220'],
    ['Newcastle', 'NSW', '2300'],
  ],
};

export class Chance {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** From 0 (included) to 1 (excluded). */
  part(): number {
    return this.random();
  }
  whole(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }
  happens(probability: number): boolean {
    return this.random() < probability;
  }
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let at = this.random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      at -= weight;
      if (at < 0) return key;
    }
    return entries.find(([, weight]) => weight > 0)?.[0] ?? entries[0]![0];
  }
  /** Whole cents, small sums far more often than large ones, as invoices are. */
  cents(from: number, to: number): number {
    return Math.round(from * (to / from) ** this.random());
  }

  givenName = (): string => this.pick(given);
  familyName = (): string => this.pick(family);
  customerName = (): string => `${this.pick(places)} ${this.pick(buyers)}`;
  vendorName = (): string => `${this.pick(places)} ${this.pick(sellers)}`;
  siteName = (): string => `${this.whole(1, 999)} ${this.pick(streets)}`;
  goodsName = (): string => this.pick(goods);
  serviceName = (): string => this.pick(services);
  placeName = (): string => this.pick(places);
  note = (): string => this.pick(notes);
  phone = (): string => `(555) 555-${String(this.whole(0, 9999)).padStart(4, '0')}`;

  address(country: string): Record<string, string> {
    const [city, region, code] = this.pick(towns[country] ?? towns.US!);
    return { Line1: this.siteName(), City: city, CountrySubDivisionCode: region, PostalCode: code };
  }
}

/** YYYY-MM-DD so many days later. */
export function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}
