// A small real PDF of a document: one page of text lines in Helvetica. Enough for a client that stores or shows it.
import type { Company } from '../company/company.js';
import type { Rec } from '../types.js';

function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').replace(/[\\()]/g, (c) => `\\${c}`);
}

export function pdfOf(company: Company, entity: string, rec: Rec): Buffer {
  const lines = [
    company.companyInfo()['CompanyName'] ?? company.profile.name,
    `${entity} ${rec['DocNumber'] ?? rec['Id']}`,
    `Date ${rec['TxnDate'] ?? ''}`,
    rec['CustomerRef']?.name ?? rec['VendorRef']?.name ?? '',
    '',
    ...((rec['Line'] as Rec[] | undefined) ?? []).map(
      (l) => `${l['Description'] ?? l['DetailType'] ?? 'Line'}  ${l['Amount'] ?? ''}`,
    ),
    '',
    `Total ${rec['TotalAmt'] ?? ''} ${rec['CurrencyRef']?.value ?? ''}`,
  ].slice(0, 50);
  const text = lines.map((line) => `(${escaped(String(line))}) Tj T*`).join('\n');
  const stream = `BT /F1 11 Tf 15 TL 56 780 Td\n${text}\nET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${Buffer.byteLength(stream)} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let out = '%PDF-1.4\n';
  const offsets = objects.map((object, i) => {
    const at = Buffer.byteLength(out);
    out += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const xref = Buffer.byteLength(out);
  const rows = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`;
  return Buffer.from(out, 'latin1');
}
