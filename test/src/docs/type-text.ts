/** The part of JSON Schema that the contract's schemas come out as. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

/** A schema as the TypeScript type that a caller would write. */
export function typeText(schema: JsonSchema, indent = ''): string {
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? '';
  if (schema.title) return schema.title;
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return schema.enum.map(literal).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((choice) => typeText(choice, indent)))].join(' | ');
  if (schema.allOf) return schema.allOf.map((part) => typeText(part, indent)).join(' & ');
  switch (schema.type) {
    case 'array':
      return arrayText(schema, indent);
    case 'object':
      return objectText(schema, indent);
    case 'integer':
      return 'number';
    case 'string':
      return schema.format === 'date-time' ? 'Date' : 'string';
    case undefined:
      return 'unknown';
    default:
      return [schema.type].flat().join(' | ');
  }
}

function arrayText(schema: JsonSchema, indent: string): string {
  const item = schema.items ? typeText(schema.items, indent) : 'unknown';
  const whole = schema.items?.type === 'object' || !/ \| | & /.test(item);
  return whole ? `${item}[]` : `(${item})[]`;
}

function objectText(schema: JsonSchema, indent: string): string {
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) {
    if (typeof schema.additionalProperties !== 'object') return '{}';
    const key = schema.propertyNames ? typeText(schema.propertyNames) : 'string';
    return `{ [key in ${key}]?: ${typeText(schema.additionalProperties, indent)} }`;
  }
  const deeper = `${indent}  `;
  const lines = entries.map(([name, property]) => {
    const optional = schema.required?.includes(name) ? '' : '?';
    const comment = property.default === undefined ? '' : ` // default ${JSON.stringify(property.default)}`;
    return `${deeper}${name}${optional}: ${typeText(property, deeper)};${comment}`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
