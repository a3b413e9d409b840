// Bodies and queries are classes with class-validator's rules. Unknown fields are mistakes too: a misspelt setting that is
// silently dropped costs an afternoon.
import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from '@nestjs/common';
import { mistakes } from './problem.js';
import type { FieldMistake } from './problem.js';

export const validation = new ValidationPipe({
  whitelist: true,
  forbidNonWhitelisted: true,
  transform: true,
  stopAtFirstError: false,
  exceptionFactory: (errors) => mistakes(errors.flatMap((error) => fieldMistakes(error, ''))),
});

function fieldMistakes(error: ValidationError, path: string): FieldMistake[] {
  const field = path === '' ? error.property : `${path}.${error.property}`;
  const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
    field,
    message: rule === 'whitelistValidation' ? 'there is no such field' : message,
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldMistakes(child, field))];
}
