/** What an operation asks for below one of its root fields: fragments, aliases, @skip and @include as GraphQL reads them. */
import {
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isObjectType,
  Kind,
  type FieldNode,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy

export interface Asked {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly below: readonly Asked[];
}

/** Fields below the one that is resolved. A field that is asked for twice, by alias or fragment, stands there twice. */
export function askedBelow(info: GraphQLResolveInfo): readonly Asked[] {
  return info.fieldNodes.flatMap(({ selectionSet }) => askedIn(selectionSet, info.returnType, info));
}

/** What is asked for at a path such as `series.points`; empty where nothing is. */
export function askedAt(asked: readonly Asked[], path: string): readonly Asked[] {
  return path.split('.').reduce((fields, name) => fields.filter((field) => field.name === name).flatMap(({ below }) => below), asked);
}

function askedIn(set: SelectionSetNode | undefined, type: GraphQLOutputType, info: GraphQLResolveInfo): Asked[] {
  const parent = getNamedType(type);
  const fields = isObjectType(parent) ? parent.getFields() : {};
  return fieldsOf(set, info).flatMap((node) => {
    const field = fields[node.name.value];
    if (field === undefined) return []; // __typename
    return [
      { name: field.name, args: getArgumentValues(field, node, info.variableValues), below: askedIn(node.selectionSet, field.type, info) },
    ];
  });
}

/** Types of figures are objects all, so the condition of a fragment always holds. */
function fieldsOf(set: SelectionSetNode | undefined, info: GraphQLResolveInfo): FieldNode[] {
  const included = (set?.selections ?? []).filter((selection) => isIncluded(selection, info));
  return included.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsOf(selection.selectionSet, info);
    return fieldsOf(info.fragments[selection.name.value]?.selectionSet, info);
  });
}

function isIncluded(node: SelectionNode, { variableValues }: GraphQLResolveInfo): boolean {
  if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.['if'] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.['if'] !== false;
}
