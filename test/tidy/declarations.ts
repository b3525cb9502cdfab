// What a module exports and whether a comment stands before it.
import ts from 'typescript';
import type { SourceFile } from './tree.js';

export interface Declaration {
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly documented: boolean;
  /** Exists at run time: not an interface or type. */
  readonly isValue: boolean;
}

/** Exported declarations of a module, and the public methods of its exported classes if `members`. */
export function exportedDeclarations(file: SourceFile, members = false): Declaration[] {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  return source.statements.filter(isExported).flatMap((statement) => {
    const isValue = !ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement);
    const declare = (node: ts.Node, name: string): Declaration => ({
      path: file.path,
      line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1,
      name,
      documented: hasComment(node),
      isValue,
    });
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.map((one) => declare(statement, one.name.getText()));
    }
    if (!hasName(statement)) return [];
    const own = [declare(statement, statement.name.getText())];
    if (members && ts.isClassDeclaration(statement)) {
      for (const member of statement.members) {
        if (isPublicMethod(member)) own.push(declare(member, `${own[0]?.name}.${member.name?.getText()}`));
      }
    }
    return own;
  });
}

function isPublicMethod(member: ts.Node & { readonly name?: ts.PropertyName | undefined }): boolean {
  if (!ts.isMethodDeclaration(member)) return false;
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
  return (
    !ts.isPrivateIdentifier(member.name) &&
    !(ts.getModifiers(member) ?? []).some((one) => hidden.includes(one.kind))
  );
}

function isExported(node: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some((one) => one.kind === ts.SyntaxKind.ExportKeyword)
  );
}

function hasName(node: ts.Node): node is ts.Node & { readonly name: ts.Identifier } {
  return 'name' in node && node.name !== undefined;
}

function hasComment(node: ts.Node): boolean {
  return ts.getJSDocCommentsAndTags(node).length > 0;
}
