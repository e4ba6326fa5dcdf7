/** How large one operation may be, judged before anything of it runs. */
import { GraphQLError, Kind, type ASTVisitor, type SelectionSetNode, type ValidationContext } from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy

export const maxTokens = 1_000;
const maxDepth = 12;
const maxAliases = 15;
const maxFields = 500;

export function depthAndAliases(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      const seen = { fields: 0, aliases: 0, depth: 0 };
      measure(operation.selectionSet, 1, []);
      if (seen.depth > maxDepth) refuse(`is ${seen.depth} levels deep, ${maxDepth} are allowed`);
      if (seen.aliases > maxAliases) refuse(`has more than ${maxAliases} aliases`);
      if (seen.fields > maxFields) refuse(`has more than ${maxFields} fields and fragments`);

      function refuse(reason: string): void {
        context.reportError(new GraphQLError(`The operation ${reason}`, { nodes: operation, extensions: { code: 'QUERY_TOO_EXPENSIVE' } }));
      }

      function measure(set: SelectionSetNode, depth: number, within: readonly string[]): void {
        for (const selection of set.selections) {
          if (seen.fields > maxFields) return;
          if (selection.kind === Kind.FIELD) {
            seen.fields += 1;
            if (selection.alias) seen.aliases += 1;
            // What a tool asks of the schema is deep by nature and touches no data.
            if (selection.name.value === '__schema' || selection.name.value === '__type') continue;
            seen.depth = Math.max(seen.depth, depth);
            if (selection.selectionSet) measure(selection.selectionSet, depth + 1, within);
          } else if (selection.kind === Kind.INLINE_FRAGMENT) measure(selection.selectionSet, depth, within);
          else {
            // Fragments of fragments alone would be as many as two to the power of their depth.
            seen.fields += 1;
            const name = selection.name.value;
            const fragment = within.includes(name) ? null : context.getFragment(name);
            if (fragment) measure(fragment.selectionSet, depth, [...within, name]);
          }
        }
      }
    },
  };
}
