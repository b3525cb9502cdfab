/* Comments of the protos: the text of the reference, the OpenAPI document and the doc comments. */
import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescMessage,
  DescMethod,
  DescService,
} from '@bufbuild/protobuf';
import type { FileDescriptorSet } from '@bufbuild/protobuf/wkt';

type Described = DescMessage | DescField | DescEnum | DescEnumValue | DescService | DescMethod;

export class Comments {
  /** By file name, then by the path of SourceCodeInfo joined with dots. */
  readonly #byFile = new Map<string, Map<string, string>>();

  constructor(image: FileDescriptorSet) {
    for (const file of image.file) {
      const byPath = new Map<string, string>();
      for (const location of file.sourceCodeInfo?.location ?? []) {
        if (location.leadingComments) byPath.set(location.path.join('.'), tidy(location.leadingComments));
      }
      this.#byFile.set(file.name, byPath);
    }
  }

  /**
   * The comment above a declaration, its lines joined into paragraphs and field names as JSON has them; empty
   * when there is none.
   */
  of(desc: Described): string {
    const file =
      desc.kind === 'field' || desc.kind === 'rpc' || desc.kind === 'enum_value'
        ? desc.parent.file
        : desc.file;
    return this.#byFile.get(`${file.name}.proto`)?.get(pathOf(desc)) ?? '';
  }
}

function pathOf(desc: Described): string {
  switch (desc.kind) {
    case 'message':
      if (desc.parent) return `${pathOf(desc.parent)}.3.${desc.parent.nestedMessages.indexOf(desc)}`;
      return `4.${desc.file.messages.indexOf(desc)}`;
    case 'field':
      return `${pathOf(desc.parent)}.2.${desc.parent.fields.indexOf(desc)}`;
    case 'enum':
      return `5.${desc.file.enums.indexOf(desc)}`;
    case 'enum_value':
      return `${pathOf(desc.parent)}.2.${desc.parent.values.indexOf(desc)}`;
    case 'service':
      return `6.${desc.file.services.indexOf(desc)}`;
    case 'rpc':
      return `${pathOf(desc.parent)}.2.${desc.parent.methods.indexOf(desc)}`;
  }
}

/** One space off every line, single line breaks become spaces, empty lines stay. */
function tidy(comment: string): string {
  return comment
    .split(/\n\s*\n/)
    .map((paragraph) =>
      paragraph
        .split('\n')
        .map((line) => line.trim())
        .join(' ')
        .trim(),
    )
    .filter((paragraph) => paragraph !== '')
    .join('\n\n')
    .replace(/`[a-z]+(?:_[a-z0-9]+)+`/g, (name) =>
      name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    );
}
