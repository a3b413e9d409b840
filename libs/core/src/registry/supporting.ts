// Types around the books: tax (made by QBO per company, so mapped or only reported) and attachments.
import { entity, ref } from './definition.js';

const reading = ['read', 'query'] as const;

export const TaxAgency = entity({
  type: 'TaxAgency',
  endpoint: 'taxagency',
  category: 'supporting',
  rank: 1,
  policy: 'reported',
  operations: reading,
  naturalKeys: [['DisplayName']],
  lookup: { by: 'list' },
  batchable: false,
  voidForm: 'none',
  cdc: false,
  webhook: true,
  noise: ['LastFileDate'],
});

export const TaxRate = entity({
  type: 'TaxRate',
  endpoint: 'taxrate',
  category: 'supporting',
  rank: 2,
  policy: 'reported',
  operations: reading,
  naturalKeys: [['Name', 'RateValue']],
  lookup: { by: 'list' },
  batchable: false,
  voidForm: 'none',
  cdc: false,
  webhook: false,
  references: [ref('AgencyRef', 'TaxAgency')],
});

export const TaxCode = entity({
  type: 'TaxCode',
  endpoint: 'taxcode',
  category: 'supporting',
  rank: 2,
  // Codes and rates cannot be deleted and mean what the target's tax centre says: a twin by name, or a person.
  policy: 'adopted',
  operations: reading,
  naturalKeys: [['Name']],
  lookup: { by: 'list' },
  nameField: 'Name',
  batchable: false,
  voidForm: 'none',
  cdc: false,
  webhook: false,
  readOnly: ['SalesTaxRateList', 'PurchaseTaxRateList', 'AdjustmentTaxRateList', 'TaxCodeConfigType'],
});

export const Attachable = entity({
  type: 'Attachable',
  endpoint: 'attachable',
  category: 'supporting',
  rank: 10,
  policy: 'carried',
  operations: ['create', 'read', 'query', 'update', 'delete', 'upload'],
  naturalKeys: [['FileName', 'Size', 'AttachableRef']],
  lookup: { by: 'field', field: 'FileName' },
  batchable: false,
  voidForm: 'none',
  cdc: true,
  webhook: false,
  fullUpdateOnly: true,
  references: [
    {
      path: 'AttachableRef.*.EntityRef',
      kind: 'typed-ref',
      types: ['Invoice', 'Bill', 'Payment', 'Customer', 'Vendor', 'Item', 'Account'],
    },
  ],
  // The links expire within minutes and are made anew at every read.
  readOnly: ['FileAccessUri', 'TempDownloadUri', 'ThumbnailFileAccessUri', 'ThumbnailTempDownloadUri', 'Size'],
  noise: ['FileAccessUri', 'TempDownloadUri', 'ThumbnailFileAccessUri', 'ThumbnailTempDownloadUri'],
});
